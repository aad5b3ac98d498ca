"""Which days of a month a day field means: plain numbers, weekdays, and the forms with L, W and #. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

SUNDAY, SATURDAY = 1, 7

# Their years begin on each weekday, with and without a leap day: what never comes in them never comes.
_ALL_CALENDARS = range(2000, 2028)
_NO_LEAP_YEAR = 2001


@dataclass(frozen=True)
class Days:
    """Days of the month by number; those a month does not have are left out."""

    numbers: frozenset[int]

    def in_month(self, year: int, month: int) -> list[int]:
        return [day for day in sorted(self.numbers) if day <= length(year, month)]


@dataclass(frozen=True)
class FromEnd:
    """`L` and `L-n`: the last day, or so many days before it."""

    before: int

    def in_month(self, year: int, month: int) -> list[int]:
        day = length(year, month) - self.before
        return [day] if day >= 1 else []


@dataclass(frozen=True)
class NearestWorkday:
    """`nW`, `LW` and `L-nW`: Monday to Friday nearest to a day, in the same month."""

    target: Days | FromEnd

    def in_month(self, year: int, month: int) -> list[int]:
        return [_nearest_workday(year, month, day) for day in self.target.in_month(year, month)]


@dataclass(frozen=True)
class Weekdays:
    """Days of the week by number, 1 = Sunday to 7 = Saturday."""

    numbers: frozenset[int]

    def in_month(self, year: int, month: int) -> list[int]:
        return [day for day in _all_days(year, month) if weekday(year, month, day) in self.numbers]


@dataclass(frozen=True)
class LastWeekday:
    """`dL`: the last such weekday of the month."""

    number: int

    def in_month(self, year: int, month: int) -> list[int]:
        return _such_weekdays(year, month, self.number)[-1:]


@dataclass(frozen=True)
class NthWeekday:
    """`d#k`: the first to fifth such weekday of the month, if it has that many."""

    number: int
    nth: int

    def in_month(self, year: int, month: int) -> list[int]:
        return _such_weekdays(year, month, self.number)[self.nth - 1 : self.nth]


DayRule = Days | FromEnd | NearestWorkday | Weekdays | LastWeekday | NthWeekday


def happens(rule: DayRule, months: Iterable[int]) -> bool:
    """Whether any of these months ever has such a day."""
    return any(rule.in_month(year, month) for month in months for year in _ALL_CALENDARS)


def happens_each_year(rule: DayRule, months: Iterable[int]) -> bool:
    """Whether these months have such a day in a year without a leap day too."""
    return any(rule.in_month(_NO_LEAP_YEAR, month) for month in months)


def weekday(year: int, month: int, day: int) -> int:
    """The platform's number of a date's weekday, 1 = Sunday to 7 = Saturday."""
    return date(year, month, day).isoweekday() % 7 + 1


def length(year: int, month: int) -> int:
    """How many days a month has."""
    return monthrange(year, month)[1]


def _nearest_workday(year: int, month: int, day: int) -> int:
    match weekday(year, month, day):
        case 7:
            return day - 1 if day > 1 else day + 2
        case 1:
            return day + 1 if day < length(year, month) else day - 2
        case _:
            return day


def _such_weekdays(year: int, month: int, number: int) -> list[int]:
    return [day for day in _all_days(year, month) if weekday(year, month, day) == number]


def _all_days(year: int, month: int) -> range:
    return range(1, length(year, month) + 1)
