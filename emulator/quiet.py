"""When all is quiet: what woke has done its work, and nothing has come of it that is not done too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from emulator.worker import Worker


class Quiet:
    """Watches over what happens. `is_busy` asks the parts whether they have something under way."""

    def __init__(self, workers: Sequence[Worker], is_busy: Callable[[], bool], *, seconds: float) -> None:
        self._workers = workers
        self._is_busy = is_busy
        self._seconds = seconds
        self._disturbances = 0

    def disturb(self) -> None:
        """Something has happened."""
        self._disturbances += 1

    async def settle(self) -> None:
        """
        Return when no handler runs, no workflow's code runs, and no batch is under way.

        Code that does not end by itself (a step that only its time-out will end) is not waited for beyond so many
        seconds.
        """
        pause = 0.0
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                while not await self._has_settled():
                    # Most is done in a turn or two; who waits for longer must not be asked without end.
                    await asyncio.sleep(pause)
                    pause = 0.001

    async def _has_settled(self) -> bool:
        before = self._disturbances
        await asyncio.gather(*(each.current.settle() for each in self._workers if each.current is not None))
        return not self._is_busy() and before == self._disturbances
