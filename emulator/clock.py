"""One clock for crons, sleeps, retries, time-outs, delays: the system's with an offset, and one that a test moves."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

# A long asyncio sleep drifts while the laptop sleeps, so look again at least this often.
_LOOK_AGAIN = timedelta(seconds=30)


class Clock(Protocol):
    """What everything that waits is handed."""

    def now(self) -> datetime: ...

    async def sleep_until(self, when: datetime) -> None: ...

    def alarm(self, when: datetime, ring: Callable[[], None]) -> Alarm: ...


class Alarm:
    """A call at a moment of the clock, until it is cancelled."""

    def __init__(self, ring: Callable[[], None], left: Callable[[], None]) -> None:
        self._ring = ring
        self._left = left
        self.is_over = False

    def ring(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._ring()

    def cancel(self) -> None:
        if not self.is_over:
            self.is_over = True
            self._left()


def wake(waiter: asyncio.Future[None]) -> None:
    """Who waits goes on, if nothing else has woken it before."""
    if not waiter.done():
        waiter.set_result(None)


async def _settled_at_once() -> None: ...


class _Timers:
    """The sleepers in order of time; woken one by one, the clock standing at each one's moment."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Alarm]] = []
        self._order = itertools.count()
        self._left = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: datetime, ring: Callable[[], None]) -> Alarm:
        alarm = Alarm(ring, self._note_left)
        heapq.heappush(self._heap, (when, next(self._order), alarm))
        return alarm

    def _note_left(self) -> None:
        """A sleeper has left before its time. Most never reach the top of the heap, so now and then it is swept."""
        self._left += 1
        if self._left * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry[2].is_over]
            heapq.heapify(self._heap)
            self._left = 0

    def next_due(self) -> datetime | None:
        while self._heap and self._heap[0][2].is_over:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def wake_due(self, now: datetime) -> None:
        while (due := self.next_due()) is not None and due <= now:
            heapq.heappop(self._heap)[2].ring()


class MovableClock:
    """
    A clock that can be moved forward; what falls due on the way wakes in order, each at its own moment.

    `settled` is awaited after each moment, so that whatever woke has done its work before time goes on. `moving_to` is
    where a move that is under way leads; one that is cancelled leaves the clock where it has come to.
    """

    def __init__(self) -> None:
        self.settled: Callable[[], Awaitable[None]] = _settled_at_once
        self._timers = _Timers()
        self._moving = asyncio.Lock()
        self.moving_to: datetime | None = None
        self._held: datetime | None = None
        self._is_given_up = False

    def now(self) -> datetime:
        """The emulated time, aware and UTC."""
        return self._held or self._flowing()

    @property
    def ahead(self) -> timedelta:
        """How far it is from the machine's clock, if it goes by that one at all."""
        return timedelta()

    async def sleep_until(self, when: datetime) -> None:
        """Return when the clock has reached `when`; at once if it already has."""
        if when <= self.now():
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        alarm = self.alarm(when, partial(wake, woken))
        try:
            await woken
        finally:
            alarm.cancel()

    def alarm(self, when: datetime, ring: Callable[[], None]) -> Alarm:
        """Have `ring` called when the clock has reached `when`; in the next turn of the loop if it already has."""
        if when <= self.now():
            late = Alarm(ring, lambda: None)
            asyncio.get_running_loop().call_soon(late.ring)
            return late
        alarm = self._timers.add(when, ring)
        self._arm()
        return alarm

    async def advance(self, by: timedelta) -> None:
        """Move forward, through everything that falls due on the way."""
        async with self._moving:
            await self._move_to(self.now() + by)

    async def move_to(self, when: datetime) -> None:
        """Move forward to a moment; a moment in the past sets the clock back and wakes nobody."""
        async with self._moving:
            await self._move_to(when)

    async def _move_to(self, when: datetime) -> bool:
        """Whether it got there: a reset on the way ends the move."""
        reached = self._held = self.now()
        self.moving_to, self._is_given_up = when, False
        try:
            await self.settled()
            while not self._is_given_up and (due := self._timers.next_due()) is not None and due <= when:
                reached = self._held = max(reached, due)
                self._timers.wake_due(reached)
                await self.settled()
            reached = when
        finally:
            self._held = self.moving_to = None
            if not self._is_given_up:
                self._jump(reached)
            self._arm()
        return not self._is_given_up

    def _flowing(self) -> datetime:
        raise NotImplementedError

    def _jump(self, when: datetime) -> None:
        raise NotImplementedError

    def _arm(self) -> None:
        """Make sure the next sleeper is woken; a clock that does not flow by itself has nothing to do."""


class SystemClock(MovableClock):
    """The machine's clock, with an offset that `advance` and `move_to` change."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = timedelta()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: datetime | None = None

    @property
    def ahead(self) -> timedelta:
        return self.offset if self._held is None else self._held - datetime.now(UTC)

    async def advance(self, by: timedelta) -> None:
        """Move forward, by no more and no less: the time that the move itself takes goes by as well."""
        async with self._moving:
            offset = self.offset + by
            if await self._move_to(self.now() + by):
                self.offset = offset
                self._arm_anew()

    def reset(self) -> None:
        """Back to the machine's time; a move that is under way ends where it is."""
        self._is_given_up = True
        self.offset = timedelta()
        self._arm_anew()

    def _flowing(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def _jump(self, when: datetime) -> None:
        self.offset = when - datetime.now(UTC)
        self._arm_anew()

    def _arm_anew(self) -> None:
        """The alarm was set by another reckoning of how long it is until then."""
        self._alarm_at = None
        self._arm()

    def _arm(self) -> None:
        due, now = self._timers.next_due(), self.now()
        # One that should have rung is late by as long as the machine has slept.
        is_armed = due is not None and self._alarm_at is not None and now <= self._alarm_at <= due
        if due is None or self._held is not None or is_armed:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = max(min(due, now + _LOOK_AGAIN), now)
        self._alarm = asyncio.get_running_loop().call_later((self._alarm_at - now).total_seconds(), self._ring)

    def _ring(self) -> None:
        self._alarm = self._alarm_at = None
        if self._held is None:
            self._timers.wake_due(self.now())
        self._arm()


class ManualClock(MovableClock):
    """A clock that only moves when it is told to."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        super().__init__()
        self._stands = start

    def _flowing(self) -> datetime:
        return self._stands

    def _jump(self, when: datetime) -> None:
        self._stands = when
