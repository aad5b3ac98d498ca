"""The platform's cron dialect: what is refused and in which field, when the rest fires, and what is said about it."""

import calendar
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import cron
from emulator.cron.times import next_time, upcoming
from emulator.cron.words import explain, warnings
from emulator.errors import CronError

MINUTE = timedelta(minutes=1)
NAMES = {
    "month": ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    "day of week": ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fires(expression, moment):
    return moment == next_time(cron.parse(expression), moment - MINUTE)


def minutes_of(expression):
    return sorted(cron.parse(expression).minutes)


# --- what is refused


@pytest.mark.parametrize(
    ("expression", "field", "why"),
    [
        ("60 * * * *", "minute", "60 is out of range, expected 0 to 59"),
        ("0/60 * * * *", "minute", "step 60 is out of range, expected 1 to 59"),
        ("*/0 * * * *", "minute", "step 0 is out of range"),
        ("*/60 * * * *", "minute", "step 60 is out of range"),
        ("0-70 * * * *", "minute", "70 is out of range"),
        ("-1 * * * *", "minute", 'cannot read "-1"'),
        ("99999999999999999999 * * * *", "minute", "out of range"),
        ("9" * 5000 + " * * * *", "minute", "out of range"),
        ("*/" + "9" * 5000 + " * * * *", "minute", "out of range"),
        ("*,* * * * *", "minute", 'after "*" nothing may follow'),
        ("*,5 * * * *", "minute", 'after "*" nothing may follow'),
        ("*-30 * * * *", "minute", 'after "*" nothing may follow'),
        ("*-30/5 * * * *", "minute", 'after "*" nothing may follow'),
        ("1, * * * *", "minute", "a value is missing"),
        (",1 * * * *", "minute", "a value is missing"),
        ("1,,2 * * * *", "minute", "a value is missing"),
        ("1-2-3 * * * *", "minute", 'cannot read "1-2-3"'),
        ("1/2/3 * * * *", "minute", 'cannot read "1/2/3"'),
        ("5-* * * * *", "minute", 'cannot read "5-*"'),
        ("1/ * * * *", "minute", 'cannot read "1/"'),
        ("1.5 * * * *", "minute", 'cannot read "1.5"'),
        ("MON * * * *", "minute", 'cannot read "MON"'),
        ("L * * * *", "minute", "L, W and # belong in the day fields"),
        ("\u0661 * * * *", "minute", "cannot read"),
        ("5\n * * * *", "minute", "cannot read"),
        ("? * * * *", "minute", 'there is no "?" here'),
        ("* 24 * * *", "hour", "24 is out of range, expected 0 to 23"),
        ("* */24 * * *", "hour", "step 24 is out of range, expected 1 to 23"),
        ("* * 0 * *", "day of month", "0 is out of range, expected 1 to 31"),
        ("* * 32 * *", "day of month", "32 is out of range"),
        ("* * */31 * *", "day of month", "step 31 is out of range, expected 1 to 30"),
        ("* * L-0 * *", "day of month", "0 is out of range, expected 1 to 30"),
        ("* * L-31 * *", "day of month", "31 is out of range"),
        ("* * L-31W * *", "day of month", "31 is out of range"),
        ("* * 0W * *", "day of month", "0 is out of range"),
        ("* * 32W * *", "day of month", "32 is out of range"),
        ("* * 3,L * *", "day of month", "stand alone in the field"),
        ("* * L,3 * *", "day of month", "stand alone in the field"),
        ("* * 1W,3 * *", "day of month", "stand alone in the field"),
        ("* * l * *", "day of month", "in capitals"),
        ("* * lw * *", "day of month", "in capitals"),
        ("* * 15w * *", "day of month", "in capitals"),
        ("* * WL * *", "day of month", "cannot read"),
        ("* * ? * *", "day of month", 'there is no "?" here; write "*"'),
        ("* * MON * *", "day of month", 'cannot read "MON"'),
        ("* * * 0 *", "month", "0 is out of range, expected 1 to 12 or JAN to DEC"),
        ("* * * 13 *", "month", "13 is out of range"),
        ("* * * */12 *", "month", "step 12 is out of range, expected 1 to 11"),
        ("* * * JANUARY *", "month", 'unknown name "JANUARY", names have three letters: JAN'),
        ("* * * L *", "month", "L, W and # belong in the day fields"),
        ("* * * * 0", "day of week", "0 is out of range, expected 1 to 7 or SUN to SAT; Sunday is 1 or SUN"),
        ("* * * * 8", "day of week", "8 is out of range"),
        ("* * * * 0-7", "day of week", "Sunday is 1 or SUN"),
        ("* * * * */7", "day of week", "step 7 is out of range, expected 1 to 6"),
        ("* * * * SUN#0", "day of week", "0 is out of range, expected 1 to 5"),
        ("* * * * MON#6", "day of week", "6 is out of range, expected 1 to 5"),
        ("* * * * 2L,3", "day of week", "stand alone in the field"),
        ("* * * * MON#1,3", "day of week", 'cannot read "MON#1"'),
        ("* * * * 6l", "day of week", "in capitals"),
        ("* * * * l", "day of week", "in capitals"),
        ("* * * * MONDAY", "day of week", "names have three letters: MON"),
        ("* * * * XYZL", "day of week", 'cannot read "XYZ"'),
        ("* * * *", "expression", "expected five fields (minute, hour, day of month, month, day of week), got 4"),
        ("* * * * * *", "expression", "got 6; there are no seconds and no years"),
        ("0 0 * * * * *", "expression", "got 7; there are no seconds"),
        (" * * * * *", "expression", "a blank before or behind it"),
        ("* * * * * ", "expression", "a blank before or behind it"),
        ("* * * * *\t", "expression", "a blank before or behind it"),
        ("@daily", "expression", 'there are no nicknames here; write "0 0 * * *"'),
        ("@reboot", "expression", "there are no nicknames here"),
        ("?", "expression", "got 1"),
        ("", "expression", "it is empty"),
        (" ", "expression", "it is empty"),
    ],
    ids=lambda value: repr(value) if len(value) < 50 else f"{value[:20]}…",
)
def test_what_the_platform_refuses_is_refused_by_field(expression, field, why):
    """
    The error has the expression, the bad field, and what is wrong with it.
    """
    with pytest.raises(CronError) as caught:
        cron.parse(expression)

    assert (expression, field) == (caught.value.expression, caught.value.field)
    assert why in caught.value.why


def test_the_whole_expression_is_named_once():
    """
    What is wrong with a field names it; what is wrong with all of it needs no other name than the expression.
    """
    with pytest.raises(CronError, match=r'^cron "0 9 \* \* 0": day of week: 0 is out of range'):
        cron.parse("0 9 * * 0")
    with pytest.raises(CronError, match=r'^cron "@daily": there are no nicknames here'):
        cron.parse("@daily")


# --- what is read


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 * * 7-1",
        "* * * 11-FEB *",
        "50-10 * * * *",
        "007 * * * *",
        "* * * sEp *",
        "* * * * SaT",
        "* * * * L",
        "*\t*\t*\t*\t*",
        "*  * \t *  *  *",
        "* * 31 2 *",
        "* * * 1-DEC/4 *",
        "* * * * 2-FRI/2",
        "* * * * MON-5",
        "* * * * friL",
    ],
)
def test_what_the_platform_accepts_is_read(expression):
    """
    Odd, but valid there, so valid here, and kept as it was written.
    """
    assert expression == cron.parse(expression).expression


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        ("*", list(range(60))),
        ("*/1", list(range(60))),
        ("5", [5]),
        ("005", [5]),
        ("5-8", [5, 6, 7, 8]),
        ("5-5", [5]),
        ("5-20/7", [5, 12, 19]),
        ("50/4", [50, 54, 58]),
        ("*/15,30-59/10", [0, 15, 30, 40, 45, 50]),
        ("58-1", [0, 1, 58, 59]),
        ("50-10/7", [4, 50, 57]),
        ("5,*", [0, 5]),
        ("50,*-3", [0, 1, 2, 3, 50]),
        ("7,*/30", [0, 7, 30]),
    ],
)
def test_a_list_becomes_numbers(minute, expected):
    """
    Ranges, steps, wraps and the star in a list become the numbers they mean.
    """
    assert expected == minutes_of(f"{minute} * * * *")


@pytest.mark.parametrize(
    ("one", "other", "are_equal"),
    [
        ("* * * * *", "*/1 * * * *", True),
        ("1 * * * *", "01 * * * *", True),
        ("0 0 * * SUN", "0 0 * * 1", True),
        ("0 0 * * sun", "0 0\t* * 1", True),
        ("0 0 * JAN-MAR *", "0 0 * 3,2,1 *", True),
        ("0 0 * * *", "0 0 * * 1-7", False),
        ("0 0 * * *", "0 0 1-31 * *", False),
        ("0 0 L * *", "0 0 LW * *", False),
    ],
)
def test_two_crons_are_equal_when_the_platform_takes_them_for_one(one, other, are_equal):
    """
    The platform compares what expressions mean; a star and a full range differ in the day fields.
    """
    assert are_equal == (cron.parse(one) == cron.parse(other))


@settings(deadline=None)
@given(st.text("0123456789*,-/LW#? \tSUNMOJANw@", max_size=25))
def test_anything_is_read_or_refused(text):
    """
    Whatever is written, the answer is a cron that can be explained, or our own error.
    """
    try:
        parsed = cron.parse(text)
    except CronError:
        return

    assert explain(parsed)
    assert all(warnings(parsed))


# --- when it fires


@pytest.mark.parametrize(
    ("expression", "moment"),
    [
        ("5 0 23 8 *", "2020-08-23 00:05"),
        ("59-0 23-0 31-1 12-1 *", "2020-01-31 00:59"),
        ("59-0 23-0 31-1 12-1 *", "2020-12-01 23:00"),
        ("0 0 L FEB *", "2024-02-29"),
        ("0 0 L FEB *", "2100-02-28"),
        ("0 0 L-1 FEB *", "2024-02-28"),
        ("0 0 L-1 FEB *", "2100-02-27"),
        ("59 23 LW MAY *", "2025-05-30 23:59"),
        ("59 23 LW MAY *", "2021-05-31 23:59"),
        ("59 23 LW MAY *", "2020-05-29 23:59"),
        ("59 23 LW * *", "2020-05-29 23:59"),
        ("0 0 L-1W MAY *", "2025-05-30"),
        ("0 0 L-1W MAY *", "2021-05-31"),
        ("0 0 L-1W MAY *", "2020-05-29"),
        ("0 0 1W MAY *", "2020-05-01"),
        ("0 0 1W MAY *", "2022-05-02"),
        ("0 0 1W MAY *", "2021-05-03"),
        ("0 0 L-30W * *", "2021-05-03"),
        ("0 0 L-30W * *", "2022-01-03"),
        ("0 0 L-28W 2 *", "1972-02-01"),
        ("0 0 L-28W 2 *", "1976-02-02"),
        ("0 0 L-28W 2 *", "1992-02-03"),
        ("0 0 L-28W 2 *", "2004-02-02"),
        ("0 0 L-28W 2 *", "2020-02-03"),
        ("0 0 * * 7L", "2020-01-25"),
        ("0 0 * * 7L", "2020-02-29"),
        ("0 0 * * 7L", "2020-05-30"),
        ("0 0 * * SAT#5", "2020-02-29"),
        ("0 0 * * SAT#5", "2020-05-30"),
        ("0 0 * * SAT#5", "2020-08-29"),
        ("0 0 * * SAT#5", "2020-10-31"),
        ("0 0 * * friL", "2024-03-29"),
        ("0 0 * * 6L", "2024-03-29"),
        ("0 0 * * L", "2024-03-02"),
        ("10 7 * * 2-6", "2024-03-01 07:10"),
        ("0 17 * * 1", "2024-03-03 17:00"),
        ("0 17 * * sun", "2024-03-03 17:00"),
        ("0 0 1-31 * MON", "2024-03-05"),
    ],
)
def test_it_fires_at(expression, moment):
    """
    The platform's own examples, each at its minute.
    """
    assert fires(expression, at(moment))


@pytest.mark.parametrize(
    ("expression", "moment"),
    [
        ("5 0 23 8 *", "2020-08-23 11:05"),
        ("0 0 L-1 FEB *", "2024-02-29"),
        ("0 0 L-30W * *", "2021-04-01"),
        ("0 0 L-30W * *", "2021-06-01"),
        ("0 0 L-28W 2 *", "2021-02-01"),
        ("0 0 L-28W 2 *", "2023-02-01"),
        ("0 0 * * 7L", "2020-01-31"),
        ("0 0 * * SAT#5", "2020-02-28"),
        ("10 7 * * 2-6", "2024-03-02 07:10"),
        ("10 7 * * 2-6", "2024-03-03 07:10"),
        ("0 17 * * 1", "2024-03-04 17:00"),
        ("0 0 1-31 * MON", "2024-03-05 00:01"),
        # A wrapped range means what it says; the value before its start is not in it.
        ("0 0 * * SAT-SUN", "2024-03-01"),
        ("0 22-2 * * *", "2024-03-01 21:00"),
    ],
)
def test_it_does_not_fire_at(expression, moment):
    """
    The platform's own examples of minutes that do not match.
    """
    assert not fires(expression, at(moment))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 20-4/2 * * *", ["01 00:00", "01 02:00", "01 04:00", "01 20:00", "01 22:00", "02 00:00"]),
        ("0 0 * * */2", ["02 00:00", "03 00:00", "05 00:00", "07 00:00", "09 00:00"]),
        ("0 0 * * FRI-MON/2", ["01 00:00", "03 00:00", "08 00:00", "10 00:00"]),
        ("30 9 10 * MON", ["04 09:30", "10 09:30", "11 09:30", "18 09:30"]),
        ("0 0 LW * MON#1", ["04 00:00", "29 00:00"]),
        ("0 0 15W * 6L", ["15 00:00", "29 00:00"]),
        ("*/20 23 2 * *", ["02 23:00", "02 23:20", "02 23:40"]),
    ],
)
def test_the_upcoming_times_in_march_2024(expression, expected):
    """
    The times come in order, whichever of the two day fields they are from; the 1st is a Friday.
    """
    times = upcoming(cron.parse(expression), at("2024-02-29 23:59"), len(expected))

    assert [at(f"2024-03-{each}") for each in expected] == times


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 0 29 2 *", "2096-03-01", "2104-02-29"),
        ("0 0 29W 2 *", "2096-03-01", "2104-02-29"),
        ("0 0 * FEB SAT#5", "2020-03-01", "2048-02-29"),
        ("0 0 * FEB MON#5", "2072-03-01", "2112-02-29"),
        ("0 0 L-28W 2 *", "2096-03-01", "2104-02-01"),
        ("0 0 31 4-6 *", "2024-06-01", "2025-05-31"),
        ("59 23 31 12 *", "2024-12-31 23:59", "2025-12-31 23:59"),
    ],
)
def test_a_rare_date_comes_at_last(expression, after, expected):
    """
    A date that is years away is found, across a century's missing leap day too.
    """
    assert at(expected) == next_time(cron.parse(expression), at(after))


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 31 2 *",
        "* * 30,31 FEB *",
        "* * 31 2,4,6,9,11 *",
        "* * 31W 4 *",
        "* * L-29 2 *",
        "* * L-30W 2,4 *",
    ],
)
def test_what_never_comes_has_no_time(expression):
    """
    A date that no calendar has gives no time, and says so.
    """
    parsed = cron.parse(expression)

    assert next_time(parsed, at("2024-01-01")) is None
    assert [] == upcoming(parsed, at("2024-01-01"), 3)
    assert "it never fires" in warnings(parsed)[0]


@pytest.mark.parametrize("expression", ["* * * * *", "0 5 L * *", "0 5 31 12 *", "0 5 * * MON-FRI", "0 5 L * FRI"])
def test_the_times_end_with_the_calendar(expression):
    """
    At the end of the last year there is no next time, and no error.
    """
    parsed = cron.parse(expression)

    assert at("9998-12-31 23:59") >= max(upcoming(parsed, at("9998-12-30 04:59"), 10_000))
    assert 1 >= len(upcoming(parsed, at("9998-12-31 23:58:30"), 5))
    assert next_time(parsed, datetime.max.replace(tzinfo=UTC)) is None


def test_the_next_time_is_later_whatever_the_seconds():
    """
    Strictly after: a moment that matches is not its own next time, and seconds do not skip a minute.
    """
    parsed = cron.parse("* * * * *")

    assert at("2024-01-01 00:01") == next_time(parsed, at("2024-01-01 00:00"))
    assert at("2024-01-01 00:01") == next_time(parsed, at("2024-01-01 00:00:59.999999"))
    assert at("2024-01-01 00:02") == next_time(parsed, at("2024-01-01 00:01"))


def test_times_are_utc_whatever_zone_they_are_counted_from():
    """
    A moment elsewhere is the same moment; the answer is UTC.
    """
    noon_in_kiribati = datetime(2024, 1, 2, 12, 0, tzinfo=timezone(timedelta(hours=14)))
    time = next_time(cron.parse("0 23 * * *"), noon_in_kiribati)

    assert at("2024-01-01 23:00") == time
    assert timedelta() == time.utcoffset()


# --- against a matcher that tries each minute


def walk(start, end, step, lowest, highest):
    """The numbers of a range, one step after the other, round the end if need be."""
    numbers, place = [start], start
    while place != end:
        place = lowest if place == highest else place + 1
        numbers.append(place)
    return set(numbers[::step])


@st.composite
def items(draw, name, lowest, highest):
    """An item of a list with the numbers it means."""

    def written(number):
        spelled = [str(number), f"0{number}"]
        if name in NAMES:
            spelled += [NAMES[name][number - 1], NAMES[name][number - 1].lower()]
        return draw(st.sampled_from(spelled))

    start, end = draw(st.integers(lowest, highest)), draw(st.integers(lowest, highest))
    step = draw(st.integers(1, highest - lowest))
    return draw(
        st.sampled_from(
            [
                (written(start), {start}),
                (f"{written(start)}-{written(end)}", walk(start, end, 1, lowest, highest)),
                (f"{written(start)}-{written(end)}/{step}", walk(start, end, step, lowest, highest)),
                (f"{written(start)}/{step}", set(range(start, highest + 1, step))),
                (f"*/{step}", set(range(lowest, highest + 1, step))),
            ]
        )
    )


def number_fields(name, lowest, highest):
    """A field's text with the numbers it means."""
    lists = st.lists(items(name, lowest, highest), min_size=1, max_size=3).map(
        lambda given: (",".join(text for text, _ in given), set().union(*(numbers for _, numbers in given)))
    )
    return st.just(("*", set(range(lowest, highest + 1)))) | lists


def weekday(day):
    return day.isoweekday() % 7 + 1


def last(day):
    return calendar.monthrange(day.year, day.month)[1]


def is_nearest_workday(day, target):
    """Whether no other workday of the month is as near to the target, if the month has the target."""
    workdays = [each for each in range(1, last(day) + 1) if day.replace(day=each).isoweekday() <= 5]
    return 1 <= target <= last(day) and day.day == min(workdays, key=lambda each: abs(each - target))


DAYS = st.one_of(
    number_fields("day of month", 1, 31).map(lambda given: (given[0], lambda day: day.day in given[1])),
    st.just(("L", lambda day: day.day == last(day))),
    st.just(("LW", lambda day: is_nearest_workday(day, last(day)))),
    st.integers(1, 30).map(lambda n: (f"L-{n}", lambda day: day.day + n == last(day))),
    st.integers(1, 30).map(lambda n: (f"L-{n}W", lambda day: is_nearest_workday(day, last(day) - n))),
    st.integers(1, 31).map(lambda n: (f"{n}W", lambda day: is_nearest_workday(day, n))),
)
WEEKDAYS = st.one_of(
    number_fields("day of week", 1, 7).map(lambda given: (given[0], lambda day: weekday(day) in given[1])),
    st.just(("L", lambda day: weekday(day) == 7)),
    st.integers(1, 7).map(lambda n: (f"{n}L", lambda day: weekday(day) == n and day.day + 7 > last(day))),
    st.tuples(st.integers(1, 7), st.integers(1, 5)).map(
        lambda given: (
            f"{NAMES['day of week'][given[0] - 1]}#{given[1]}",
            lambda day: weekday(day) == given[0] and (day.day - 1) // 7 + 1 == given[1],
        )
    ),
)
MONTHS = number_fields("month", 1, 12)
DATES = st.dates(date(1999, 1, 1), date(2110, 1, 1))


def is_day(day, days, months, weekdays):
    """The platform's rule for a date: a star asks nothing, two given fields ask for either."""
    if day.month not in months[1]:
        return False
    asked = [matches for text, matches in (days, weekdays) if text != "*"]
    return any(matches(day) for matches in asked) if asked else True


@settings(max_examples=60, deadline=None)
@given(number_fields("minute", 0, 59), number_fields("hour", 0, 23), DAYS, WEEKDAYS, DATES)
def test_two_days_minute_by_minute(minute, hour, days, weekdays, start):
    """
    The times of two days are the minutes that match, no more and no fewer.
    """
    parsed = cron.parse(f"{minute[0]} {hour[0]} {days[0]} * {weekdays[0]}")
    months = ("*", set(range(1, 13)))
    begin = datetime(start.year, start.month, start.day, tzinfo=UTC)
    expected = [
        moment
        for day in (begin, begin + timedelta(days=1))
        if is_day(day.date(), days, months, weekdays)
        for moment in (day + count * MINUTE for count in range(24 * 60))
        if moment.hour in hour[1] and moment.minute in minute[1]
    ]

    times = upcoming(parsed, begin - MINUTE, len(expected) + 1)

    assert expected == times[: len(expected)]
    assert all(time >= begin + timedelta(days=2) for time in times[len(expected) :])


@settings(max_examples=150, deadline=None)
@given(DAYS, MONTHS, WEEKDAYS, DATES)
def test_four_hundred_days_day_by_day(days, months, weekdays, start):
    """
    The dates of more than a year are the days that match, no more and no fewer.
    """
    parsed = cron.parse(f"30 6 {days[0]} {months[0]} {weekdays[0]}")
    begin = datetime(start.year, start.month, start.day, 6, 30, tzinfo=UTC)
    window = [begin + timedelta(days=count) for count in range(400)]
    expected = [moment for moment in window if is_day(moment.date(), days, months, weekdays)]

    times = upcoming(parsed, begin - MINUTE, len(expected) + 1)

    assert expected == times[: len(expected)]
    assert all(time > window[-1] for time in times[len(expected) :])


@settings(deadline=None)
@given(DAYS, MONTHS, WEEKDAYS, DATES)
def test_each_time_is_the_next_of_the_one_before(days, months, weekdays, start):
    """
    Times grow, lie on whole minutes, and can be found one by one.
    """
    parsed = cron.parse(f"*/7 1,5 {days[0]} {months[0]} {weekdays[0]}")
    after = datetime(start.year, start.month, start.day, tzinfo=UTC)

    times = upcoming(parsed, after, 10)

    assert all(next_time(parsed, one) == other for one, other in pairwise(times))
    assert all(0 == time.second == time.microsecond for time in times)


# --- what is said about it


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", "every minute"),
        ("*/15 * * * *", "every 15 minutes"),
        ("0 * * * *", "every hour"),
        ("0 */2 * * *", "every 2 hours"),
        ("7 * * * *", "at minute 7 of every hour"),
        ("5,10 * * * *", "at minutes 5 and 10 of every hour"),
        ("5 */2 * * *", "at minute 5 of every 2nd hour UTC"),
        ("* 5 * * *", "every minute of hour 5 UTC every day"),
        ("30 9 * * *", "at 09:30 UTC every day"),
        ("0,30 9,17 * * *", "at 09:00, 09:30, 17:00 and 17:30 UTC every day"),
        ("*/15 9-17 * * MON-FRI", "every 15 minutes of hours 9 to 17 UTC on Monday to Friday"),
        ("0 0 * JUL *", "at 00:00 UTC every day in July"),
        ("0 0 * 6-8,12 MON", "at 00:00 UTC on Monday in June to August and December"),
        ("0 0 1,15 JAN,MAR *", "at 00:00 UTC on the 1st and 15th of January and March"),
        ("0 0 2-4,11-13,21-23 * *", "at 00:00 UTC on the 2nd to 4th, 11th to 13th and 21st to 23rd of the month"),
        ("0 0 1 * MON", "at 00:00 UTC on the 1st of the month or on Monday"),
        ("0 0 L * *", "at 00:00 UTC on the last day of the month"),
        ("0 0 L-1 * *", "at 00:00 UTC on the day before the last day of the month"),
        ("0 0 L-3 2 *", "at 00:00 UTC on 3 days before the last day of February"),
        ("0 0 LW * *", "at 00:00 UTC on the last workday of the month"),
        ("0 0 15W * *", "at 00:00 UTC on the workday nearest to the 15th of the month"),
        ("0 0 L-3W * *", "at 00:00 UTC on the workday nearest to 3 days before the last day of the month"),
        ("0 0 * * 6L", "at 00:00 UTC on the last Friday of the month"),
        ("0 0 * * MON#2", "at 00:00 UTC on the second Monday of the month"),
        ("0 0 * * L", "at 00:00 UTC on Saturday"),
        ("0 0 * * 7,1", "at 00:00 UTC on Saturday and Sunday"),
    ],
)
def test_a_cron_is_told_in_words(expression, expected):
    """
    Reading the words, one can write the expression.
    """
    assert expected == explain(cron.parse(expression))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", []),
        ("*/15 9-17 * * MON-FRI", []),
        ("0 0 LW JUL MON#2", ["both day fields are given, so either is enough: it fires on the last workday"]),
        ("0 0 31 2 *", ["the 31st of February never comes: it never fires"]),
        ("0 0 30 2 MON", ["the 30th of February never comes: only the day of week", "both day fields"]),
        ("0 0 29 2 *", ["the 29th of February comes in leap years only"]),
        ("0 0 31 * *", ["months without such a day are left out"]),
        ("0 0 1-31 * MON", ["both day fields", "the day of month takes every day"]),
        ("0 0 1 * */1", ["both day fields", "the day of week takes every day"]),
        ("0 0 * * 1", ["weekday 1 is Sunday and 7 is Saturday"]),
        ("0 0 * * 2-6", ["weekday 1 is Sunday and 7 is Saturday: 2-6 is Monday to Friday"]),
        ("0 0 * * 6L", ["weekday 1 is Sunday and 7 is Saturday: 6L is the last Friday of the month"]),
        ("0 0 * * SUN#1", []),
        ("0 0 * * MON-FRI/2", []),
        ("0 0 * * L", ["L alone as day of week is every Saturday"]),
        ("5,* * * * *", ["minute: * in a list is only 0"]),
        ("0 22-2 * * *", ["hour: the platform may fire at 21 too for 22-2; write 22-23,0-2"]),
        ("0 0 * * SAT-SUN", ["day of week: the platform may fire at FRI too for SAT-SUN; write SAT,SUN"]),
        ("0 0 * NOV-FEB *", ["month: the platform may fire at OCT too for NOV-FEB; write NOV-DEC,JAN-FEB"]),
        ("0 0 * * FRI-MON/2", ["day of week: the platform may count the steps of FRI-MON/2 otherwise; write FRI,SUN"]),
        ("10-9 * * * *", []),
    ],
)
def test_what_may_surprise_is_said(expression, expected):
    """
    One sentence for each trap, and silence where there is none.
    """
    said = warnings(cron.parse(expression))

    assert len(expected) == len(said)
    assert all(sentence.startswith(beginning) for sentence, beginning in zip(said, expected, strict=True))


@pytest.mark.parametrize("weekday", [1, 7])
def test_the_ends_of_the_week_are_said_once(weekday):
    """
    Where the rule has the number that was written, the number is no example of it.
    """
    assert ["weekday 1 is Sunday and 7 is Saturday"] == warnings(cron.parse(f"0 0 * * {weekday}"))
