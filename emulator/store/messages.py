"""Queued messages: kept until they are acked, moved to a dead letter queue, or given up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from emulator.models import Message
from emulator.store.columns import from_time, to_known_time

_MESSAGE = "sequence, id, queue, body, content_type, sent_at, visible_at, failures"


class Messages:
    """The table of the queue broker. Every write belongs inside `store.transaction()`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, queue: str, id: str, *, body: str, content_type: str, sent_at: datetime, visible_at: datetime) -> None:
        """Put a message at the tail."""
        self._db.execute(
            "insert into messages (id, queue, body, content_type, sent_at, visible_at) values (?, ?, ?, ?, ?, ?)",
            (id, queue, body, content_type, from_time(sent_at), from_time(visible_at)),
        )
