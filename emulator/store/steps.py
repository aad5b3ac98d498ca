"""The steps of instances, and every attempt of each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from emulator.models import Attempt, Failure, Step, StepKind, StepState
from emulator.store.columns import from_failure, from_time, to_failure, to_known_time, to_time
from emulator.store.reads import read

_STEP = (
    'instance, kind, name, count, "order", state, config, attempts, started_at, ended_at, wake_at, event_type, result,'
    " error"
)
_PLACES = ", ".join("?" * len(_STEP.split(",")))


class Steps:
    """The tables of steps and attempts. Every write belongs inside `store.transaction()`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @read
    def of(self, key: int) -> list[Step]:
        """In the order in which they started."""
        rows = self._db.execute(f'select {_STEP} from steps where instance = ? order by "order"', (key,))
        return [_step(row) for row in rows]

    def put(self, step: Step) -> None:
        """Write a step, new or changed."""
        self._db.execute(
            f"insert or replace into steps ({_STEP}) values ({_PLACES})",
            (
                step.instance,
                step.kind,
                step.name,
                step.count,
                step.order,
                step.state,
                step.config,
                step.attempts,
                from_time(step.started_at),
                from_time(step.ended_at),
                from_time(step.wake_at),
                step.event_type,
                step.result,
                from_failure(step.error),
            ),
        )

    def forget(self, key: int, orders: Iterable[int] | None = None) -> None:
        """Forget an instance's steps with their attempts and streams: all, or those at these places in the order."""
        places = None if orders is None else [(key, order) for order in orders]
        for table in ("steps", "attempts", "blocks"):
            if places is None:
                self._db.execute(f"delete from {table} where instance = ?", (key,))
            else:
                self._db.executemany(f'delete from {table} where instance = ? and "order" = ?', places)
        if places is not None:
            self.forget_attempts_after(key, max((step.order for step in self.of(key)), default=0))

    def shift_wakes(self, key: int, microseconds: int) -> None:
        """Make every pending timer of the instance's steps that much later."""
        self._db.execute(
            "update steps set wake_at = wake_at + ? where instance = ? and wake_at is not null and ended_at is null",
            (microseconds, key),
        )

    @read
    def last_attempt_order(self, key: int) -> int:
        """The last place in an instance's order that has an attempt; 0 for none."""
        row = self._db.execute('select max("order") from attempts where instance = ?', (key,)).fetchone()
        return row[0] or 0

    def forget_attempts_after(self, key: int, order: int) -> None:
        """Forget the attempts at later places of an instance's order, where there is no step yet."""
        self._db.execute('delete from attempts where instance = ? and "order" > ?', (key, order))

    @read
    def attempts(self, key: int) -> list[Attempt]:
        rows = self._db.execute(
            """
            select instance, "order", attempt, started_at, ended_at, error from attempts
            where instance = ? order by "order", attempt
            """,
            (key,),
        )
        return [
            Attempt(
                instance=row[0],
                order=row[1],
                attempt=row[2],
                started_at=to_known_time(row[3]),
                ended_at=to_time(row[4]),
                error=to_failure(row[5]),
            )
            for row in rows
        ]

    def put_attempt(self, attempt: Attempt) -> None:
        """An attempt begins."""
        self._db.execute(
            'insert or replace into attempts (instance, "order", attempt, started_at) values (?, ?, ?, ?)',
            (attempt.instance, attempt.order, attempt.attempt, from_time(attempt.started_at)),
        )

    def end_attempt(
        self, step: Step, *, at: datetime, error: Failure | None = None, started_at: datetime | None = None
    ) -> None:
        """A step's latest attempt is over; `started_at` where that was not known before."""
        self._db.execute(
            """
            update attempts set ended_at = ?, error = ?, started_at = coalesce(?, started_at)
            where instance = ? and "order" = ? and attempt = ?
            """,
            (from_time(at), from_failure(error), from_time(started_at), step.instance, step.order, step.attempts),
        )

    def end_open_attempts(self, key: int, *, at: datetime, error: Failure) -> None:
        """Whatever was under way when the instance ended has ended with it."""
        self._db.execute(
            "update attempts set ended_at = ?, error = ? where instance = ? and ended_at is null",
            (from_time(at), from_failure(error), key),
        )


def _step(row: Sequence[Any]) -> Step:
    return Step(
        instance=row[0],
        kind=StepKind(row[1]),
        name=row[2],
        count=row[3],
        order=row[4],
        state=StepState(row[5]),
        config=row[6],
        attempts=row[7],
        started_at=to_known_time(row[8]),
        ended_at=to_time(row[9]),
        wake_at=to_time(row[10]),
        event_type=row[11],
        result=row[12],
        error=to_failure(row[13]),
    )
