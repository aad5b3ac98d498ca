"""Durations: what can be read, what is refused and with which advice, and the words for the terminal."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import duration
from emulator.errors import DurationError, EmulatorError

UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365.25),
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, timedelta()),
        (300, timedelta(milliseconds=300)),
        (1.5, timedelta(microseconds=1500)),
        (1e3, timedelta(seconds=1)),
        (timedelta(minutes=2), timedelta(minutes=2)),
        ("10 seconds", timedelta(seconds=10)),
        ("1 second", timedelta(seconds=1)),
        ("1 seconds", timedelta(seconds=1)),
        ("5 minute", timedelta(minutes=5)),
        ("1.5 hours", timedelta(minutes=90)),
        (".5 days", timedelta(hours=12)),
        ("1e3 seconds", timedelta(seconds=1000)),
        ("1E-1 seconds", timedelta(milliseconds=100)),
        ("+2 weeks", timedelta(days=14)),
        ("0 days", timedelta()),
        ("-0 days", timedelta()),
        ("5  minutes", timedelta(minutes=5)),
        (" 5 minutes\n", timedelta(minutes=5)),
        ("5 MINUTES", timedelta(minutes=5)),
        ("2 Months", timedelta(days=60)),
        ("4 years", timedelta(days=1461)),
    ],
    ids=repr,
)
def test_a_duration_is_read(value, expected):
    """
    A number is milliseconds, text is one number and one unit, a timedelta is itself.
    """
    assert expected == duration.parse(value)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("", "milliseconds or text"),
        ("   ", "milliseconds or text"),
        ("soon", "milliseconds or text"),
        ("1 hour 30 minutes", "one number and one unit"),
        ("1,5 hours", "one number and one unit"),
        ("5\tminutes", "one number and one unit"),
        ("0x10 seconds", "one number and one unit"),
        ("\u0665 minutes", "one number and one unit"),
        ("nan seconds", "one number and one unit"),
        ("Infinity days", "one number and one unit"),
        ("[dynamic]", "one number and one unit"),
        ("5", "write the number 5, not text"),
        ("1e3", "write the number 1e3, not text"),
        ("20ms", "write the number 20, not text"),
        ("20 ms", "write the number 20, not text"),
        ("10s", 'write "10 seconds"'),
        ("10 secs", 'write "10 seconds"'),
        ("5 m", 'write "5 minutes"'),
        ("5min", 'write "5 minutes"'),
        ("2 h", 'write "2 hours"'),
        ("10seconds", 'write "10 seconds"'),
        ("2 decades", 'unknown unit "decades"; the units are second, minute'),
        ("-5 seconds", 'not negative, got "-5 seconds"'),
        (-1, "not negative, got -1"),
        (timedelta(microseconds=-1), "not negative"),
        (float("nan"), "nan is not finite"),
        (float("inf"), "inf is not finite"),
        (float("-inf"), "-inf is not finite"),
        ("1e400 seconds", "is not finite"),
        (1e30, "too long"),
        (10**400, "too long"),
        ("1e12 years", "too long"),
        (True, "got True"),
        (None, "got None"),
        ([5], "got [5]"),
    ],
)
def test_what_is_no_duration_is_refused_with_advice(value, advice):
    """
    What cannot be read is refused, and the error says what to write.
    """
    with pytest.raises(DurationError) as caught:
        duration.parse(value)

    assert advice in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["9" * 5000, "9" * 5000 + "!", "5 " + "x" * 5000, [5] * 5000],
    ids=["digits", "digits and a mark", "unit", "list"],
)
def test_an_endless_value_does_not_fill_the_terminal(value):
    """
    The error shows the beginning of a long value only.
    """
    with pytest.raises(DurationError) as caught:
        duration.parse(value)

    assert len(str(caught.value)) < 250


def test_the_error_is_the_users_and_a_value_error():
    """
    Whoever catches the errors the user can put right, or a ValueError, catches it.
    """
    assert issubclass(DurationError, EmulatorError)
    assert issubclass(DurationError, ValueError)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (timedelta(), "0 ms"),
        (timedelta(microseconds=900), "0 ms"),
        (timedelta(milliseconds=200), "200 ms"),
        (timedelta(microseconds=999_999), "999 ms"),
        (timedelta(seconds=1), "1 s"),
        (timedelta(seconds=1.5), "1.5 s"),
        (timedelta(seconds=20), "20 s"),
        (timedelta(seconds=59.99), "59.9 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(seconds=65), "1 min 5 s"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=1, seconds=5), "1 h"),
        (timedelta(hours=2, minutes=30, seconds=5), "2 h 30 min"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=1, hours=6), "1 day 6 h"),
        (timedelta(days=3), "3 days"),
        (timedelta(days=36500), "36500 days"),
    ],
    ids=str,
)
def test_the_terminal_says_it_in_short_words(value, expected):
    """
    At most two units, the largest first, never rounded up.
    """
    assert expected == duration.words(value)


@settings(deadline=None)
@given(st.integers(0, 10**12))
def test_milliseconds_come_back_as_they_went(number):
    """
    A whole number of milliseconds survives the way there and back.
    """
    assert number == duration.milliseconds(duration.parse(number))


@settings(deadline=None)
@given(st.integers(0, 1000), st.sampled_from(sorted(UNITS)), st.booleans(), st.sampled_from([str.lower, str.upper]))
def test_a_unit_is_read_in_singular_plural_and_any_case(number, unit, plural, case):
    """
    Each unit means the same however it is spelled.
    """
    text = case(f"{number} {unit}{'s' if plural else ''}")

    assert number * UNITS[unit] == duration.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(86_400, "1 day"), (2_592_000, "30 days"), (129_600, "36 hours"), (5_400, "90 minutes"), (61, "61 seconds")],
)
def test_exact_text(seconds, text):
    """
    The largest unit that there is a whole number of.
    """
    assert text == duration.exact(timedelta(seconds=seconds))


@given(st.integers(0, 10**10))
def test_exact_text_is_read_back(seconds):
    """
    To the second.
    """
    assert timedelta(seconds=seconds) == duration.parse(duration.exact(timedelta(seconds=seconds)))


@settings(deadline=None)
@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.none(), st.booleans(), st.timedeltas()))
def test_anything_is_read_or_refused(value):
    """
    Whatever is given, the answer is a duration of zero or more, or our own error.
    """
    try:
        parsed = duration.parse(value)
    except DurationError:
        return

    assert parsed >= timedelta()
    assert duration.words(parsed)
