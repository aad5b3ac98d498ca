"""The times of a cron, UTC: APScheduler computes, with one trigger of our own for the forms with L, W and #."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from emulator.cron.days import DayRule, Days, Weekdays, happens
from emulator.cron.expression import Cron
from emulator.cron.fields import DAY, HOUR, MINUTE, MONTH, Field

_MINUTE = timedelta(minutes=1)

# APScheduler fails in the calendar's last year.
_END = datetime(9998, 12, 31, 23, 59, tzinfo=UTC)


def next_time(parsed: Cron, after: datetime) -> datetime | None:
    """The first time after this one; None if there is none."""
    return next(_times(parsed, after), None)


def upcoming(parsed: Cron, after: datetime, count: int) -> list[datetime]:
    """The first so many times after this one; fewer if there are no more."""
    return list(islice(_times(parsed, after), count))


def _times(parsed: Cron, after: datetime) -> Iterator[datetime]:
    trigger = _trigger(parsed)
    time: datetime | None = after.astimezone(UTC).replace(second=0, microsecond=0)
    while time is not None and time < _END:
        time = trigger.get_next_fire_time(None, time + _MINUTE)
        if time is not None:
            yield time


class RuleTrigger:
    """Fires on the days of a rule that depends on the month; it is asked as APScheduler's triggers are."""

    def __init__(self, parsed: Cron, rule: DayRule) -> None:
        self._months = parsed.months
        self._rule = rule
        self._daily = _cron_trigger(parsed)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        for midnight in self._days_from(now):
            found: datetime | None = self._daily.get_next_fire_time(None, max(now, midnight))
            if found is not None and found.date() == midnight.date():
                return found
        return None

    def _days_from(self, now: datetime) -> Iterator[datetime]:
        for year, month in _months_from(now):
            if month in self._months:
                for day in self._rule.in_month(year, month):
                    yield datetime(year, month, day, tzinfo=UTC)


def _months_from(now: datetime) -> Iterator[tuple[int, int]]:
    for count in range(now.year * 12 + now.month - 1, (_END.year + 1) * 12):
        year, month = divmod(count, 12)
        yield year, month + 1


@lru_cache(maxsize=64)
def _trigger(parsed: Cron) -> Any:
    """A trigger for each day field that is given and can come at all; any of them fires."""
    rules = [rule for rule in (parsed.days, parsed.weekdays) if rule is not None]
    if not rules:
        return _cron_trigger(parsed, month=_list(MONTH, parsed.months))
    return OrTrigger([_rule_trigger(parsed, rule) for rule in rules if happens(rule, parsed.months)])


def _rule_trigger(parsed: Cron, rule: DayRule) -> Any:
    months = _list(MONTH, parsed.months)
    match rule:
        case Days(numbers):
            return _cron_trigger(parsed, month=months, day=_list(DAY, numbers))
        case Weekdays(numbers):
            # APScheduler's 0 is Monday.
            from_monday = ",".join(str((number + 5) % 7) for number in numbers)
            return _cron_trigger(parsed, month=months, day_of_week=from_monday)
        case _:
            return RuleTrigger(parsed, rule)


def _cron_trigger(parsed: Cron, **dates: str) -> Any:
    hour, minute = _list(HOUR, parsed.hours), _list(MINUTE, parsed.minutes)
    return CronTrigger(**dates, hour=hour, minute=minute, second=0, end_date=_END, timezone=UTC)


def _list(field: Field, numbers: frozenset[int]) -> str:
    """Numbers as APScheduler reads them; each one costs it time, so not all of them."""
    return "*" if numbers == field.everything else ",".join(map(str, sorted(numbers)))
