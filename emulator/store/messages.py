"""Queued messages: kept until they are acked, moved to a dead letter queue, or given up."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulator.models import Message
from emulator.store.columns import from_time, to_known_time, to_time
from emulator.store.reads import read

COLUMNS = "sequence, id, queue, body, content_type, sent_at, visible_at, failures"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A message on its way into a queue: its body in wire form, the bytes that count, its own delay if it has one."""

    body: str
    content_type: str
    size: int
    delay: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What waits in a queue: neither delayed nor being delivered."""

    count: int = 0
    bytes: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """The next messages of a queue: how many, up to a limit, and when the first and the last may be delivered."""

    count: int
    first_at: datetime
    last_at: datetime


class Messages:
    """The tables of the queue broker. Every write belongs inside `store.transaction()`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, queue: str, drafts: Iterable[Draft], *, at: datetime, delay: timedelta) -> None:
        """Put messages at the tail; `delay` is for those that have none of their own."""
        self._db.executemany(
            """
            insert into messages (id, queue, body, content_type, size, sent_at, visible_at)
            values (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                (
                    secrets.token_hex(16),
                    queue,
                    draft.body,
                    draft.content_type,
                    draft.size,
                    from_time(at),
                    from_time(at + (delay if draft.delay is None else draft.delay)),
                )
                for draft in drafts
            ],
        )

    @read
    def arrivals(self, queue: str, *, limit: int, taken: Sequence[int] = ()) -> Arrivals | None:
        """When the next messages are to be had; None when there are none, or the queue is paused."""
        count, first, last = self._db.execute(
            """
            select count(*), min(visible_at), max(visible_at) from (
                select visible_at from messages
                where queue = :queue and sequence not in (select value from json_each(:taken))
                order by visible_at, sequence
                limit :limit
            )
            where not exists (select 1 from queues where name = :queue and paused)
            """,
            {"queue": queue, "taken": _list(taken), "limit": limit},
        ).fetchone()
        if not count:
            return None
        return Arrivals(count=count, first_at=to_known_time(first), last_at=to_known_time(last))

    @read
    def visible(self, queue: str, *, at: datetime, limit: int, taken: Sequence[int] = ()) -> tuple[Message, ...]:
        """The messages at the head that may be delivered now."""
        rows = self._db.execute(
            f"""
            select {COLUMNS} from messages
            where queue = ? and visible_at <= ? and sequence not in (select value from json_each(?))
            order by visible_at, sequence
            limit ?
            """,
            (queue, from_time(at), _list(taken), limit),
        )
        return tuple(map(message_of, rows))

    @read
    def backlog(self, queue: str, *, at: datetime, taken: Sequence[int] = ()) -> Backlog:
        """How much waits in the queue now; `taken` are being delivered."""
        row = self._db.execute(
            """
            with hidden as materialized (
                select size from messages where queue = :queue and visible_at > :now
                union all
                select size from messages
                where visible_at <= :now and sequence in (select value from json_each(:taken))
            )
            select
                count - (select count(*) from hidden),
                bytes - (select coalesce(sum(size), 0) from hidden),
                (
                    select sent_at from messages
                    where queue = :queue and visible_at <= :now
                    and sequence not in (select value from json_each(:taken))
                    order by visible_at, sequence
                    limit 1
                )
            from queues where name = :queue
            """,
            {"queue": queue, "now": from_time(at), "taken": _list(taken)},
        ).fetchone()
        return Backlog(count=row[0], bytes=row[1], oldest_at=to_time(row[2])) if row else Backlog()

    def settle(self, delivered: Iterable[Message], *, back: Iterable[Message]) -> None:
        """
        A batch is over: those in `back` go to the tail of the queue they name, the rest of `delivered` is gone.

        A message that was purged meanwhile stays purged.
        """
        self._db.executemany(
            """
            insert into messages (id, queue, body, content_type, size, sent_at, visible_at, failures)
            select id, ?, body, content_type, size, sent_at, ?, ? from messages where sequence = ?
            """,
            [(each.queue, from_time(each.visible_at), each.failures, each.sequence) for each in back],
        )
        self._db.execute(
            "delete from messages where sequence in (select value from json_each(?))",
            (_list([each.sequence for each in delivered]),),
        )

    @read
    def counts(self) -> dict[str, int]:
        """Each queue with the number of its messages, delayed ones and those being delivered included."""
        return dict(self._db.execute("select name, count from queues order by name"))

    @read
    def peek(self, queue: str, *, limit: int) -> tuple[Message, ...]:
        """The messages at the head, delayed ones and those being delivered included."""
        rows = self._db.execute(
            f"select {COLUMNS} from messages where queue = ? order by visible_at, sequence limit ?", (queue, limit)
        )
        return tuple(map(message_of, rows))

    def purge(self, queue: str) -> int:
        """Forget all messages of a queue; how many there were."""
        return self._db.execute("delete from messages where queue = ?", (queue,)).rowcount

    def drop(self, queue: str, sequences: Sequence[int]) -> set[int]:
        """Forget some messages of a queue; those that there were."""
        rows = self._db.execute(
            "delete from messages where queue = ? and sequence in (select value from json_each(?)) returning sequence",
            (queue, _list(sequences)),
        )
        return {sequence for (sequence,) in rows}

    def forget(self, queue: str) -> None:
        """Forget a queue: its messages, and that there was one."""
        self.purge(queue)
        self._db.execute("delete from queues where name = ?", (queue,))

    def set_paused(self, queue: str, paused: bool) -> None:
        """A paused queue keeps what comes and delivers nothing."""
        self._db.execute(
            "insert into queues (name, paused) values (?, ?) on conflict (name) do update set paused = excluded.paused",
            (queue, paused),
        )

    @read
    def paused(self) -> set[str]:
        """The queues that deliver nothing."""
        return {name for (name,) in self._db.execute("select name from queues where paused")}


def _list(sequences: Sequence[int]) -> str:
    return json.dumps(sequences)


def message_of(row: Sequence[Any]) -> Message:
    """A row of these columns."""
    return Message(
        sequence=row[0],
        id=row[1],
        queue=row[2],
        body=row[3],
        content_type=row[4],
        sent_at=to_known_time(row[5]),
        visible_at=to_known_time(row[6]),
        failures=row[7],
    )
