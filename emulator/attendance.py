"""When the emulator was last there, by which clock, and which ticks passed since: shown, and not made up for."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from emulator import cron, duration
from emulator.clock import MovableClock
from emulator.cron.missed import Missed, missed

_EVERY = 60.0
_LITTLE = timedelta(seconds=1)


class Owned(NamedTuple):
    """A cron, the worker it stands in the config of, and the workflow that it starts, where it is one of those."""

    worker: str
    expression: str
    workflow: str | None = None


class Attendance:
    """
    Notes from time to time that the emulator is there, for which crons, and how far its clock had been moved.

    In a small file beside the store, so that none of it is a commit.
    """

    def __init__(self, folder: Path, clock: MovableClock, crons: Callable[[], Iterable[Owned]]) -> None:
        self._path = folder / "attendance.json"
        self._clock = clock
        self._crons = crons
        self._before, self._known, self._ahead = _read(self._path)

    def note(self) -> None:
        """Still there. What cannot be written (a full disk) is of no great importance."""
        ahead = self._clock.ahead.total_seconds()
        told = {"at": self._clock.now().timestamp(), "ahead": ahead, "crons": [*self._crons()]}
        new = self._path.with_suffix(".new")
        with suppress(OSError):
            new.write_text(json.dumps(told), "utf-8")
            os.replace(new, self._path)  # noqa: PTH105 - in one step, whoever dies meanwhile

    async def keep(self) -> None:
        """Note it every minute. Never ends by itself."""
        while True:
            self.note()
            await asyncio.sleep(_EVERY)

    def lines(self) -> Iterator[str]:
        """How far the clock had been moved, and what passed since, a line for each cron that both runs know."""
        now = self._clock.now()
        if self._before is not None and self._before <= now and abs(self._ahead) >= _LITTLE:
            yield _moved(self._ahead, now)
        for owned in self._crons():
            if self._before is not None and owned in self._known:
                found = missed(cron.parse(owned.expression), self._before, now)
                if found is not None:
                    yield _told(owned, found)


def _read(path: Path) -> tuple[datetime | None, frozenset[Owned], timedelta]:
    """When it was noted last, by the machine's clock, the crons of then, and how far the clock was ahead of that."""
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
        found = json.loads(path.read_text("utf-8"))
        ahead = timedelta(seconds=found["ahead"])
        before = datetime.fromtimestamp(found["at"], UTC) - ahead
        return before, frozenset(Owned(*each) for each in found["crons"]), ahead
    return None, frozenset(), timedelta()


def _moved(ahead: timedelta, now: datetime) -> str:
    if ahead > timedelta():
        far = duration.exact(ahead)
        told, command = f"{far} ahead", f'advance "{far}"'
    else:
        when = (now + ahead).replace(tzinfo=None).isoformat(timespec="seconds")
        told, command = f"{duration.exact(-ahead)} back", f"set {when}Z"
    return f"the clock had been moved {told} and is the machine's again; move it anew with: emulator clock {command}"


def _told(owned: Owned, found: Missed) -> str:
    command = f'cron trigger "{owned.expression}" --time {found.stamp} --worker {owned.worker}'
    if owned.workflow is not None:
        command = f"workflows trigger {owned.workflow}"
    return f"{found.words} of {owned.expression} passed while the emulator was down; run one with: emulator {command}"
