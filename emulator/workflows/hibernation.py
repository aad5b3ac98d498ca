"""Passes that wait for long are given up: they need no coroutine, and are run again when their time has come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from emulator.clock import Clock
from emulator.workflows.run import Run


class Hibernation:
    """Looks after passes at rest; `give_up` is called for one that stays so longer than `window` says."""

    def __init__(self, clock: Clock, window: Callable[[], timedelta], give_up: Callable[[Run], None]) -> None:
        self._clock = clock
        self._window = window
        self._give_up = give_up
        # Each with whether its window is over.
        self._watched: dict[Run, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, run: Run) -> None:
        """The pass has begun to wait, or a call of its code was answered: perhaps nothing is left but a long wait."""
        if not self._may_go(run) or run in self._watched:
            return
        window = self._window()
        if run.wakes_at - self._clock.now() > window:
            self._watched[run] = not window
            task = asyncio.get_running_loop().create_task(self._watch(run, window.total_seconds()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @property
    def is_busy(self) -> bool:
        """Of some pass it is being found out whether its code has anything left to do."""
        return any(self._watched.values())

    async def close(self) -> None:
        """Nobody is given up any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self, run: Run, window: float) -> None:
        try:
            if window:
                await asyncio.sleep(window)
                self._watched[run] = True
            if await self._stays_at_rest(run):
                self._give_up(run)
        finally:
            self._watched.pop(run, None)

    async def _stays_at_rest(self, run: Run) -> bool:
        """Code that has just got an answer is let go on first; what it asks then is noted in its turn."""
        while self._may_go(run):
            answered = run.answered
            await run.generation.settle()
            if answered == run.answered:
                return self._may_go(run)
        return False

    def _may_go(self, run: Run) -> bool:
        return run.live and run.is_at_rest and run.leaving is None and run.wakes_at > self._clock.now()
