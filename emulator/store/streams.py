"""The bytes of step results that are streams, in blocks."""

from __future__ import annotations

import sqlite3


class Streams:
    """The table of streamed results, each known by its step's place in the order. Writes belong in a transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, instance: int, order: int, number: int, block: bytes) -> None:
        """Keep a block; the blocks of a stream are numbered from 0."""
        self._db.execute(
            'insert or replace into blocks (instance, "order", number, bytes) values (?, ?, ?, ?)',
            (instance, order, number, block),
        )

    def get(self, instance: int, order: int, number: int) -> bytes | None:
        row = self._db.execute(
            'select bytes from blocks where instance = ? and "order" = ? and number = ?', (instance, order, number)
        ).fetchone()
        return row[0] if row else None

    def size(self, instance: int, order: int | None = None) -> int:
        """Bytes kept of one stream, or of all streams of the instance."""
        (size,) = self._db.execute(
            'select coalesce(sum(length(bytes)), 0) from blocks where instance = ? and (? is null or "order" = ?)',
            (instance, order, order),
        ).fetchone()
        return int(size)

    def forget(self, instance: int, order: int) -> None:
        """Drop what a stream has so far."""
        self._db.execute('delete from blocks where instance = ? and "order" = ?', (instance, order))
