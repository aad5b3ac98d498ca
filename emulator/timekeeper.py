"""Who moves the clock, and sees to what follows: crons are planned anew, what fired is summed up, the time noted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from emulator.attendance import Attendance
from emulator.clock import MovableClock, SystemClock
from emulator.firings import Firings
from emulator.timetable import Timetable


@dataclass(frozen=True, kw_only=True)
class Timekeeper:
    """Moves of the clock that somebody asks for. Cancelled, it stays where it came to."""

    clock: MovableClock
    timetable: Timetable
    attendance: Attendance
    firings: Firings

    async def advance(self, by: timedelta) -> None:
        """Move the clock forward; what falls due on the way happens, in order."""
        try:
            await self.clock.advance(by)
        finally:
            self.firings.tell()
            self.attendance.note()

    async def move_to(self, when: datetime) -> None:
        """Set the clock; forward as `advance`, backward without waking anybody."""
        try:
            await self.clock.move_to(when)
        finally:
            self.firings.tell()
            self.timetable.plan_anew()
            self.attendance.note()

    def reset(self) -> None:
        """Back to the machine's time."""
        if isinstance(self.clock, SystemClock):
            self.clock.reset()
        self.timetable.plan_anew()
        self.attendance.note()
