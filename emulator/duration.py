"""Durations as users write them: 300 (milliseconds), "5 minutes" or a timedelta, and back into short words. Pure."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Any

from emulator.errors import DurationError

_MILLISECOND = timedelta(milliseconds=1)

_UNITS = {
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
    "month": 2_592_000_000,
    "year": 31_557_600_000,
}

# What people write elsewhere; the platform takes some of these for milliseconds without a word.
_ABBREVIATIONS = {
    **dict.fromkeys(("s", "sec"), "second"),
    **dict.fromkeys(("m", "min"), "minute"),
    **dict.fromkeys(("h", "hr"), "hour"),
    "d": "day",
    **dict.fromkeys(("w", "wk"), "week"),
    **dict.fromkeys(("mo", "mon"), "month"),
    **dict.fromkeys(("y", "yr"), "year"),
}

_EXACT = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}

_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_TEXT = re.compile(rf"({_NUMBER})( *)([a-z]*)", re.ASCII | re.IGNORECASE)
_HOW = 'a duration is a number of milliseconds or text such as "5 minutes"'


def parse(value: Any) -> timedelta:
    """Read a duration: a number is milliseconds, text is one number and one unit, such as "1.5 hours"."""
    if isinstance(value, timedelta):
        return _checked(value, value)
    if isinstance(value, str):
        return _parse_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_milliseconds(value, value)
    raise DurationError(f"{_HOW}, got {_cut(repr(value))}")


def milliseconds(duration: timedelta) -> int:
    """Whole milliseconds."""
    return duration // _MILLISECOND


def words(duration: timedelta) -> str:
    """Short words for the terminal: "200 ms", "1.5 s", "1 min 5 s", "3 days"."""
    whole = milliseconds(duration)
    if whole < 1_000:
        return f"{whole} ms"
    if whole < 60_000:
        return f"{whole // 100 / 10:g} s"
    minutes, seconds = divmod(whole // 1_000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day = "day" if days == 1 else "days"
    return _two_largest([(days, day), (hours, "h"), (minutes, "min"), (seconds, "s")])


def exact(duration: timedelta) -> str:
    """Text that `parse` reads, to the second: "30 days", "36 hours", "90 seconds"."""
    seconds = round(duration.total_seconds())
    size, unit = next((size, unit) for unit, size in _EXACT.items() if seconds % size == 0)
    return f"{seconds // size} {unit}{'' if seconds == size else 's'}"


def _two_largest(amounts: list[tuple[int, str]]) -> str:
    """The largest unit and the one below it, each left out when it is zero."""
    first = next(place for place, (amount, _) in enumerate(amounts) if amount)
    return " ".join(f"{amount} {unit}" for amount, unit in amounts[first : first + 2] if amount)


def _parse_text(text: str) -> timedelta:
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise DurationError(f"{_HOW}, one number and one unit; got {_shown(text)}")
    number, blanks, word = match.groups()
    unit = word.lower().removesuffix("s") or word.lower()
    if unit not in _UNITS or not blanks:
        raise DurationError(f"cannot read the duration {_shown(text)}{_advice(_cut(number), _cut(word), unit)}")
    return _from_milliseconds(float(number) * _UNITS[unit], text)


def _advice(number: str, word: str, unit: str) -> str:
    """What was probably meant by a text without a blank or without a known unit."""
    if unit in ("", "m") and word.lower() != "m":
        return f"; for milliseconds write the number {number}, not text"
    meant = _ABBREVIATIONS.get(unit, unit)
    if meant in _UNITS:
        return f'; write "{number} {meant}s"'
    return f': unknown unit "{word}"; the units are {", ".join(_UNITS)}'


def _from_milliseconds(number: float, given: Any) -> timedelta:
    try:
        if not math.isfinite(number):
            raise DurationError(f"{_HOW}; {_shown(given)} is not finite")
        return _checked(timedelta(milliseconds=number), given)
    except OverflowError as error:
        raise DurationError(f"the duration {_shown(given)} is too long") from error


def _checked(duration: timedelta, given: Any) -> timedelta:
    if duration < timedelta():
        raise DurationError(f"a duration is not negative, got {_shown(given)}")
    return duration


def _shown(given: Any) -> str:
    return f'"{_cut(given)}"' if isinstance(given, str) else _cut(str(given))


def _cut(text: str) -> str:
    """Enough of a text to know it again."""
    return text if len(text) <= 60 else f"{text[:60]}…"
