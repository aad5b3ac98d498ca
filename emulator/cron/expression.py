"""A cron expression of the platform, read into explicit numbers, or refused by the name of the bad field. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from emulator.cron.days import SATURDAY, DayRule, Days, FromEnd, LastWeekday, NearestWorkday, NthWeekday, Weekdays
from emulator.cron.fields import DAY, FIELDS, HOUR, MINUTE, MONTH, WEEKDAY, Field
from emulator.errors import CronError

T = TypeVar("T")

_FROM_END = re.compile(r"L(?:-([0-9]+))?(W?)", re.ASCII)
_NEAREST = re.compile(r"([0-9]+)W", re.ASCII)
_LAST_WEEKDAY = re.compile(r"([0-9A-Za-z]+)L", re.ASCII)
_NTH_WEEKDAY = re.compile(r"([0-9A-Za-z]+)#([0-9]+)", re.ASCII)

_BEFORE_LAST = Field("days before the last", 1, 30)
_NTH = Field("the number after #", 1, 5)

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * SUN",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True)
class Cron:
    """
    When a cron fires, UTC. Two are equal when the platform takes them for the same.

    A day field is None for the literal `*`; if both are given, a day need only be in one of them.
    """

    expression: str = field(compare=False)
    minutes: frozenset[int]
    hours: frozenset[int]
    days: DayRule | None
    months: frozenset[int]
    weekdays: DayRule | None

    @property
    def texts(self) -> list[tuple[Field, str]]:
        """The fields as they were written."""
        return list(zip(FIELDS, self.expression.split(), strict=True))


def parse(expression: str) -> Cron:
    """Read an expression; a CronError names the field that the platform would refuse."""
    minute, hour, day, month, weekday = _split(expression)
    return Cron(
        expression=expression,
        minutes=_read(expression, MINUTE, MINUTE.numbers, minute),
        hours=_read(expression, HOUR, HOUR.numbers, hour),
        days=_read(expression, DAY, _days, day),
        months=_read(expression, MONTH, MONTH.numbers, month),
        weekdays=_read(expression, WEEKDAY, _weekdays, weekday),
    )


def _split(expression: str) -> list[str]:
    texts = re.split(r"[ \t]+", expression)
    if len(texts) == len(FIELDS) and all(texts):
        return texts
    raise CronError(expression, "expression", _why_not_five(expression, len(texts)))


def _why_not_five(expression: str, count: int) -> str:
    fields = ", ".join(each.name for each in FIELDS)
    if not expression.strip():
        return f"it is empty, expected five fields: {fields}"
    if expression != expression.strip(" \t"):
        return "there is a blank before or behind it; take it away"
    if expression.startswith("@"):
        instead = _NICKNAMES.get(expression.lower())
        return "there are no nicknames here" + (f'; write "{instead}"' if instead else "")
    seconds = "; there are no seconds and no years" if count > len(FIELDS) else ""
    return f"expected five fields ({fields}), got {count}{seconds}"


def _read(expression: str, place: Field, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        raise CronError(expression, place.name, str(error)) from error


def _days(text: str) -> DayRule | None:
    if text == "*":
        return None
    if match := _FROM_END.fullmatch(text):
        before, workday = match.groups()
        from_end = FromEnd(0 if before is None else _BEFORE_LAST.number(before))
        return NearestWorkday(from_end) if workday else from_end
    if match := _NEAREST.fullmatch(text):
        return NearestWorkday(Days(frozenset({DAY.number(match[1])})))
    return Days(DAY.numbers(text))


def _weekdays(text: str) -> DayRule | None:
    if text == "*":
        return None
    if text == "L":
        return Weekdays(frozenset({SATURDAY}))
    if match := _LAST_WEEKDAY.fullmatch(text):
        return LastWeekday(WEEKDAY.number(match[1]))
    if match := _NTH_WEEKDAY.fullmatch(text):
        return NthWeekday(WEEKDAY.number(match[1]), _NTH.number(match[2]))
    return Weekdays(WEEKDAY.numbers(text))
