"""The ticks that passed while nobody was there to fire them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from emulator.cron.expression import Cron
from emulator.cron.times import upcoming

# An emulator that was down for a month has missed some; who wants to know exactly how many?
MOST = 100


@dataclass(frozen=True)
class Missed:
    """How many ticks of a cron passed, up to MOST and one, and when the last one of these was."""

    count: int
    last: datetime

    @property
    def words(self) -> str:
        """`1 tick`, `3 ticks`, `over 100 ticks`"""
        if self.count > MOST:
            return f"over {MOST} ticks"
        return f"{self.count} tick{'' if self.count == 1 else 's'}"

    @property
    def stamp(self) -> str:
        """The time of the last one, as a command line takes it."""
        return self.last.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def missed(parsed: Cron, since: datetime, until: datetime) -> Missed | None:
    """The ticks after `since` up to `until`; None if there were none."""
    times = list(_until(parsed, since, until))
    return Missed(len(times), times[-1]) if times else None


def _until(parsed: Cron, since: datetime, until: datetime) -> Iterator[datetime]:
    for time in upcoming(parsed, since, MOST + 1):
        if time > until:
            return
        yield time
