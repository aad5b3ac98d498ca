"""When the emulator was last there, and which ticks passed since then: they are shown, and not made up for."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from emulator import cron
from emulator.clock import Clock
from emulator.cron.missed import Missed, missed

_EVERY = 60.0


class Owned(NamedTuple):
    """A cron, the worker it stands in the config of, and the workflow that it starts, where it is one of those."""

    worker: str
    expression: str
    workflow: str | None = None


class Attendance:
    """
    Notes from time to time that the emulator is there, and for which crons.

    In a small file beside the store, so that none of it is a commit.
    """

    def __init__(self, folder: Path, clock: Clock, crons: Callable[[], Iterable[Owned]]) -> None:
        self._path = folder / "attendance.json"
        self._clock = clock
        self._crons = crons
        self._before, self._known = _read(self._path)

    def note(self) -> None:
        """Still there. What cannot be written (a full disk) is of no great importance."""
        told = {"at": self._clock.now().timestamp(), "crons": [*self._crons()]}
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
        """What passed between the last run and this one, a line for each cron that both know."""
        for owned in self._crons():
            if self._before is not None and owned in self._known:
                found = missed(cron.parse(owned.expression), self._before, self._clock.now())
                if found is not None:
                    yield _told(owned, found)


def _read(path: Path) -> tuple[datetime | None, frozenset[Owned]]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads(path.read_text("utf-8"))
        return datetime.fromtimestamp(found["at"], UTC), frozenset(Owned(*each) for each in found["crons"])
    return None, frozenset()


def _told(owned: Owned, found: Missed) -> str:
    command = f'cron trigger "{owned.expression}" --time {found.stamp} --worker {owned.worker}'
    if owned.workflow is not None:
        command = f"workflows trigger {owned.workflow}"
    return f"{found.words} of {owned.expression} passed while the emulator was down; run one with: emulator {command}"
