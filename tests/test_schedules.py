"""A workflow's own crons: an instance for each tick, once."""

import pytest
from flows import ORDER, worker
from support import Handle

from emulator.clock import ManualClock
from emulator.store.listing import Listing

HOURLY = ORDER + 'schedules = "0 * * * *"\n'
ECHO = """
return [event["payload"], dict(event["schedule"]), "schedule" in event, event["instanceId"]]
"""


def instances(emu, workflow="order"):
    """All instances, oldest first."""
    return emu.emulator.store.instances.listed(Listing(workflow=workflow, oldest_first=True, limit=1000))


def milliseconds(emu):
    return int(emu.clock.now().timestamp() * 1000)


async def test_each_tick_makes_an_instance(emu):
    """
    Its id is the cron and the time of the tick; the event says both, and who asks is told a cron did it.
    """
    await emu.start(worker(ECHO), config=HOURLY)
    await emu.advance(hours=1)
    (one,) = instances(emu)
    id = f"0 * * * *-{milliseconds(emu)}"

    assert (id, "cron", "complete") == (one.id, str(one.trigger), str(one.status))

    told = {"cron": "0 * * * *", "scheduledTime": milliseconds(emu)}

    assert [{}, told, True, id] == Handle(emu, "order", one.id).output

    await emu.advance(hours=3)

    assert 4 == len(instances(emu))


async def test_an_instance_of_any_other_origin_has_no_schedule(emu):
    """
    Only scheduled instances have `event.schedule`.
    """
    await emu.start(worker('return "schedule" in event'), config=HOURLY)

    assert (await emu.create("order")).output is False


async def test_several_crons_tick_each(emu):
    """
    Two crons that fall on one minute make two instances, told apart by their cron.
    """
    await emu.start(worker(ECHO), config=ORDER + 'schedules = ["0 * * * *", "*/30 * * * *"]\n')
    await emu.advance(hours=1)

    assert ["*/30 * * * *", "*/30 * * * *", "0 * * * *"] == sorted(each.id.rsplit("-", 1)[0] for each in instances(emu))


async def test_two_workflows_of_one_cron_both_start(emu):
    """
    A cron belongs to each workflow that names it.
    """
    second = HOURLY.replace('"order"', '"again"').replace("ORDER", "AGAIN")
    await emu.start(worker(ECHO), config=HOURLY + second)
    await emu.advance(hours=1)

    assert (1, 1) == (len(instances(emu)), len(instances(emu, "again")))


async def test_without_crons_nothing_is_scheduled(emu):
    """
    The switch for the worker's crons is the one for the workflows' too.
    """
    emu.options["crons"] = False
    await emu.start(worker(ECHO), config=HOURLY)
    await emu.advance(days=1)

    assert [] == instances(emu)


async def test_a_reload_changes_the_schedules(emu):
    """
    Those that are gone tick no more, new ones do, and those that stay keep their rhythm.
    """
    await emu.start(worker(ECHO), config=HOURLY)
    await emu.advance(minutes=30)
    emu.save("wrangler.toml", emu.config.replace("0 * * * *", "*/10 * * * *"))
    await emu.reload()
    await emu.advance(minutes=30)

    assert {"*/10 * * * *"} == {each.id.rsplit("-", 1)[0] for each in instances(emu)}
    assert 3 == len(instances(emu))

    emu.save("wrangler.toml", emu.config.replace('schedules = "0 * * * *"\n', ""))
    await emu.reload()
    await emu.advance(hours=1)

    assert 3 == len(instances(emu))


async def test_a_reload_between_two_ticks_ticks_once(emu):
    """
    However often it is reloaded, also on the minute, a tick makes one instance.
    """
    await emu.start(worker(ECHO), config=HOURLY)
    for _ in range(6):
        await emu.advance(minutes=20)
        await emu.reload()

    assert 2 == len(instances(emu))


@pytest.mark.parametrize("end", ["stop", "crash"])
async def test_a_tick_never_comes_twice(emu, end):
    """
    An emulator that is started again, on a clock that stands before the tick, does not repeat it.
    """
    await emu.start(worker(ECHO), config=HOURLY)
    await emu.advance(hours=1)
    await getattr(emu, end)()
    emu.clock = ManualClock()
    await emu.start()
    await emu.advance(hours=2)

    assert 2 == len(instances(emu))
    assert 2 == len({each.id for each in instances(emu)})


async def test_ticks_that_passed_while_nobody_ran_are_not_made_up_for(emu):
    """
    As on the platform.
    """
    await emu.start(worker(ECHO), config=HOURLY)
    await emu.stop()
    emu.clock = ManualClock(emu.clock.now().replace(hour=5, minute=30))
    await emu.start()

    assert [] == instances(emu)

    await emu.advance(minutes=30)

    assert 1 == len(instances(emu))


async def test_a_worker_that_is_broken_still_has_its_schedules(emu):
    """
    The last good version goes on; the instance of a tick runs.
    """
    await emu.start(worker(ECHO), config=HOURLY)
    await emu.reload("def broken(:")
    await emu.advance(hours=1)

    assert ["complete"] == [str(each.status) for each in instances(emu)]
