"""Instances that nobody runs: those asleep are woken when their time has come, those kept long enough are forgotten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from emulator.clock import Clock
from emulator.errors import StoreError
from emulator.models import Instance
from emulator.store import Store, Superseded

log = logging.getLogger("emulator")

_AGAIN_AFTER = 1.0


class Sleepers:
    """One timer for all of them: the earliest moment that the store knows of. Busy until that is the right one."""

    def __init__(self, store: Store, clock: Clock, wake: Callable[[Instance], None]) -> None:
        self._store = store
        self._clock = clock
        self._wake = wake
        self._changed = asyncio.Event()
        self.is_busy = False

    def look_again(self) -> None:
        """An instance has gone to sleep, or has ended: its moment may be the earliest now."""
        self.is_busy = True
        self._changed.set()

    async def watch(self) -> None:
        """Wake and forget for ever."""
        while True:
            self._changed.clear()
            try:
                await self._changed_or(self._store.instances.next_timer())
                self._look(self._clock.now())
            except (StoreError, Superseded) as error:
                self.is_busy = False
                log.debug("%r; looking again in %.0f s", error, _AGAIN_AFTER)
                await asyncio.sleep(_AGAIN_AFTER)

    def _look(self, now: datetime) -> None:
        for instance in self._store.instances.due(now):
            self._wake(instance)
        self._forget_expired(now)

    def _forget_expired(self, now: datetime) -> None:
        expired = self._store.instances.expired(now)
        if expired:
            with self._store.transaction():
                for instance in expired:
                    self._store.instances.delete(instance.key)

    async def _changed_or(self, due: datetime | None) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if due is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep_until(due)))
        try:
            # A turn later they have begun: whoever moves the clock now does not move it past the earliest moment.
            await asyncio.sleep(0)
            self.is_busy = self._changed.is_set()
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
