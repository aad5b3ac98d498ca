"""Each cron: next time → clock → dispatch. A tick never waits for the one before it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from emulator import cron
from emulator.clock import Clock
from emulator.cron.times import next_time
from emulator.errors import EmulatorError
from emulator.generation import Conversation
from emulator.models import Outcome, Tick
from emulator.wire import Frame

_LATEST = timedelta(minutes=1)

Fire = Callable[[Tick], Awaitable[object]]


class ScheduledEvent:
    """One tick on its way through a generation."""

    kind = "scheduled"
    label = "CRON"

    def __init__(self, tick: Tick) -> None:
        self.tick = tick

    @property
    def title(self) -> str:
        return self.tick.cron or "(no cron)"

    def frame(self) -> tuple[dict[str, Any], bytes]:
        return {"cron": self.tick.cron, "time": int(self.tick.time.timestamp() * 1000)}, b""

    def result(self, outcome: Outcome) -> str:
        return outcome.outcome

    async def converse(self, conversation: Conversation) -> Frame:
        return await conversation.done()


class Crons:
    """The crons of one worker. `plan` replaces them all; a tick that has fired does not fire again."""

    def __init__(self, clock: Clock, fire: Fire) -> None:
        self._clock = clock
        self._fire = fire
        self._planned: dict[str, asyncio.Task[None]] = {}
        self._firing: set[asyncio.Task[None]] = set()
        self._next: dict[str, datetime | None] = {}

    def plan(self, expressions: Iterable[str]) -> None:
        """Keep those that stay, forget those that are gone, start those that are new."""
        wanted = set(expressions)
        for expression in self._planned.keys() - wanted:
            self._planned.pop(expression).cancel()
            self._next.pop(expression, None)
        for expression in wanted - self._planned.keys():
            self._planned[expression] = asyncio.create_task(self._tick_on(expression))

    @property
    def next_ticks(self) -> dict[str, datetime | None]:
        """Each cron with its next tick, None for one that never comes."""
        return dict(self._next)

    @property
    def is_busy(self) -> bool:
        return bool(self._firing)

    async def close(self) -> None:
        tasks = [*self._planned.values(), *self._firing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tick_on(self, expression: str) -> None:
        parsed = cron.parse(expression)
        last = self._clock.now()
        while (tick := next_time(parsed, last)) is not None:
            self._next[expression] = tick
            await self._clock.sleep_until(tick)
            last = max(tick, self._clock.now() - _LATEST)
            if last > tick:
                # The machine slept through it; the platform does not make up for ticks either.
                continue
            task = asyncio.create_task(self._run(Tick(cron=expression, time=tick)))
            self._firing.add(task)
            task.add_done_callback(self._firing.discard)
        self._next[expression] = None

    async def _run(self, tick: Tick) -> None:
        # Whatever went wrong has been reported; the next tick comes all the same.
        with suppress(EmulatorError):
            await self._fire(tick)
