"""Pull → lease → ack, retry, or the lease ends; after too many of these a dead letter. All of it is in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from emulator.clock import Clock
from emulator.errors import StoreError
from emulator.handlers.alarm import Alarm
from emulator.models import Lease, Message, PullConsumer
from emulator.store import Store

Conclude = Callable[[PullConsumer, Sequence[Message], Sequence[Message]], None]
Tell = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What became of acks and retries; `unknown` are leases of messages that are gone, or that never were."""

    acked: int
    retried: int
    unknown: tuple[str, ...]


class Puller:
    """Those who take messages over HTTP. The platform's page: queues/configuration/pull-consumers."""

    def __init__(self, store: Store, clock: Clock, conclude: Conclude, tell: Tell) -> None:
        self._store = store
        self._clock = clock
        self._conclude = conclude
        self._tell = tell
        self._alarm = Alarm(clock, self.look)
        self._closed = False

    @property
    def is_busy(self) -> bool:
        """Whether a message is to be given up right now."""
        return self._alarm.is_due

    def consumer_of(self, queue: str) -> PullConsumer | None:
        """Who pulls from a queue."""
        return next((each for each in self._store.pulls.consumers() if each.queue == queue), None)

    async def put(self, consumer: PullConsumer) -> None:
        """Let a queue be pulled from, or change how; also after a restart."""
        with self._store.transaction():
            self._store.pulls.put(consumer)
        await self._store.durable()
        self.look()

    async def remove(self, queue: str) -> None:
        """Let a queue be pulled from no more."""
        with self._store.transaction():
            self._store.pulls.remove(queue)
        await self._store.durable()
        self.look()

    async def pull(
        self, consumer: PullConsumer, *, limit: int | None = None, hidden: timedelta | None = None
    ) -> Sequence[Lease]:
        """The messages at the head, hidden from others while they are leased; none from a queue that is paused."""
        self.look()
        queue, now, stored = consumer.queue, self._clock.now(), self._store.messages
        if queue in stored.paused():
            return ()
        until = now + (consumer.visibility_timeout if hidden is None else hidden)
        with self._store.transaction():
            found = stored.visible(queue, at=now, limit=limit or consumer.batch_size)
            leases = self._store.pulls.lease(found, until=until)
        await self._store.durable()
        self.look()
        return leases

    async def answer(
        self, consumer: PullConsumer, acks: Sequence[str], retries: Mapping[str, timedelta | None]
    ) -> Answered:
        """Acked messages are gone, the others come again after their delay, or are given up. A late answer counts."""
        held = self._store.pulls.leased(consumer.queue, [*acks, *retries])
        acked = _distinct(held[id] for id in acks if id in held)
        gone = {message.sequence for message in acked}
        wanted = {id: delay for id, delay in retries.items() if id in held and held[id].sequence not in gone}
        now = self._clock.now()
        failed = _distinct(
            replace(held[id], visible_at=now + (consumer.retry_delay if delay is None else delay))
            for id, delay in wanted.items()
        )
        self._conclude(consumer, [*acked, *failed], failed)
        await self._store.durable()
        self.look()
        unknown = tuple(id for id in [*acks, *retries] if id not in held)
        return Answered(acked=len(acked), retried=len(failed), unknown=unknown)

    def look(self) -> None:
        """Give up the messages whose last lease has ended, and come back when the next one does."""
        if self._closed:
            return
        try:
            self._give_up_spent()
            self._alarm.set(self._store.pulls.next_spent_at())
        except StoreError as error:
            # The next pull, ack or save looks again.
            self._alarm.set(None)
            self._tell("pulls", f"what was not acked in time could not be given up: {error}")

    def close(self) -> None:
        self._closed = True
        self._alarm.set(None)

    def _give_up_spent(self) -> None:
        spent = self._store.pulls.spent(at=self._clock.now())
        for consumer in self._store.pulls.consumers() if spent else ():
            own = [message for message in spent if message.queue == consumer.queue]
            if own:
                self._conclude(consumer, own, own)


def _distinct(messages: Iterable[Message]) -> list[Message]:
    """Each message once, however many of its leases were named."""
    return list({message.sequence: message for message in messages}.values())
