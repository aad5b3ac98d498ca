"""The local explorer's API: both prefixes, both spellings of a change, its own numbers of errors."""

import pytest
from api import CODE, EXPLORER, FLOW, Api

from emulator.api.explorer import OPERATIONS, PREFIXES

INSTANCES = "/workflows/order/instances"
COUNTS = ("queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting")


@pytest.fixture
async def explorer(emu):
    await emu.start(CODE, config=FLOW)
    return Api(emu, EXPLORER)


async def made(explorer, emu, id="one"):
    """An instance that waits for its retry."""
    await explorer.result("POST", INSTANCES, {"id": id, "params": {"a": 1}})
    await emu.settle()
    return f"{INSTANCES}/{id}"


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_the_api_is_under_both_prefixes(explorer, prefix):
    """
    Older clients ask under the shorter one; the prefix itself answers with the OpenAPI document.
    """
    listed = await explorer.result("GET", f"{prefix}/workflows")
    document = (await explorer.get(prefix)).json

    assert [{"name": "order", "class_name": "Order", "script_name": "test-worker"}] == listed
    assert prefix == document["servers"][0]["url"]
    assert len(OPERATIONS) == sum(len(methods) for methods in document["paths"].values())


async def test_a_workflow_counts_all_statuses(explorer, emu):
    """
    Every status is there, with zero where none is.
    """
    await made(explorer, emu)
    found = await explorer.result("GET", "/workflows/order")

    assert {status: int(status == "waiting") for status in COUNTS} == found["instances"]


async def test_instances_are_listed_with_the_counts(explorer, emu):
    """
    The newest first, with the number of each status beside the pages.
    """
    for id in ("one", "two"):
        await made(explorer, emu, id)
    answer = (await explorer.get(f"{INSTANCES}?status=waiting&per_page=1")).json

    assert [("two", "waiting")] == [(row["id"], row["status"]) for row in answer["result"]]
    assert (1, 1, 2, 2) == tuple(
        answer["result_info"][key] for key in ("page", "per_page", "total_count", "total_pages")
    )
    assert 2 == answer["result_info"]["status_counts"]["waiting"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["c", "b", "a"]),
        ("direction=asc", ["a", "b", "c"]),
        ("date_start=2030-01-01T01:00:00Z", ["c", "b"]),
        ("date_end=2030-01-01T01:00:00.000Z", ["b", "a"]),
        ("date_start=2030-01-01T00:30:00Z&date_end=2030-01-01T01:30:00Z", ["b"]),
        ("date_start=2030-01-02", []),
        ("date_end=2030-01-01T02:00:00Z&per_page=1&page=2", ["b"]),
        ("date_start=2030-01-01T00:00:00Z&status=errored&direction=asc&per_page=2", ["a", "b"]),
    ],
)
async def test_instances_are_listed_by_their_dates(explorer, emu, query, ids):
    """
    From one time to another, both counted in, in either direction; the total is that of what is asked for.
    """
    for id in ("a", "b", "c"):
        await made(explorer, emu, id)
        await emu.advance(hours=1)
    answer = (await explorer.get(f"{INSTANCES}?{query}")).json

    assert ids == [row["id"] for row in answer["result"]]
    assert "per_page=" in query or len(ids) == answer["result_info"]["total_count"]


async def test_the_workers_are_named(explorer):
    """
    With what they bind.
    """
    (shown,) = await explorer.result("GET", "/local/workers")

    assert ("test-worker", True) == (shown["name"], shown["isSelf"])
    assert [{"id": "orders", "bindingName": "ORDERS"}] == shown["bindings"]["queues"]


TICKS = """
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def scheduled(self, controller, env, ctx):
        print("tick", controller.cron, int(controller.scheduledTime))
        if controller.cron == "bad":
            raise ValueError("boom")
        if controller.cron == "last":
            controller.noRetry()
"""


@pytest.mark.parametrize(
    ("body", "outcome", "said"),
    [
        ({"cron": "* * * * *", "scheduled_time": 1000}, ("ok", False), "tick * * * * * 1000"),
        ({"cron": "last"}, ("ok", True), "tick last 1893456000000"),
        ({"cron": "bad"}, ("exception", False), "tick bad"),
        ({}, ("ok", False), "tick  1893456000000"),
    ],
    ids=["at a time", "no retry", "an exception", "no cron"],
)
async def test_a_tick_is_run_by_the_explorer(emu, body, outcome, said):
    """
    How it ended is the result, an exception too.
    """
    await emu.start(TICKS)
    told = await Api(emu, EXPLORER).result("POST", "/local/scheduled?worker=test-worker", body)

    assert outcome == (told["outcome"], told["noRetry"])
    assert said in emu.lines


async def test_a_tick_of_a_worker_that_is_not_there(emu):
    """
    It is said which there are; one that cannot be loaded says why.
    """
    await emu.start(TICKS)
    explorer = Api(emu, EXPLORER)

    assert (404, 10501) == (await explorer.error("POST", "/local/scheduled?worker=nope", {}))[:2]

    emu.save("entry.py", "import no_such_module")
    await emu.restart()
    status, _, why = await Api(emu, EXPLORER).error("POST", "/local/scheduled", {})

    assert (503, True) == (status, "no_such_module" in why)


async def test_a_detail_is_raw_json(explorer, emu):
    """
    Outputs are values, what waits has no end, and a received event is the whole event.
    """
    path = await made(explorer, emu)
    await emu.advance(seconds=1)
    (charge, rest) = (await explorer.result("GET", path))["steps"]

    assert ({"paid": 3}, None) == (charge["output"], rest["end"])

    await emu.advance(minutes=1)
    await explorer.result("POST", f"{path}/events/approve", {"by": "ann"})
    await emu.settle()
    shown = await explorer.result("GET", path)

    assert {"by": {"by": "ann"}} == shown["output"]
    assert {"versionId", "trigger", "success", "rollback"}.isdisjoint(shown)
    assert {"type": "approve", "payload": {"by": "ann"}, "timestamp": "2030-01-01T00:01:01.000Z"} == (
        shown["steps"][-1]["output"]
    )


@pytest.mark.parametrize("key", ["status", "action"])
async def test_a_change_is_spelled_in_two_ways(explorer, emu, key):
    """
    Newer clients say status, older ones action; the answer suits both.
    """
    path = await made(explorer, emu)
    paused = await explorer.result("PATCH", f"{path}/status", {key: "pause"})

    assert (True, "paused") == (paused["success"], paused["status"])
    assert "terminated" == (await explorer.result("PATCH", f"{path}/status", {key: "terminate"}))["status"]


async def test_instances_are_deleted_one_by_one_and_all(explorer, emu):
    """
    One, a batch, and the whole workflow.
    """
    for id in ("a", "b", "c", "d"):
        await made(explorer, emu, id)

    assert {"success": True} == await explorer.result("DELETE", f"{INSTANCES}/a")

    found = await explorer.result("POST", f"{INSTANCES}/batch/delete", {"instances": ["b", "nope"]})

    assert (["b"], ["nope"]) == ([row["id"] for row in found["deleted"]], [row["id"] for row in found["errors"]])
    assert {"status": "ok", "success": True} == await explorer.result("DELETE", "/workflows/order")
    assert [] == await explorer.result("GET", INSTANCES)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "words"),
    [
        ("GET", "/workflows/nope", None, 404, 10501, 'no workflow "nope"'),
        ("GET", f"{INSTANCES}/nope", None, 404, 10501, "does not exist"),
        ("DELETE", f"{INSTANCES}/nope", None, 404, 10501, "does not exist"),
        ("POST", INSTANCES, {"id": "one"}, 409, 10001, "already exists"),
        ("POST", INSTANCES, {"id": "a b"}, 400, 10001, "body.id"),
        ("POST", INSTANCES, b"{", 400, 10001, "no JSON"),
        ("PATCH", f"{INSTANCES}/one/status", {}, 400, 10001, "body.status"),
        ("PATCH", f"{INSTANCES}/one/status", {"action": "abort"}, 400, 10001, "body.action"),
        ("PATCH", f"{INSTANCES}/one/status", {"action": "resume"}, 409, 10001, "Cannot resume"),
        ("PATCH", f"{INSTANCES}/one/status", {"action": "pause", "rollback": True}, 400, 10001, "body.rollback"),
        ("PATCH", f"{INSTANCES}/one/status", {"action": "restart", "from": {}}, 400, 10001, "body.from.name"),
        ("GET", f"{INSTANCES}?page=0", None, 400, 10001, "page"),
        ("GET", "/nowhere", None, 404, 10003, "no route"),
    ],
)
async def test_errors_have_the_explorers_numbers(explorer, emu, method, path, body, status, code, words):
    """
    The status is right where the platform's explorer would say 500, and the message is the reason.
    """
    await made(explorer, emu)
    found = await explorer.error(method, path, body)

    assert (status, code) == found[:2]
    assert words in found[2]
