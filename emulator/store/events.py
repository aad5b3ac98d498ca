"""Events that were sent to instances and that no wait has taken yet."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from emulator.models import Event
from emulator.store.columns import from_time, to_known_time
from emulator.store.reads import read


class Events:
    """The table of buffered events. Every write belongs inside `store.transaction()`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, key: int, type: str, *, payload: str, at: datetime) -> None:
        self._db.execute(
            "insert into events (instance, type, payload, sent_at) values (?, ?, ?, ?)",
            (key, type, payload, from_time(at)),
        )

    @read
    def oldest(self, key: int, type: str) -> Event | None:
        row = self._db.execute(
            "select sequence, type, payload, sent_at from events"
            " where instance = ? and type = ? order by sequence limit 1",
            (key, type),
        ).fetchone()
        return Event(sequence=row[0], type=row[1], payload=row[2], sent_at=to_known_time(row[3])) if row else None

    def forget(self, sequence: int) -> None:
        self._db.execute("delete from events where sequence = ?", (sequence,))

    def forget_all(self, key: int) -> None:
        self._db.execute("delete from events where instance = ?", (key,))
