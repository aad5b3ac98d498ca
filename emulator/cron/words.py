"""A cron in words, and what may surprise in it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import assert_never

from emulator.cron.days import (
    DayRule,
    Days,
    FromEnd,
    LastWeekday,
    NearestWorkday,
    NthWeekday,
    Weekdays,
    happens,
    happens_each_year,
)
from emulator.cron.expression import Cron
from emulator.cron.fields import DAY, HOUR, MINUTE, MONTH, WEEKDAY, Field, Range

_MOST_TIMES = 6
_NTH = ("first", "second", "third", "fourth", "fifth")
_MONDAY_TO_SUNDAY = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_JANUARY_TO_DECEMBER = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def explain(parsed: Cron) -> str:
    """The expression in words: "at 09:30 UTC on Monday to Friday"."""
    return " ".join(part for part in (_times(parsed), _dates(parsed)) if part)


def warnings(parsed: Cron) -> list[str]:
    """What may surprise in an expression, one sentence each."""
    return [*_never(parsed), *_either(parsed), *_weekday_numbers(parsed), *_written_oddly(parsed)]


def _times(parsed: Cron) -> str:
    minutes, hours = parsed.minutes, parsed.hours
    if len(minutes) * len(hours) <= _MOST_TIMES:
        return f"at {_series(f'{hour:02}:{minute:02}' for hour in sorted(hours) for minute in sorted(minutes))} UTC"
    every_hours = _every(HOUR, hours)
    if minutes == {0} and every_hours:
        return f"every {every_hours} hours" if every_hours > 1 else "every hour"
    every_minutes = _every(MINUTE, minutes)
    if every_minutes:
        start = f"every {every_minutes} minutes" if every_minutes > 1 else "every minute"
        return start if every_hours == 1 else f"{start} of {_hours(hours)}"
    return f"at {_plural('minute', minutes)} {_runs(minutes, str)} of {_hours(hours)}"


def _hours(hours: frozenset[int]) -> str:
    every = _every(HOUR, hours)
    if every:
        return "every hour" if every == 1 else f"every {_ordinal(every)} hour UTC"
    return f"{_plural('hour', hours)} {_runs(hours, str)} UTC"


def _every(field: Field, numbers: frozenset[int]) -> int | None:
    """The step, if the numbers go round the clock in equal steps from 0."""
    size = field.highest + 1
    step = size // len(numbers)
    return step if size % step == 0 and numbers == set(range(0, size, step)) and len(numbers) > 1 else None


def _dates(parsed: Cron) -> str:
    months = "" if parsed.months == MONTH.everything else _runs(parsed.months, _month)
    rules = [rule for rule in (parsed.days, parsed.weekdays) if rule is not None]
    if len(rules) == 1 and not isinstance(rules[0], Weekdays):
        return f"on {_day(rules[0], months)}"
    days = " or ".join(f"on {_day(rule)}" for rule in rules)
    if days or months:
        return f"{days or 'every day'} in {months}" if months else days
    return "" if _is_by_the_clock(parsed) else "every day"


def _is_by_the_clock(parsed: Cron) -> bool:
    """Whether it goes round the clock, so that "every day" says nothing."""
    return _every(HOUR, parsed.hours) is not None and len(parsed.hours) * len(parsed.minutes) > _MOST_TIMES


def _day(rule: DayRule, months: str = "") -> str:
    of = f"of {months or 'the month'}"
    match rule:
        case Days(numbers):
            return f"the {_runs(numbers, _ordinal)} {of}"
        case FromEnd(before):
            return f"{_from_end(before)} {of}"
        case NearestWorkday(target):
            return f"{_workday(target)} {of}"
        case Weekdays(numbers):
            return _runs(map(_monday_first, numbers), _weekday)
        case LastWeekday(number):
            return f"the last {_weekday(_monday_first(number))} {of}"
        case NthWeekday(number, nth):
            return f"the {_NTH[nth - 1]} {_weekday(_monday_first(number))} {of}"
        case _:
            assert_never(rule)


def _workday(target: Days | FromEnd) -> str:
    if target == FromEnd(0):
        return "the last workday"
    day = _from_end(target.before) if isinstance(target, FromEnd) else f"the {_runs(target.numbers, _ordinal)}"
    return f"the workday nearest to {day}"


def _from_end(before: int) -> str:
    match before:
        case 0:
            return "the last day"
        case 1:
            return "the day before the last day"
        case _:
            return f"{before} days before the last day"


def _never(parsed: Cron) -> Iterator[str]:
    """Days that never come, and days that not each month has."""
    rule, months = parsed.days, parsed.months
    if rule is None:
        return
    if not happens(rule, months):
        rest = "it never fires" if parsed.weekdays is None else "only the day of week makes it fire"
        yield f"{_day(rule, _runs(months, _month, last='or'))} never comes: {rest}"
    elif not happens_each_year(rule, months):
        yield f"{_day(rule, _runs(months, _month))} comes in leap years only"
    elif not all(happens_each_year(rule, {month}) for month in months):
        yield "months without such a day are left out"


def _either(parsed: Cron) -> Iterator[str]:
    if parsed.days is None or parsed.weekdays is None:
        return
    days, weekdays = _day(parsed.days), _day(parsed.weekdays)
    yield f"both day fields are given, so either is enough: it fires on {days}, and on {weekdays}"
    if parsed.days == Days(DAY.everything):
        yield "the day of month takes every day, so the day of week changes nothing; write * for the day of month"
    if parsed.weekdays == Weekdays(WEEKDAY.everything):
        yield "the day of week takes every day, so the day of month changes nothing; write * for the day of week"


def _weekday_numbers(parsed: Cron) -> Iterator[str]:
    """Elsewhere 0 or 7 is Sunday and 1 is Monday."""
    _, text = parsed.texts[-1]
    without_counts = text.partition("#")[0].split("/")[0]
    if text == "L":
        yield "L alone as day of week is every Saturday; the last Saturday of the month is 7L"
    elif parsed.weekdays is not None and any(character.isdigit() for character in without_counts):
        example = "" if text in ("1", "7") else f": {text} is {_day(parsed.weekdays)}"
        yield f"weekday 1 is Sunday and 7 is Saturday{example}"


def _written_oddly(parsed: Cron) -> Iterator[str]:
    for field, text in parsed.texts:
        for item in _items(parsed, field, text):
            if item.text == "*" and text != "*":
                yield f"{field.name}: * in a list is only {field.word(field.lowest)}"
            if item.wraps:
                yield from _wrapped(item)


def _items(parsed: Cron, field: Field, text: str) -> list[Range]:
    """The items of a field, none for the forms with L, W and #."""
    is_list = {DAY: isinstance(parsed.days, Days), WEEKDAY: isinstance(parsed.weekdays, Weekdays) and text != "L"}
    return field.ranges(text) if is_list.get(field, True) else []


def _wrapped(item: Range) -> Iterator[str]:
    """The platform's parser is known to misread a range that goes over the end."""
    field, numbers = item.field, item.numbers
    as_list = ",".join(map(field.word, numbers))
    if item.step is not None:
        yield f"{field.name}: the platform may count the steps of {item.text} otherwise; write {as_list}"
    elif item.start - 1 not in numbers:
        two_ranges = f"{_range(field, item.start, field.highest)},{_range(field, field.lowest, item.end)}"
        extra = field.word(item.start - 1)
        yield f"{field.name}: the platform may fire at {extra} too for {item.text}; write {two_ranges}"


def _range(field: Field, start: int, end: int) -> str:
    return field.word(start) if start == end else f"{field.word(start)}-{field.word(end)}"


def _runs(numbers: Iterable[int], word: Callable[[int], str], last: str = "and") -> str:
    """Numbers in words, three or more in a row as "a to b"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    spans = [[f"{word(run[0])} to {word(run[-1])}"] if len(run) > 2 else map(word, run) for run in runs]
    return _series((each for span in spans for each in span), last)


def _series(words: Iterable[str], last: str = "and") -> str:
    *some, final = words
    return f"{', '.join(some)} {last} {final}" if some else final


def _plural(noun: str, numbers: frozenset[int]) -> str:
    return noun if len(numbers) == 1 else f"{noun}s"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}th" if number in (11, 12, 13) else f"{number}{ending}"


def _month(number: int) -> str:
    return _JANUARY_TO_DECEMBER[number - 1]


def _weekday(from_monday: int) -> str:
    return _MONDAY_TO_SUNDAY[from_monday]


def _monday_first(number: int) -> int:
    """The platform's weekday as days since Monday, so that a weekend is a run."""
    return (number + 5) % 7
