"""
Which Python values may cross between the worker and the platform, and their wire form. Pure.

The wire form is JSON text; what JSON lacks is written `{"$": kind, "v": …}`: bytes, dates, sets, errors, big and odd
numbers, and dicts that use the key `$` themselves.
"""

from __future__ import annotations

import base64
import inspect
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

LARGEST = 1 << 20
"""Bytes a step's result, a payload or a message's value may have: 1 MiB, as on the platform."""
LARGEST_OUTPUT = 2 * LARGEST
"""Bytes that what `run` returns may have."""

_LARGEST_PLAIN = 2**53 - 1
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the platform hands out naive UTC datetimes
# Kept here: a worker that puts something else into the module `json` changes its own calls only.
_write = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_read, _quote = json.loads, json.dumps


class RemoteError(Exception):
    """An exception that crossed as a value: its class name and its text."""


@dataclass(frozen=True)
class Crossing:
    """Something that only workers can pass to each other: what kind it is, and what the other side makes it of."""

    kind: str
    form: Any


def encode(value: object, *, lenient: bool = False) -> str:
    """
    The wire form. Raises TypeError for what cannot cross.

    Lenient is for step results: there tuples and bytearrays are taken as lists and bytes.
    """
    try:
        return _write(_form(value, lenient))
    except RecursionError:
        raise TypeError("a value that contains itself, or is nested too deeply, cannot be sent over RPC.") from None


def _unknown(kind: str, found: Any) -> Any:
    raise ValueError(f'no value has the wire form "{kind}"')


def decode(
    text: str | bytes,
    *,
    mapping: Callable[[dict[str, Any]], Any] = dict,
    naive: bool = True,
    crossing: Callable[[str, Any], Any] = _unknown,
) -> Any:
    """
    The value of a wire form. `mapping` makes the dicts, `crossing` what a `Crossing` stands for; dates are naive UTC
    as on the platform, or aware.
    """

    def revive(found: dict[str, Any]) -> Any:
        return _revive(found["$"], found["v"], mapping, naive, crossing) if "$" in found else mapping(found)

    return _read(text, object_hook=revive)


def shown(text: str | None) -> Any:
    """The value as the platform shows it in a status: what JSON makes of it."""
    return None if text is None else _read_shown(text)


def is_too_large(text: bytes, limit: int = LARGEST) -> bool:
    """Whether a value in wire form is over the limit; what base64 and escapes add does not count against it."""
    if len(text) <= limit:
        return False
    # A letter is written with three times the bytes it has at most.
    return len(text) > 3 * limit or len(text) - _padding(_read(text)) > limit


def _padding(form: Any) -> int:
    match form:
        case {"$": "bytes", "v": str(text)}:
            return len(text) - len(text) * 3 // 4 + text.count("=") + len('{"$":"bytes","v":""}')
        case dict():
            return sum(_padding(key) + _padding(item) for key, item in form.items())
        case list():
            return sum(map(_padding, form))
        case str() if not form.isascii():
            return len(_quote(form)) - len(_quote(form, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        case _:
            return 0


def _form(value: Any, lenient: bool) -> Any:
    match value:
        case None | bool() | str():
            # Subclasses (enums, say) cross as the plain value they are.
            return str.__str__(value) if isinstance(value, str) else value
        case int():
            return int(value) if abs(value) <= _LARGEST_PLAIN else {"$": "int", "v": str(int(value))}
        case float():
            return float(value) if math.isfinite(value) else {"$": "number", "v": repr(float(value))}
        case dict():
            return _dict_form(value, lenient)
        case list():
            return [_form(item, lenient) for item in value]
        case bytes() | memoryview():
            return {"$": "bytes", "v": base64.b64encode(value).decode()}
        case datetime() | date():
            return {"$": "date", "v": _to_milliseconds(value)}
        case set() | frozenset():
            return {"$": "set", "v": [_form(item, lenient) for item in value]}
        case BaseException():
            return {"$": "error", "v": [type(value).__name__, str(value)]}
        case tuple() if lenient:
            return [_form(item, lenient) for item in value]
        case bytearray() if lenient:
            return _form(bytes(value), lenient)
        case _:
            return _foreign_form(value, lenient)


def _dict_form(value: dict[Any, Any], lenient: bool) -> Any:
    plain = {_key(key): _form(item, lenient) for key, item in value.items()}
    return {"$": "dict", "v": list(plain.items())} if "$" in plain else plain


def _key(key: object) -> str:
    if isinstance(key, bool) or key is None:
        return _quote(key)
    return str(key)


def _foreign_form(value: Any, lenient: bool) -> Any:
    if isinstance(value, Crossing):
        return {"$": value.kind, "v": _form(value.form, lenient)}
    name = type(value).__name__
    if inspect.isawaitable(value):
        raise TypeError(f"Awaitable {name} cannot be sent over RPC.")
    if isinstance(value, re.Pattern):
        raise TypeError("RegExp cannot be sent over RPC.")
    to_py = getattr(value, "to_py", None)
    if callable(to_py):
        converted = to_py()
        if converted is not value:
            return _form(converted, lenient)
    raise TypeError(f"{name} cannot be sent over RPC.")


def _to_milliseconds(value: date) -> int:
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return (value - _EPOCH) // timedelta(milliseconds=1)


def _revive(
    kind: str,
    found: Any,
    mapping: Callable[[dict[str, Any]], Any],
    naive: bool,
    crossing: Callable[[str, Any], Any],
) -> Any:
    match kind:
        case "bytes":
            return memoryview(base64.b64decode(found))
        case "date":
            when = _EPOCH + timedelta(milliseconds=found)
            return when if naive else when.replace(tzinfo=UTC)
        case "set":
            return set(found)
        case "int":
            return int(found)
        case "number":
            return float(found)
        case "error":
            return RemoteError(": ".join(found))
        case "dict":
            return mapping(dict(found))
        case _:
            return crossing(kind, found)


def _show(found: dict[str, Any]) -> Any:
    if "$" not in found:
        return found
    kind, value = found["$"], found["v"]
    match kind:
        case "bytes":
            return f"[Uint8Array({len(base64.b64decode(value))} bytes)]"
        case "date":
            return (_EPOCH + timedelta(milliseconds=value)).isoformat(timespec="milliseconds") + "Z"
        case "set" | "error":
            return {}
        case "int":
            return int(value)
        case "dict":
            return dict(value)
        case "stream":
            return value
        case _:
            return None


_read_shown = json.JSONDecoder(object_hook=_show).decode
