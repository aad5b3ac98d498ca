"""Send → wait for a batch → dispatch → ack, retry, dead letter. Everything it knows about a message is in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from emulator.clock import Clock
from emulator.config import Consumer
from emulator.handlers.batch import BatchLost, retried
from emulator.handlers.lane import Lane, Tell
from emulator.handlers.pull import Puller
from emulator.models import Batch, Message, Outcome, PullConsumer
from emulator.store import Store
from emulator.store.messages import Backlog, Draft

_LONGEST_DELAY = 86_400
_NAMED = 3

Deliver = Callable[[Batch], Awaitable[Outcome]]


class Broker:
    """All queues of this emulator."""

    def __init__(self, store: Store, clock: Clock, deliver: Deliver, tell: Tell, *, rest_seconds: float = 1.0) -> None:
        self._store = store
        self._clock = clock
        self._deliver = deliver
        self._tell = tell
        self._rest_seconds = rest_seconds
        self._lanes: dict[str, Lane] = {}
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
            self._lanes[queue] = Lane(queue, self._store, self._clock, self._carry, self._tell, self._rest_seconds)
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


def _delay(seconds: int | None, default: timedelta | None) -> timedelta:
    if seconds is None:
        return default or timedelta()
    return timedelta(seconds=min(max(seconds, 0), _LONGEST_DELAY))


def _last_words(spent: Sequence[Message], consumer: Consumer | PullConsumer) -> str:
    ids = ", ".join(message.id for message in spent[:_NAMED]) + (", …" if len(spent) > _NAMED else "")
    place = "dropped" if consumer.dead_letter_queue is None else f"moved to {consumer.dead_letter_queue}"
    attempts = consumer.max_retries + 1
    return f"{len(spent)} {place} after {attempts} failed {'attempt' if attempts == 1 else 'attempts'}: {ids}"
