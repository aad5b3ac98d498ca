"""How times and errors are written in a column, and read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from emulator.models import Failure

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_time(when: datetime | None) -> int | None:
    return None if when is None else (when - _EPOCH) // _MICROSECOND


def to_time(column: int | None) -> datetime | None:
    return None if column is None else _EPOCH + timedelta(microseconds=column)


def from_duration(duration: timedelta | None) -> int | None:
    return None if duration is None else duration // _MICROSECOND


def to_duration(column: int | None) -> timedelta | None:
    return None if column is None else timedelta(microseconds=column)


def to_known_duration(column: int) -> timedelta:
    return timedelta(microseconds=column)


def to_known_time(column: int) -> datetime:
    return _EPOCH + timedelta(microseconds=column)


def from_failure(error: Failure | None) -> str | None:
    return None if error is None else json.dumps([error.name, error.message, error.trace, error.type])


def to_failure(column: str | None) -> Failure | None:
    if column is None:
        return None
    name, message, trace, kind = json.loads(column)
    return Failure(name=name, message=message, trace=trace, type=kind)
