"""Pages of lists as the platform's clients walk them: by number, or by a cursor that names the last item. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from emulator.api.envelope import BODY, ApiError

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST = 2**62


def cut(items: Sequence[T], page: int, per_page: int) -> Sequence[T]:
    """The items of a page; those of a page after the last are none."""
    return items[(page - 1) * per_page : page * per_page]


def info(*, page: int, per_page: int, count: int, total: int, cursor: str | None = None) -> dict[str, Any]:
    """The `result_info` of a list. On the last page there is no cursor."""
    told = {
        "page": page,
        "per_page": per_page,
        "count": count,
        "total_count": total,
        "total_pages": max(1, -(-total // per_page)),
    }
    return told if cursor is None else {**told, "cursor": cursor}


def cursor_of(created_at: datetime, key: int) -> str:
    """An opaque name of a place in a list."""
    place = f"{(created_at - _EPOCH) // _MICROSECOND}.{key}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[datetime, int]:
    """The place that a cursor names. Raises ApiError for what is none of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        microseconds, key = map(int, text.split("."))
        if not 0 <= key < _LARGEST:
            raise ValueError(key)
        return _EPOCH + timedelta(microseconds=microseconds), key
    except (ValueError, binascii.Error, OverflowError) as error:
        raise ApiError(BODY, "cursor: is none that a list gave out; begin without one") from error


def moment(query: Mapping[str, Any], name: str) -> datetime | None:
    """A time in a query. Raises ApiError for what is none."""
    text = query.get(name)
    return None if text is None else instant(text, name)


def until(query: Mapping[str, Any], name: str) -> datetime | None:
    """The end of the millisecond that a query names: what is shown with that time belongs to it."""
    found = moment(query, name)
    return None if found is None else found.replace(microsecond=found.microsecond // 1000 * 1000 + 999)


def instant(text: str, name: str) -> datetime:
    """A time as clients write it, in UTC if it does not say. Raises ApiError for what is none."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ApiError(BODY, f"{name}: a time looks like 2030-01-31T12:00:00Z, got {text[:80]!r}") from error
