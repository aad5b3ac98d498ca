"""Several workers in one emulator: whose code runs, whose instances they are, and whose fault it is."""

import pytest
from flows import act, worker
from support import CONFIG, Emulated

from emulator.errors import ConfigError
from emulator.workflows.engine import Wanted

OWN = """
[[workflows]]
name = "order"
binding = "ORDER"
class_name = "Order"
"""

OTHERS = """
[[workflows]]
name = "order"
binding = "THEIR_ORDER"
class_name = "Order"
script_name = "owner"
"""

RUN = 'await step.sleep("nap", "1 hour")\nreturn [self.env.WHO, event["payload"], dir(self.env).count("THEIR_ORDER")]'


def config(name, more, entry="entry.py"):
    return CONFIG.replace("test-worker", name).replace("entry.py", entry) + f'\n[vars]\nWHO = "{name}"\n' + more


@pytest.fixture
async def two(tmp_path):
    """The owner of a workflow, and a caller that binds it: the caller is the one that browsers reach."""
    emu = Emulated(tmp_path)
    emu.configs = ["caller/wrangler.toml", "owner/wrangler.toml"]
    emu.save("caller/wrangler.toml", config("caller", OTHERS))
    emu.save("caller/entry.py", worker("return 1", name="Unused"))
    emu.save("owner/wrangler.toml", config("owner", OWN))
    emu.save("owner/entry.py", worker(RUN))
    yield emu
    await emu.stop()


async def test_the_class_runs_in_its_owner_with_its_owners_env(two):
    """
    Parameters come from whoever created the instance, code and env from the worker that defines the class.
    """
    await two.start()
    answer = await act(two, 'return (await env.THEIR_ORDER.create(id="one", params={"by": env.WHO})).id')
    await two.advance(hours=1)

    assert {"value": "one"} == answer

    status = await act(two, 'return await (await env.THEIR_ORDER.get("one")).status()')

    assert ["owner", {"by": "caller"}, 0] == status["value"]["output"]


async def test_both_see_the_same_instances(two):
    """
    What one creates the other finds, may pause, and refuses to create again.
    """
    await two.start()
    instance = await two.emulator.engine.create("order", Wanted(id="one"))
    await two.settle()
    answer = await act(
        two,
        """
one = await env.THEIR_ORDER.get("one")
await one.pause()
try:
    await env.THEIR_ORDER.create(id="one")
except Exception as error:
    return [(await one.status()).status, error.code]
""",
    )

    assert ["paused", "instance.already_exists"] == answer["value"]
    assert "paused" == str(two.emulator.engine.get("order", instance.id).status)


async def test_an_owner_that_is_not_served_is_named(two):
    """
    The error says which worker is missing and how to serve it too.
    """
    two.configs = ["caller/wrangler.toml"]
    await two.start()
    for call in ("create()", 'get("one")', "create_batch([{}])", 'delete_batch(["one"])'):
        answer = await act(two, f"await env.THEIR_ORDER.{call}")

        assert "workflow.not_found" == answer["code"]
        assert 'the worker "owner", which is not served here' in answer["message"]
        assert "-c" in answer["message"]


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        (config("caller", ""), 'it calls the worker "caller"'),
        (config("third", OWN), 'it defines the workflow "order"'),
    ],
    ids=["one name", "one workflow"],
)
async def test_what_two_claim_is_refused(two, second, complaint):
    """
    A name and a workflow belong to one worker; the message names both files.
    """
    two.configs = ["owner/wrangler.toml", "caller/wrangler.toml", "third/wrangler.toml"]
    two.save("third/wrangler.toml", second)
    two.save("third/entry.py", worker("return 1"))

    with pytest.raises(ConfigError, match=complaint) as refused:
        await two.start()

    assert "third" in str(refused.value)


async def test_a_config_that_comes_into_conflict_is_not_taken(two):
    """
    A save that claims what another worker has is shown as an error; both go on as they were.
    """
    await two.start()
    two.save("caller/wrangler.toml", config("caller", OWN))
    await two.reload()

    assert 'it defines the workflow "order"' in str(two.emulator.workers[0].error)

    order = await two.create("order")
    await two.advance(hours=1)

    assert "owner" == order.output[0]


async def test_a_broken_caller_does_not_stop_the_owner(two):
    """
    The owner's instances run although the other worker does not load.
    """
    two.save("caller/entry.py", "def broken(:")
    await two.start()
    order = await two.create("order")
    await two.advance(hours=1)

    assert "complete" == order.status


async def test_instances_of_a_broken_owner_queue_until_it_is_mended(two):
    """
    They are created all the same, and run when their worker loads.
    """
    two.save("owner/entry.py", "def broken(:")
    await two.start()
    answer = await act(two, 'return (await (await env.THEIR_ORDER.create(id="one")).status()).status')

    assert {"value": "queued"} == answer

    two.save("owner/entry.py", worker(RUN))
    await two.emulator.reload(two.emulator.workers[1])
    await two.advance(hours=1)

    assert "complete" == str(two.emulator.engine.get("order", "one").status)


async def test_a_reload_of_one_leaves_the_other_alone(two):
    """
    An owner's instance goes on in its pass when the caller is saved.
    """
    await two.start()
    await two.create("order", id="one")
    run = two.emulator.engine._passes.of(two.emulator.engine.get("order", "one"))
    await two.reload()

    assert run.live


async def test_an_owner_that_went_comes_back_with_its_instances(two):
    """
    Instances of a worker that is not served this time stay as they are.
    """
    await two.start()
    await two.create("order", id="one")
    await two.stop()
    two.configs = ["caller/wrangler.toml"]
    await two.start()
    await two.advance(hours=5)

    assert "waiting" == str(two.emulator.engine.get("order", "one").status)

    await two.stop()
    two.configs = ["caller/wrangler.toml", "owner/wrangler.toml"]
    two.options["persist_to"] = None
    await two.start()

    assert "complete" == str(two.emulator.engine.get("order", "one").status)


@pytest.mark.slow
async def test_two_workers_in_processes_of_their_own(tmp_path):
    """
    Both have an entry.py and a module of one name; each sees its own.
    """
    emu = Emulated(tmp_path, processes=True)
    emu.configs = ["caller/wrangler.toml", "owner/wrangler.toml"]
    emu.save("caller/wrangler.toml", config("caller", OTHERS))
    emu.save("caller/entry.py", "import own\n" + worker("return 1", name="Unused"))
    emu.save("caller/own.py", 'WHO = "caller"')
    emu.save("owner/wrangler.toml", config("owner", OWN))
    emu.save("owner/entry.py", "import own\n" + worker("return own.WHO"))
    emu.save("owner/own.py", 'WHO = "owner"')
    try:
        await emu.start()
        answer = await act(emu, 'await env.THEIR_ORDER.create(id="one")\nreturn own.WHO')
        await emu.settle()

        assert {"value": "caller"} == answer
        assert '"owner"' == emu.emulator.engine.get("order", "one").output
    finally:
        await emu.stop()
