"""One clock: it wakes in order, each sleeper at its own moment, whoever moves it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.clock import ManualClock, SystemClock

START = datetime(2030, 1, 1, tzinfo=UTC)


def seconds(number):
    return timedelta(seconds=number)


async def sleeper(clock, after, woken):
    await clock.sleep_until(START + seconds(after))
    woken.append((after, clock.now() - START))


async def turns():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_moment_that_has_passed_is_not_waited_for():
    """
    Sleeping until now or earlier returns at once.
    """
    clock = ManualClock(START)

    await clock.sleep_until(START)
    await clock.sleep_until(START - seconds(1))

    assert START == clock.now()


@given(st.lists(st.integers(1, 100), max_size=12))
def test_sleepers_wake_in_order_and_the_clock_stands_at_each_ones_moment(naps):
    """
    Advancing past many sleepers wakes them by time, and each reads its own time.
    """

    async def story():
        clock = ManualClock(START)
        clock.settled = turns
        woken = []
        tasks = [asyncio.create_task(sleeper(clock, nap, woken)) for nap in naps]
        await turns()
        await clock.advance(seconds(100))
        await asyncio.gather(*tasks)
        return woken, clock.now()

    woken, now = asyncio.run(story())

    assert sorted(naps) == [nap for nap, _ in woken]
    assert all(seconds(nap) == at for nap, at in woken)
    assert START + seconds(100) == now


async def test_what_a_woken_one_starts_is_still_on_the_way():
    """
    A sleeper that sleeps again, within the time that is being passed, wakes again.
    """
    clock = ManualClock(START)
    clock.settled = turns
    ticks = []

    async def tick():
        for minute in range(1, 5):
            await clock.sleep_until(START + timedelta(minutes=minute))
            ticks.append(minute)

    task = asyncio.create_task(tick())
    await clock.advance(timedelta(minutes=3))

    assert [1, 2, 3] == ticks

    task.cancel()


async def test_a_cancelled_sleeper_is_forgotten():
    """
    A sleep that was cancelled neither wakes nor stands in the way of others.
    """
    clock = ManualClock(START)
    clock.settled = turns
    woken = []
    gone = asyncio.create_task(sleeper(clock, 1, woken))
    stays = asyncio.create_task(sleeper(clock, 2, woken))
    await turns()

    gone.cancel()
    await clock.advance(seconds(3))
    await stays

    assert [2] == [after for after, _ in woken]


async def test_setting_the_clock_back_wakes_nobody():
    """
    A clock set to an earlier time keeps its sleepers asleep.
    """
    clock = ManualClock(START)
    clock.settled = turns
    woken = []
    task = asyncio.create_task(sleeper(clock, 10, woken))
    await turns()

    await clock.move_to(START - timedelta(days=1))

    assert [] == woken
    assert START - timedelta(days=1) == clock.now()

    task.cancel()


async def test_the_system_clock_wakes_by_itself_and_can_be_moved():
    """
    The machine's clock wakes a sleeper in real time; an offset makes a month pass at once, and can be taken back.
    """
    clock = SystemClock()
    soon = clock.now() + timedelta(milliseconds=20)

    await clock.sleep_until(soon)

    assert clock.now() >= soon

    month = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(days=30)))
    await turns()
    await clock.advance(timedelta(days=31))
    await month

    assert clock.offset > timedelta(days=30)

    clock.reset()

    assert abs(clock.now() - datetime.now(UTC)) < seconds(1)


async def test_sleepers_that_left_are_not_kept():
    """
    Ten thousand sleeps that were cancelled cost nothing until their time comes.
    """
    clock = ManualClock(START)
    stays = asyncio.ensure_future(clock.sleep_until(START + seconds(5)))
    for _ in range(10):
        leaving = [asyncio.ensure_future(clock.sleep_until(START + seconds(9))) for _ in range(1_000)]
        await turns()
        for each in leaving:
            each.cancel()
        await turns()

    assert len(clock._timers) < 2_000

    await clock.advance(seconds(5))
    await turns()

    assert stays.done()


async def test_two_who_advance_at_once_advance_by_both():
    """
    A later advance counts from where the one before it ends, and never sets the clock back.
    """
    clock = ManualClock(START)
    clock.settled = turns

    await asyncio.gather(clock.advance(timedelta(days=10)), clock.advance(timedelta(hours=1)))

    assert START + timedelta(days=10, hours=1) == clock.now()


async def test_an_advance_is_exact():
    """
    The time that moving takes is not taken off: an hour is an hour, to the microsecond.
    """
    clock = SystemClock()

    async def slowly():
        await asyncio.sleep(0.01)

    clock.settled = slowly
    await clock.advance(timedelta(hours=1))
    await clock.advance(timedelta(minutes=30))

    assert timedelta(minutes=90) == clock.offset


async def test_how_far_ahead_it_is():
    """
    Also on the way: at each moment that it stands at. A clock of its own is never ahead of the machine's.
    """
    clock, on_the_way = SystemClock(), []

    async def settled():
        on_the_way.append(clock.ahead)

    clock.settled = settled
    sleeper = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(minutes=30)))
    await turns()
    await clock.advance(timedelta(hours=1))
    await sleeper

    assert timedelta(hours=1) == clock.ahead
    assert [0, 30] == [round(each / timedelta(minutes=1)) for each in on_the_way]
    assert timedelta() == ManualClock().ahead


async def test_a_reset_ends_a_move():
    """
    Whoever moved too far need not wait until it gets there.
    """
    clock = SystemClock()
    steps = []

    async def settled():
        steps.append(clock.now())
        await asyncio.sleep(0)
        if len(steps) == 3:
            clock.reset()

    async def every_hour():
        while True:
            await clock.sleep_until(clock.now() + timedelta(hours=1))

    clock.settled = settled
    ticking = asyncio.ensure_future(every_hour())
    await asyncio.sleep(0)
    await clock.advance(timedelta(days=3000))
    ticking.cancel()

    assert timedelta() == clock.offset
    assert len(steps) < 10


async def an_hour_at_a_time(clock, steps):
    """A sleeper that wakes at each hour, for ever."""
    while True:
        await clock.sleep_until(clock.now() + timedelta(hours=1))
        steps.append(clock.now())


@pytest.mark.parametrize("kind", [ManualClock, SystemClock])
async def test_a_move_that_is_called_off_stands_where_it_has_come_to(kind):
    """
    What fell due on the way has happened; it must not fall due once more.
    """
    clock, steps = kind(), []
    began = clock.now()
    moving = asyncio.ensure_future(clock.advance(timedelta(days=3000)))

    async def settled():
        await asyncio.sleep(0)
        if len(steps) == 5:
            moving.cancel()
            await asyncio.sleep(0)

    clock.settled = settled
    ticking = asyncio.ensure_future(an_hour_at_a_time(clock, steps))
    with pytest.raises(asyncio.CancelledError):
        await moving
    ticking.cancel()

    assert 5 == len(steps)
    assert timedelta(0) <= clock.now() - steps[-1] < seconds(1)
    assert timedelta(hours=5) <= clock.now() - began < timedelta(hours=5, seconds=1)
    assert clock.moving_to is None


async def test_a_move_says_how_far_it_goes():
    """
    Whoever looks on meanwhile sees where it stands and where it is going.
    """
    clock, seen, steps = ManualClock(START), [], []

    async def settled():
        await asyncio.sleep(0)
        seen.append((clock.now() - START, clock.moving_to))

    clock.settled = settled
    ticking = asyncio.ensure_future(an_hour_at_a_time(clock, steps))
    await asyncio.sleep(0)
    await clock.advance(timedelta(hours=3))
    ticking.cancel()

    assert [timedelta(hours=hour) for hour in range(4)] == sorted({at for at, _ in seen})
    assert {START + timedelta(hours=3)} == {to for _, to in seen}
    assert clock.moving_to is None


async def test_who_begins_to_wait_after_the_machine_has_slept_is_woken_in_time(monkeypatch):
    """
    The timer that was set before stands still while the machine sleeps, and must not be waited for.
    """
    clock = SystemClock()
    long = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(hours=1)))
    await turns()
    monkeypatch.setattr(clock, "_flowing", lambda: datetime.now(UTC) + timedelta(minutes=10))

    async with asyncio.timeout(5):
        await clock.sleep_until(clock.now() + seconds(0.01))

    assert not long.done()

    long.cancel()
