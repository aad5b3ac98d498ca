"""One moment on the clock at which something is to be looked at, moved as often as one likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from emulator.clock import Clock


class Alarm:
    """Calls `ring` when its moment has come."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._due: datetime | None = None
        self._timer: asyncio.Task[None] | None = None

    @property
    def is_due(self) -> bool:
        """Whether it is about to ring."""
        return self._due is not None and self._due <= self._clock.now()

    def set(self, due: datetime | None) -> None:
        """Ring then and not when it was to ring before; None is never."""
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None if due is None else asyncio.get_running_loop().create_task(self._wait(due))

    async def _wait(self, due: datetime) -> None:
        await self._clock.sleep_until(due)
        self._timer = self._due = None
        self._ring()
