"""Workflow instances, from create to their end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from emulator.models import Failure, Instance, Status, Trigger
from emulator.store.columns import (
    from_duration,
    from_failure,
    from_time,
    to_duration,
    to_failure,
    to_known_time,
    to_time,
)
from emulator.store.listing import Listing
from emulator.store.reads import read

_INSTANCE = (
    'key, workflow, id, status, params, epoch, "trigger", schedule, created_at, modified_at, started_at, ended_at,'
    " wake_at, paused_at, hold_reason, ending, success_retention, error_retention, expires_at, output, error"
)
_WITHOUT_VALUES = _INSTANCE.replace(" params,", " '{}',").replace(" output,", " null,")
_OF_A_RUN = ("started_at", "ended_at", "wake_at", "paused_at", "hold_reason", "ending", "expires_at", "output", "error")
_ACTIVE = (Status.QUEUED, Status.RUNNING, Status.WAITING_FOR_PAUSE)


class Superseded(Exception):
    """A run that is no longer the instance's current one wanted to write; what it wrote was refused."""


class Instances:
    """The tables of the workflow engine. Every write belongs inside `store.transaction()`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(
        self,
        workflow: str,
        id: str,
        *,
        params: str,
        trigger: Trigger,
        at: datetime,
        schedule: str | None = None,
        success_retention: timedelta | None = None,
        error_retention: timedelta | None = None,
    ) -> Instance | None:
        """A new queued instance, or None where the id is taken."""
        now = from_time(at)
        row = self._db.execute(
            f"""
            insert into instances (
                workflow, id, status, params, "trigger", schedule, created_at, modified_at, success_retention,
                error_retention
            )
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            on conflict do nothing
            returning {_INSTANCE}
            """,
            (
                workflow,
                id,
                Status.QUEUED,
                params,
                trigger,
                schedule,
                now,
                now,
                from_duration(success_retention),
                from_duration(error_retention),
            ),
        ).fetchone()
        return _instance(row) if row else None

    @read
    def get(self, workflow: str, id: str) -> Instance | None:
        row = self._db.execute(
            f"select {_INSTANCE} from instances where workflow = ? and id = ?", (workflow, id)
        ).fetchone()
        return _instance(row) if row else None

    @read
    def to_run(self, workflows: Sequence[str], at: datetime) -> list[Instance]:
        """All that have not ended, are not paused and are not asleep, oldest first."""
        rows = self._db.execute(
            f"""
            select {_INSTANCE} from instances
            where workflow in ({_marks(workflows)})
            and (status in ({_marks(_ACTIVE)}) or status = ? and (wake_at is null or wake_at <= ?))
            order by key
            """,
            (*workflows, *_ACTIVE, Status.WAITING, from_time(at)),
        )
        return [_instance(row) for row in rows]

    @read
    def count_unfinished(self) -> int:
        """All that have not ended, the paused ones left out."""
        statuses = (*_ACTIVE, Status.WAITING)
        row = self._db.execute(
            f"select count(*) from instances where status in ({_marks(statuses)})", statuses
        ).fetchone()
        return int(row[0])

    @read
    def queued(self, workflows: Sequence[str], limit: int) -> list[Instance]:
        """Those that have waited longest for their turn."""
        rows = self._db.execute(
            f"""
            select {_INSTANCE} from instances
            where status = ? and workflow in ({_marks(workflows)})
            order by key
            limit ?
            """,
            (Status.QUEUED, *workflows, limit),
        )
        return [_instance(row) for row in rows]

    @read
    def next_timer(self) -> datetime | None:
        """When the first instance that nobody runs is due, or the first that has ended is to be forgotten."""
        wake = self._db.execute("select min(wake_at) from instances where status = ?", (Status.WAITING,)).fetchone()
        expiry = self._db.execute("select min(expires_at) from instances where expires_at is not null").fetchone()
        return min((to_known_time(each) for each in (*wake, *expiry) if each is not None), default=None)

    @read
    def expired(self, at: datetime) -> list[Instance]:
        """Those that have been kept long enough."""
        rows = self._db.execute(f"select {_INSTANCE} from instances where expires_at <= ?", (from_time(at),))
        return [_instance(row) for row in rows]

    @read
    def due(self, at: datetime) -> list[Instance]:
        """Instances that nobody runs and whose time has come, in the order of their time."""
        rows = self._db.execute(
            f"select {_INSTANCE} from instances where status = ? and wake_at <= ? order by wake_at, key",
            (Status.WAITING, from_time(at)),
        )
        return [_instance(row) for row in rows]

    @read
    def count_by_status(self, workflow: str) -> dict[Status, int]:
        rows = self._db.execute(
            "select status, count(*) from instances where workflow = ? group by status", (workflow,)
        )
        return {Status(status): count for status, count in rows}

    @read
    def listed(self, listing: Listing) -> list[Instance]:
        """A part of a workflow's instances, without their params and outputs, which may be large."""
        where, values = listing.where()
        rows = self._db.execute(
            f"select {_WITHOUT_VALUES} from instances where {where} order by {listing.order} limit ? offset ?",
            (*values, listing.limit, listing.offset),
        )
        return [_instance(row) for row in rows]

    @read
    def count(self, listing: Listing) -> int:
        """How many there are on all pages of a list."""
        where, values = listing.where(paged=False)
        (count,) = self._db.execute(f"select count(*) from instances where {where}", values).fetchone()
        return int(count)

    @read
    def last_created(self, workflow: str) -> datetime | None:
        """When the newest instance of a workflow was created."""
        row = self._db.execute("select max(created_at) from instances where workflow = ?", (workflow,)).fetchone()
        return to_time(row[0])

    def change(
        self,
        key: int,
        *,
        epoch: int | None = None,
        at: datetime,
        status: Status | None = None,
        **columns: Any,
    ) -> None:
        """
        Change an instance's columns. With an epoch, only if that is still the current one; raises Superseded otherwise.
        """
        values = {"modified_at": at, **({"status": status} if status else {}), **columns}
        cursor = self._db.execute(
            f"update instances set {', '.join(f'{name} = ?' for name in values)}"
            " where key = ? and (? is null or epoch = ?)",
            (*map(_column, values.values()), key, epoch, epoch),
        )
        if cursor.rowcount == 0:
            raise Superseded

    def claim(self, key: int, *, at: datetime) -> Instance:
        """Begin a new run: raise the epoch, so that whatever an older run still writes is refused."""
        now = from_time(at)
        row = self._db.execute(
            f"""
            update instances
            set epoch = epoch + 1, status = ?, wake_at = null, modified_at = ?, started_at = coalesce(started_at, ?)
            where key = ?
            returning {_INSTANCE}
            """,
            (Status.RUNNING, now, now, key),
        ).fetchone()
        if row is None:
            raise Superseded
        return _instance(row)

    def reset(self, key: int, *, at: datetime) -> None:
        """As it was before its first run."""
        self.change(key, at=at, status=Status.QUEUED, **dict.fromkeys(_OF_A_RUN))

    def delete(self, key: int) -> None:
        self._db.execute("delete from instances where key = ?", (key,))


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _column(value: Any) -> Any:
    match value:
        case datetime():
            return from_time(value)
        case Failure():
            return from_failure(value)
        case _:
            return value


def _instance(row: Sequence[Any]) -> Instance:
    return Instance(
        key=row[0],
        workflow=row[1],
        id=row[2],
        status=Status(row[3]),
        params=row[4],
        epoch=row[5],
        trigger=Trigger(row[6]),
        schedule=row[7],
        created_at=to_known_time(row[8]),
        modified_at=to_known_time(row[9]),
        started_at=to_time(row[10]),
        ended_at=to_time(row[11]),
        wake_at=to_time(row[12]),
        paused_at=to_time(row[13]),
        hold_reason=row[14],
        ending=Status(row[15]) if row[15] else None,
        success_retention=to_duration(row[16]),
        error_retention=to_duration(row[17]),
        expires_at=to_time(row[18]),
        output=row[19],
        error=to_failure(row[20]),
    )
