"""One queue that is consumed: which messages make the next batch, when it is due, and what is under way."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from emulator.clock import Clock
from emulator.config import Consumer
from emulator.errors import EmulatorError, StoreError
from emulator.handlers.alarm import Alarm
from emulator.models import Batch
from emulator.store import Store

log = logging.getLogger("emulator")

_CLOSING_SECONDS = 1.0

Tell = Callable[[str, str], None]


class Lane:
    """One queue that is, or was, consumed: the batches under way, and the timer of the next one."""

    def __init__(
        self,
        queue: str,
        store: Store,
        clock: Clock,
        carry: Callable[[Consumer, Batch], Coroutine[Any, Any, None]],
        tell: Tell,
        rest_seconds: float,
    ) -> None:
        self.consumer: Consumer | None = None
        self._queue = queue
        self._store = store
        self._clock = clock
        self._carry = carry
        self._tell = tell
        self._rest_seconds = rest_seconds
        self._under_way: dict[asyncio.Task[None], Batch] = {}
        self._poked = False
        self._alarm = Alarm(clock, self._look)
        self._rest: asyncio.TimerHandle | None = None
        self._complaint = ""
        self._closed = False

    @property
    def taken(self) -> list[int]:
        """The messages being delivered."""
        return [message.sequence for batch in self._under_way.values() for message in batch.messages]

    @property
    def is_busy(self) -> bool:
        return bool(self._under_way) or self._poked or self._alarm.is_due

    def poke(self) -> None:
        """Something has changed: look, once in this turn of the loop, whether a batch is due."""
        if not self._poked:
            self._poked = True
            asyncio.get_running_loop().call_soon(self._look)

    async def close(self) -> None:
        self._closed = True
        self._alarm.set(None)
        if self._rest is not None:
            self._rest.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_CLOSING_SECONDS)
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self) -> None:
        self._poked = False
        try:
            self._begin_what_is_due()
        except (StoreError, sqlite3.Error) as error:
            self._alarm.set(None)
            self._complain(error)
            self._rest_a_while()

    def _begin_what_is_due(self) -> None:
        while (consumer := self._free_consumer()) is not None:
            due = self._next_due(consumer)
            if due is None or due > self._clock.now():
                self._alarm.set(due)
                return
            self._begin(consumer)
        self._alarm.set(None)

    def _free_consumer(self) -> Consumer | None:
        consumer = self.consumer
        if self._closed or self._rest is not None or consumer is None:
            return None
        return consumer if len(self._under_way) < (consumer.max_concurrency or 1) else None

    def _next_due(self, consumer: Consumer) -> datetime | None:
        """When the next batch is full, or its oldest message has waited long enough."""
        arrivals = self._store.messages.arrivals(self._queue, limit=consumer.max_batch_size, taken=self.taken)
        if arrivals is None:
            return None
        waited = arrivals.first_at + consumer.max_batch_timeout
        return min(waited, arrivals.last_at) if arrivals.count == consumer.max_batch_size else waited

    def _begin(self, consumer: Consumer) -> None:
        now, taken, stored = self._clock.now(), self.taken, self._store.messages
        messages = stored.visible(self._queue, at=now, limit=consumer.max_batch_size, taken=taken)
        left = stored.backlog(self._queue, at=now, taken=taken + [message.sequence for message in messages])
        batch = Batch(
            queue=self._queue,
            messages=messages,
            backlog_count=left.count,
            backlog_bytes=left.bytes,
            oldest_at=left.oldest_at,
        )
        task = asyncio.get_running_loop().create_task(self._carry(consumer, batch))
        self._under_way[task] = batch
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        if self._closed or task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._complaint = ""
            self._look()
            return
        self._complain(error)
        self._rest_a_while()

    def _rest_a_while(self) -> None:
        if self._rest is None:
            # What failed is not the message but the worker or the disk; moving the clock would mend neither.
            self._rest = asyncio.get_running_loop().call_later(self._rest_seconds, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._look()

    def _complain(self, error: BaseException) -> None:
        text = f"not delivered, trying again: {error}"
        if text == self._complaint:
            return
        self._complaint = text
        self._tell(self._queue, text)
        if not isinstance(error, (EmulatorError, sqlite3.Error)):
            log.error("a bug of the emulator's own", exc_info=error)
