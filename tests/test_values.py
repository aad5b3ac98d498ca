"""Which values cross, and what becomes of them."""

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.runtime import values

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.just("$"), inner, max_size=4),
    max_leaves=15,
)


def as_bytes(value):
    """Bytes come back as memoryviews; compare by content."""
    match value:
        case memoryview():
            return bytes(value)
        case list():
            return [as_bytes(item) for item in value]
        case dict():
            return {key: as_bytes(item) for key, item in value.items()}
    return value


@given(plain)
def test_what_crosses_comes_back_equal(value):
    """
    Every value that may cross is the same after a round trip.
    """
    assert value == as_bytes(values.decode(values.encode(value)))


@given(plain)
def test_what_is_shown_is_always_json(value):
    """
    A status can show any value that crossed.
    """
    json.dumps(values.shown(values.encode(value)), allow_nan=False) if not _has_infinity(value) else None


def _has_infinity(value):
    match value:
        case float():
            return math.isinf(value)
        case list():
            return any(map(_has_infinity, value))
        case dict():
            return any(map(_has_infinity, value.values()))
    return False


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 678_999), datetime(2026, 1, 2, 3, 4, 5, 678_000)),
        (datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), datetime(2026, 1, 2, 1)),
        (date(2026, 1, 2), datetime(2026, 1, 2)),
        ({1, 2}, {1, 2}),
        ({1: "a", None: "b", False: "c"}, {"1": "a", "null": "b", "false": "c"}),
        (2**70, 2**70),
        (-0.0, 0.0),
    ],
    ids=["milliseconds", "zone", "date", "set", "keys become text", "big", "minus zero"],
)
def test_dates_sets_and_keys_cross_as_on_the_platform(value, back):
    """
    Dates lose what is below a millisecond and their zone; keys become text.
    """
    assert back == values.decode(values.encode(value))


def test_dates_can_be_had_with_their_zone():
    """
    The emulator's own side reads dates as aware UTC.
    """
    moment = datetime(2026, 1, 2, tzinfo=UTC)

    assert moment == values.decode(values.encode(moment), naive=False)


def test_nan_crosses_and_is_shown_as_null():
    """
    NaN is kept, though JSON has no word for it.
    """
    text = values.encode([float("nan")])

    assert math.isnan(values.decode(text)[0])
    assert [None] == values.shown(text)


def loop():
    value = []
    value.append(value)
    return value


async def coroutine(): ...


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ((1, 2), "tuple cannot be sent over RPC."),
        ({"deep": [bytearray(b"x")]}, "bytearray cannot be sent over RPC."),
        (object(), "object cannot be sent over RPC."),
        (1 + 2j, "complex cannot be sent over RPC."),
        (loop(), "contains itself"),
    ],
    ids=["tuple", "bytearray", "object", "complex", "cycle"],
)
def test_what_cannot_cross_is_refused_by_name(value, complaint):
    """
    A value the platform would refuse raises a TypeError that names its type.
    """
    with pytest.raises(TypeError) as refused:
        values.encode(value)

    assert complaint in str(refused.value)


def test_an_awaitable_is_refused_with_a_hint():
    """
    A coroutine that somebody forgot to await is named as one.
    """
    forgotten = coroutine()

    with pytest.raises(TypeError, match="Awaitable coroutine cannot be sent over RPC"):
        values.encode([forgotten])

    forgotten.close()


def test_a_steps_result_may_be_a_tuple_or_a_bytearray():
    """
    Lenient encoding takes tuples as lists and bytearrays as bytes.
    """
    back = values.decode(values.encode({"pair": (1, bytearray(b"x"))}, lenient=True))

    assert {"pair": [1, b"x"]} == as_bytes(back)


@pytest.mark.parametrize(
    ("value", "too_large"),
    [
        ("x" * (values.LARGEST - 2), False),
        ("x" * (values.LARGEST - 1), True),
        (b"x" * values.LARGEST, False),
        (b"x" * (values.LARGEST + 1), True),
        ("é" * (values.LARGEST // 2 - 1), False),
        ("é" * (values.LARGEST // 2), True),
        ({"茶": "茶" * 349_520}, False),
        ({"茶": "茶" * 349_523}, True),
        ("🙂" * (values.LARGEST // 4 - 1), False),
        ("🙂" * (values.LARGEST // 4), True),
        ("x" * (4 * values.LARGEST), True),
    ],
    ids=[
        "text at the limit",
        "text over it",
        "bytes at the limit",
        "bytes over it",
        "two bytes a letter",
        "one letter more",
        "three bytes a letter",
        "one over",
        "four bytes a letter",
        "one emoji more",
        "much more",
    ],
)
def test_the_limit_counts_bytes_not_how_they_are_written(value, too_large):
    """
    A value is too large beyond 1 MiB of its own bytes; letters count as in UTF-8.
    """
    assert too_large is values.is_too_large(values.encode(value).encode())


def test_a_lone_surrogate_survives():
    """
    Text that is no valid UTF-8 still crosses.
    """
    assert "\ud800" == values.decode(values.encode("\ud800"))
