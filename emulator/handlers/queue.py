"""Send → wait for a batch → dispatch → ack, retry, dead letter. Everything it knows about a message is in the store."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from emulator.clock import Clock
from emulator.config import Consumer
from emulator.errors import EmulatorError, StoreError, WorkerGone
from emulator.generation import Conversation
from emulator.handlers.pull import Puller
from emulator.models import Batch, Message, Outcome, PullConsumer
from emulator.store import Store
from emulator.store.messages import Backlog, Draft
from emulator.wire import Frame

log = logging.getLogger("emulator")

_LONGEST_DELAY = 86_400
_CLOSING_SECONDS = 1.0
_NAMED = 3

Deliver = Callable[[Batch], Awaitable[Outcome]]
Tell = Callable[[str, str], None]


class BatchLost(WorkerGone):
    """
    The user's process ended with a batch under way; a process that ended before that says just WorkerGone.

    `by_us` says that it was stopped for a newer version.
    """

    def __init__(self, why: str, *, by_us: bool = False) -> None:
        super().__init__(why)
        self.by_us = by_us


class QueueEvent:
    """One batch on its way through a generation."""

    kind = "queue"
    label = "QUEUE"

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._has_begun = False

    @property
    def title(self) -> str:
        return f"{self.batch.queue} ({len(self.batch.messages)})"

    def frame(self) -> tuple[dict[str, Any], bytes]:
        batch = self.batch
        backlog = Backlog(count=batch.backlog_count, bytes=batch.backlog_bytes, oldest_at=batch.oldest_at)
        head = {
            "queue": batch.queue,
            "messages": [(each.id, _milliseconds(each.sent_at), each.failures + 1) for each in batch.messages],
            "metrics": {
                name: _milliseconds(value) if isinstance(value, datetime) else value
                for name, value in metrics(backlog).items()
            },
        }
        return head, f"[{','.join(each.body for each in batch.messages)}]".encode()

    def result(self, outcome: Outcome) -> str:
        if outcome.error is not None and not self._has_begun:
            # The broker says, once, that it cannot be delivered.
            return ""
        if outcome.outcome == "canceled":
            return outcome.outcome
        again = len(retried(self.batch.messages, outcome))
        parts = {"acked": len(self.batch.messages) - again, "retried": again}
        return ", ".join(f"{count} {word}" for word, count in parts.items() if count)

    async def converse(self, conversation: Conversation) -> Frame:
        self._has_begun = True
        try:
            return await conversation.done()
        except WorkerGone as gone:
            raise BatchLost(gone.message, by_us=conversation.generation.is_stopping) from gone


class Broker:
    """All queues of this emulator."""

    def __init__(self, store: Store, clock: Clock, deliver: Deliver, tell: Tell, *, rest_seconds: float = 1.0) -> None:
        self._store = store
        self._clock = clock
        self._deliver = deliver
        self._tell = tell
        self._rest_seconds = rest_seconds
        self._lanes: dict[str, _Lane] = {}
        self._delays: Mapping[str, int] = {}
        self._is_told = False
        self._said: set[str] = set()
        self.puller = Puller(store, clock, self._conclude, tell)

    def consume(self, consumers: Sequence[Consumer], *, delays: Mapping[str, int]) -> None:
        """From now on these are consumed; batches under way go on. `delays` are the queues' own, in seconds."""
        self._is_told = True
        self._delays = delays
        wanted = {consumer.queue: consumer for consumer in reversed(consumers)}
        for queue in wanted.keys() - self._lanes.keys():
            self._lanes[queue] = _Lane(queue, self._store, self._clock, self._carry, self._tell, self._rest_seconds)
        for queue, lane in self._lanes.items():
            lane.consumer = wanted.get(queue)
            lane.poke()
        self._said -= wanted.keys()
        self.puller.look()

    def send(self, queue: str, drafts: Sequence[Draft]) -> Backlog:
        """Put messages into a queue, on disk once `store.durable` returns. Answers what was waiting there before."""
        now, before = self._clock.now(), self.backlog(queue)
        with self._store.transaction():
            self._store.messages.add(queue, drafts, at=now, delay=self._delay_of(queue))
        self._arrived(queue)
        return before

    def backlog(self, queue: str) -> Backlog:
        """What waits in a queue."""
        lane = self._lanes.get(queue)
        taken = lane.taken if lane is not None else ()
        return self._store.messages.backlog(queue, at=self._clock.now(), taken=taken)

    def counts(self) -> dict[str, int]:
        """Each queue with the number of its messages, delayed ones and those being delivered included."""
        return self._store.messages.counts()

    def peek(self, queue: str, *, limit: int = 10) -> Sequence[Message]:
        """The messages at the head of a queue; they stay where they are."""
        return self._store.messages.peek(queue, limit=limit)

    async def purge(self, queue: str) -> int:
        """Forget all messages of a queue; how many there were. A batch under way is not delivered again."""
        with self._store.transaction():
            count = self._store.messages.purge(queue)
        await self._store.durable()
        return count

    async def drop(self, queue: str, sequences: Sequence[int]) -> set[int]:
        """Forget some messages of a queue; those that there were."""
        with self._store.transaction():
            dropped = self._store.messages.drop(queue, sequences)
        await self._store.durable()
        return dropped

    def in_flight(self, queue: str) -> int:
        """How many messages of a queue are being delivered, or are with those who pulled them."""
        lane = self._lanes.get(queue)
        return (0 if lane is None else len(lane.taken)) + self._store.pulls.held(queue, at=self._clock.now())

    async def forget(self, queue: str) -> None:
        """Forget a queue with its messages."""
        with self._store.transaction():
            self._store.messages.forget(queue)
            self._store.pulls.remove(queue)
        await self._store.durable()

    async def pause(self, queue: str, *, paused: bool = True) -> None:
        """Deliver nothing from this queue until `pause(queue, paused=False)`; also after a restart."""
        with self._store.transaction():
            self._store.messages.set_paused(queue, paused)
        await self._store.durable()
        if queue in self._lanes:
            self._lanes[queue].poke()

    def busy(self) -> bool:
        """Whether a batch is under way, or due right now."""
        return self.puller.is_busy or any(lane.is_busy for lane in self._lanes.values())

    async def close(self) -> None:
        """Begin nothing new; a batch that does not end soon is delivered again by the next emulator."""
        self.puller.close()
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))

    async def _carry(self, consumer: Consumer, batch: Batch) -> None:
        """Deliver a batch and record what became of it. Raises EmulatorError where it must be delivered once more."""
        # A batch that lost its process to a reload has not failed; one that took its process with it has.
        try:
            outcome = await self._deliver(batch)
        except BatchLost as lost:
            if lost.by_us:
                raise
            outcome = Outcome(outcome="exception", milliseconds=0.0)
        self._settle(consumer, batch, outcome)
        await self._store.durable()

    def _settle(self, consumer: Consumer, batch: Batch, outcome: Outcome) -> None:
        now = self._clock.now()
        failed = [
            replace(message, failures=message.failures + 1, visible_at=now + _delay(delay, consumer.retry_delay))
            for message, delay in retried(batch.messages, outcome)
        ]
        self._conclude(consumer, batch.messages, failed)

    def _conclude(
        self, consumer: Consumer | PullConsumer, delivered: Sequence[Message], failed: Sequence[Message]
    ) -> None:
        """Record that messages were delivered: those that failed come again or are given up, the rest is gone."""
        again = [each for each in failed if each.failures <= consumer.max_retries]
        spent = [each for each in failed if each.failures > consumer.max_retries]
        dead_letters = self._dead_letters(consumer, spent, self._clock.now())
        with self._store.transaction():
            self._store.messages.settle(delivered, back=again + dead_letters)
        if spent:
            self._tell(consumer.queue, _last_words(spent, consumer))
        if dead_letters:
            self._arrived(dead_letters[0].queue)

    def _dead_letters(
        self, consumer: Consumer | PullConsumer, spent: Sequence[Message], now: datetime
    ) -> list[Message]:
        queue = consumer.dead_letter_queue
        if queue is None:
            return []
        visible_at = now + self._delay_of(queue)
        return [replace(message, queue=queue, failures=0, visible_at=visible_at) for message in spent]

    def _arrived(self, queue: str) -> None:
        lane = self._lanes.get(queue)
        if lane is not None:
            lane.poke()
        # Before the first worker is loaded nobody knows yet who consumes what.
        is_consumed = (lane is not None and lane.consumer is not None) or self.puller.consumer_of(queue) is not None
        if self._is_told and not is_consumed and queue not in self._said:
            self._said.add(queue)
            self._tell(queue, "no worker consumes this queue; its messages are kept")

    def _delay_of(self, queue: str) -> timedelta:
        return timedelta(seconds=self._delays.get(queue, 0))


class _Lane:
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
        self._timer: asyncio.Task[None] | None = None
        self._due: datetime | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._complaint = ""
        self._closed = False

    @property
    def taken(self) -> list[int]:
        """The messages being delivered."""
        return [message.sequence for batch in self._under_way.values() for message in batch.messages]

    @property
    def is_busy(self) -> bool:
        return bool(self._under_way) or self._poked or (self._due is not None and self._due <= self._clock.now())

    def poke(self) -> None:
        """Something has changed: look, once in this turn of the loop, whether a batch is due."""
        if not self._poked:
            self._poked = True
            asyncio.get_running_loop().call_soon(self._look)

    async def close(self) -> None:
        self._closed = True
        self._arm(None)
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
            self._arm(None)
            self._complain(error)
            self._rest_a_while()

    def _begin_what_is_due(self) -> None:
        while (consumer := self._free_consumer()) is not None:
            due = self._next_due(consumer)
            if due is None or due > self._clock.now():
                self._arm(due)
                return
            self._begin(consumer)
        self._arm(None)

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

    def _arm(self, due: datetime | None) -> None:
        if due == self._due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = None if due is None else asyncio.get_running_loop().create_task(self._ring(due))

    async def _ring(self, due: datetime) -> None:
        await self._clock.sleep_until(due)
        self._timer = self._due = None
        self._look()


def retried(messages: Sequence[Message], outcome: Outcome) -> list[tuple[Message, int | None]]:
    """
    Which messages come again, with the delay in seconds the handler asked for.

    What was said of a message wins over what was said of the batch, and that over how the handler ended.
    """
    recorded: dict[str, Any] = outcome.result
    batch = recorded.get("retryBatch", {})
    others_again = not recorded.get("ackAll") and (batch.get("retry") or not outcome.is_ok)
    acked = set(recorded.get("explicitAcks", ()))
    single = {entry["msgId"]: entry.get("delaySeconds") for entry in recorded.get("retryMessages", ())}
    return [
        (message, batch.get("delaySeconds") if (own := single.get(message.id)) is None else own)
        for message in messages
        if message.id in single or (others_again and message.id not in acked)
    ]


def metrics(backlog: Backlog) -> dict[str, Any]:
    """A backlog in the platform's words."""
    found: dict[str, Any] = {"backlogCount": backlog.count, "backlogBytes": backlog.bytes}
    return found if backlog.oldest_at is None else {**found, "oldestMessageTimestamp": backlog.oldest_at}


def _delay(seconds: int | None, default: timedelta | None) -> timedelta:
    if seconds is None:
        return default or timedelta()
    return timedelta(seconds=min(max(seconds, 0), _LONGEST_DELAY))


def _last_words(spent: Sequence[Message], consumer: Consumer | PullConsumer) -> str:
    ids = ", ".join(message.id for message in spent[:_NAMED]) + (", …" if len(spent) > _NAMED else "")
    place = "dropped" if consumer.dead_letter_queue is None else f"moved to {consumer.dead_letter_queue}"
    attempts = consumer.max_retries + 1
    return f"{len(spent)} {place} after {attempts} failed {'attempt' if attempts == 1 else 'attempts'}: {ids}"


def _milliseconds(when: datetime) -> int:
    return int(when.timestamp() * 1000)
