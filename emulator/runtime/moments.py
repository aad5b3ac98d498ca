"""Durations and moments as worker code gives them, as the engine reads them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def told_duration(duration: Any) -> Any:
    """A timedelta as milliseconds; numbers and text as they are, for the engine to read."""
    if isinstance(duration, timedelta):
        return duration / timedelta(milliseconds=1)
    return _told(duration, 'a number of milliseconds, text such as "5 minutes" or a timedelta')


def told_moment(moment: Any) -> Any:
    """A datetime (naive is UTC) as milliseconds since 1970; a number as it is."""
    if isinstance(moment, datetime):
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return (aware - _EPOCH) / timedelta(milliseconds=1)
    return _told(moment, "a datetime or milliseconds since 1970")


def _told(value: Any, expected: str) -> Any:
    """Raises TypeError for what is neither this nor anything the engine has words for."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"expected {expected}, got {type(value).__name__}")
