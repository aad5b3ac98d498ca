"""Pull consumers and their leases: a pulled message stays where it is, and is hidden until its lease ends."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from emulator.models import Lease, Message, PullConsumer
from emulator.store.columns import from_duration, from_time, to_known_duration, to_known_time, to_time
from emulator.store.messages import COLUMNS, message_of
from emulator.store.reads import read

_CONSUMER = "queue, batch_size, max_retries, retry_delay, visibility_timeout, dead_letter_queue, created_at"
_MESSAGE = ", ".join(f"messages.{name}" for name in COLUMNS.split(", "))
# Those whose last delivery has failed, or will have if its lease ends without an ack.
_LAST_CHANCE = """
    leases
    cross join messages on messages.sequence = leases.message
    cross join pull_consumers on pull_consumers.queue = messages.queue
    where messages.failures > pull_consumers.max_retries
"""


class Pulls:
    """The tables of the pull consumers. Every write belongs inside `store.transaction()`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, consumer: PullConsumer) -> None:
        """Write a consumer, new or changed."""
        self._db.execute(
            f"insert or replace into pull_consumers ({_CONSUMER}) values (?, ?, ?, ?, ?, ?, ?)",
            (
                consumer.queue,
                consumer.batch_size,
                consumer.max_retries,
                from_duration(consumer.retry_delay),
                from_duration(consumer.visibility_timeout),
                consumer.dead_letter_queue,
                from_time(consumer.created_at),
            ),
        )

    @read
    def consumers(self) -> tuple[PullConsumer, ...]:
        """All of them, by the names of their queues."""
        return tuple(map(_consumer, self._db.execute(f"select {_CONSUMER} from pull_consumers order by queue")))

    def remove(self, queue: str) -> None:
        """From now on nobody pulls from this queue; what was pulled comes back when its lease ends."""
        self._db.execute("delete from pull_consumers where queue = ?", (queue,))

    def lease(self, messages: Iterable[Message], *, until: datetime) -> tuple[Lease, ...]:
        """Hide messages; whoever comes back with the lease's id has them. A delivery counts as failed until its ack."""
        leases = tuple(Lease(id=secrets.token_urlsafe(24), message=each) for each in messages)
        self._db.executemany(
            "update messages set visible_at = ?, failures = failures + 1 where sequence = ?",
            [(from_time(until), each.message.sequence) for each in leases],
        )
        self._db.executemany(
            "insert into leases (id, message) values (?, ?)", [(each.id, each.message.sequence) for each in leases]
        )
        return leases

    @read
    def leased(self, queue: str, ids: Sequence[str]) -> dict[str, Message]:
        """What these leases are for; ids of other queues, and of messages that are gone, are left out."""
        rows = self._db.execute(
            f"""
            select leases.id, {_MESSAGE} from leases join messages on messages.sequence = leases.message
            where leases.id in (select value from json_each(?)) and messages.queue = ?
            """,
            (json.dumps(ids), queue),
        )
        return {id: message_of(row) for id, *row in rows}

    @read
    def held(self, queue: str, *, at: datetime) -> int:
        """How many messages of a queue are with those who pulled them."""
        row = self._db.execute(
            """
            select count(distinct leases.message) from leases join messages on messages.sequence = leases.message
            where messages.queue = ? and messages.visible_at > ?
            """,
            (queue, from_time(at)),
        ).fetchone()
        return int(row[0])

    @read
    def spent(self, *, at: datetime) -> tuple[Message, ...]:
        """Those whose last lease ended without an ack."""
        rows = self._db.execute(
            f"select distinct {_MESSAGE} from {_LAST_CHANCE} and messages.visible_at <= ? order by messages.sequence",
            (from_time(at),),
        )
        return tuple(map(message_of, rows))

    @read
    def next_spent_at(self) -> datetime | None:
        """When the first of the last leases ends."""
        row = self._db.execute(f"select min(messages.visible_at) from {_LAST_CHANCE}").fetchone()
        return to_time(row[0])


def _consumer(row: Sequence[Any]) -> PullConsumer:
    return PullConsumer(
        queue=row[0],
        batch_size=row[1],
        max_retries=row[2],
        retry_delay=to_known_duration(row[3]),
        visibility_timeout=to_known_duration(row[4]),
        dead_letter_queue=row[5],
        created_at=to_known_time(row[6]),
    )
