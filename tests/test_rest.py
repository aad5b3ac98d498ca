"""The platform's REST API: routes, envelopes, errors, pages; and its own Python client, unmodified."""

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from api import ACCOUNT, CODE, FLOW, Api

from emulator.api import hints, openapi, rest, schema
from emulator.api.envelope import ALL
from emulator.models import Step, StepKind, StepState
from emulator.store.listing import Listing

PROJECT = Path(__file__).parent.parent
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
INSTANCES = "/workflows/order/instances"


@pytest.fixture
async def api(emu):
    await emu.start(CODE, config=FLOW)
    return Api(emu)


async def made(api, emu, id="one", params=None):
    """An instance that waits for its retry."""
    await api.result("POST", INSTANCES, {"instance_id": id, "params": params or {}})
    await emu.settle()
    return f"{INSTANCES}/{id}"


# Workflows and versions


async def test_workflows_are_listed_with_their_counts(api, emu):
    """
    A workflow has its class, its worker, ISO times and the number of instances of every status.
    """
    await made(api, emu)
    answer = await api.get("/workflows?page=1")
    (found,) = answer.json["result"]

    assert {"per_page": 10, "count": 1, "total_count": 1, "page": 1, "total_pages": 1} == answer.json["result_info"]
    assert ("order", "Order", "test-worker") == (found["name"], found["class_name"], found["script_name"])
    assert re.fullmatch(UUID, found["id"])
    assert all(re.fullmatch(TIME, found[key]) for key in ("created_on", "modified_on", "triggered_on"))
    assert {"waiting": 1} == {status: count for status, count in found["instances"].items() if count}
    assert 9 == len(found["instances"])


@pytest.mark.parametrize(
    ("query", "count"),
    [("page=2", 0), ("page=2.0", 0), ("search=ord", 1), ("search=tea", 0), ("per_page=1&page=1", 1), ("", 1)],
)
async def test_the_list_of_workflows_has_pages_and_a_search(api, query, count):
    """
    A page after the last is empty, which is how clients know that they have seen all.
    """
    assert count == len(await api.result("GET", f"/workflows?{query}"))


async def test_a_workflow_is_what_the_config_says(api):
    """
    PUT agrees to what the config says, and refuses anything else; what it does not apply it names.
    """
    agreed = await api.ask(
        "PUT", "/workflows/order", {"class_name": "Order", "script_name": "test-worker", "limits": {"steps": 5}}
    )
    refused = await api.error("PUT", "/workflows/order", {"class_name": "Tea", "script_name": "test-worker"})

    assert 0 == agreed.json["result"]["is_deleted"]
    assert "limits: not applied" in agreed.json["messages"][0]["message"]
    assert (409, 10201) == refused[:2]
    assert 'class_name of order is "Order"' in refused[2]


async def test_deleting_a_workflow_deletes_its_instances(api, emu):
    """
    All instances go, the workflow stays.
    """
    for number in range(3):
        await made(api, emu, f"i{number}")

    assert {"status": "ok", "success": True} == await api.result("DELETE", "/workflows/order")
    assert [] == await api.result("GET", INSTANCES)
    assert "order" == (await api.result("GET", "/workflows/order"))["name"]


async def test_a_save_that_changes_the_code_is_a_version(api, emu):
    """
    The newest version comes first; an instance names the one that created it; going back finds the old id again.
    """
    await made(api, emu)
    await emu.advance(minutes=1)
    await emu.reload(CODE.replace("1 hour", "2 hours"))
    newest, oldest = await api.result("GET", "/workflows/order/versions")
    await made(api, emu, "two")
    two, one = await api.result("GET", INSTANCES)

    assert (newest["id"], oldest["id"]) == (two["version_id"], one["version_id"])

    await emu.advance(minutes=1)
    await emu.reload(CODE)
    (first, *_) = await api.result("GET", "/workflows/order/versions")

    assert oldest["id"] == first["id"]
    assert first == await api.result("GET", f"/workflows/order/versions/{first['id']}")


async def test_a_reload_without_a_change_is_no_version(api, emu):
    """
    Versions are of code, not of loads, and have the same id in the next emulator.
    """
    await emu.reload(CODE)
    (before,) = await api.result("GET", "/workflows/order/versions")
    await emu.restart()
    (after,) = await Api(emu).result("GET", "/workflows/order/versions")

    assert before["id"] == after["id"]


async def test_a_version_has_the_graph_of_its_source(api, emu):
    """
    The steps of the code that was loaded, also after it has changed.
    """
    (version,) = await api.result("GET", "/workflows/order/versions")
    await emu.reload(CODE.replace('"charge"', '"bill"'))
    graph = (await api.result("GET", f"/workflows/order/versions/{version['id']}/graph"))["graph"]

    names = [node["name"] for node in graph["workflow"]["nodes"]]

    assert ["charge", "rest", "approval"] == names
    assert "Order" == graph["workflow"]["class_name"]


async def test_a_workflow_that_never_loaded_has_a_version_all_the_same(emu):
    """
    Clients take the first version without looking; there is one, without a graph.
    """
    await emu.start("not python", config=FLOW)
    (version,) = await Api(emu).result("GET", "/workflows/order/versions")
    shown = await Api(emu).result("GET", f"/workflows/order/versions/{version['id']}/graph")

    assert shown["graph"] is None
    assert not version["has_dag"]


# Instances


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (None, {}),
        ({}, {}),
        ({"params": {"a": 1}}, {"a": 1}),
        ({"params": '{"a": 1}'}, {"a": 1}),
        ({"params": "plain text"}, "plain text"),
        ({"params": [1, None]}, [1, None]),
        ({"params": {"$": "x"}}, {"$": "x"}),
        ({"params": {"$": "bytes", "v": "no base64"}}, {"$": "bytes", "v": "no base64"}),
        ({"params": None}, None),
        ({"params": 2**60}, 2**60),
        ({"location_hint": "weur", "instance_retention": {"success_retention": "5 minutes"}}, {}),
    ],
    ids=repr,
)
async def test_an_instance_is_created_with_its_params(api, emu, body, params):
    """
    Params are any JSON, and text that holds JSON is that JSON; without a body there are none.
    """
    created = await api.result("POST", INSTANCES, body)

    assert ("queued", "api") == (created["status"], created["trigger_source"])

    shown = await api.result("GET", f"{INSTANCES}/{created['id']}")

    assert params == shown["params"]


async def test_an_instance_shows_its_whole_history(api, emu):
    """
    Status, steps, attempts and errors in the platform's form; what still waits shows when it will end.
    """
    path = await made(api, emu, params={"a": 1})
    await emu.advance(seconds=1)
    shown = await api.result("GET", path)
    charge, rest = shown["steps"]

    assert ("waiting", None, "null", 2) == (shown["status"], shown["success"], shown["output"], shown["step_count"])
    assert {"a": 1} == shown["params"]
    assert ("step", "charge-1", True, '{"paid":3}') == tuple(
        charge[key] for key in ("type", "name", "success", "output")
    )
    assert [False, True] == [attempt["success"] for attempt in charge["attempts"]]
    assert {"name": "ValueError", "message": "boom"} == charge["attempts"][0]["error"]
    assert ("sleep", False, "2030-01-01T00:01:01.000Z") == (rest["type"], rest["finished"], rest["end"])


async def test_a_finished_instance_shows_its_output_as_text(api, emu):
    """
    The output is JSON text; an event's payload is the output of its wait.
    """
    path = await made(api, emu)
    await emu.advance(minutes=2)
    sent = await api.result("POST", f"{path}/events/approve", {"ok": 1})
    await emu.settle()
    shown = await api.result("GET", f"{path}?order=desc")

    assert "one" == sent["instanceId"]
    assert ("complete", True, '{"by":{"ok":1}}') == (shown["status"], shown["success"], shown["output"])
    assert ["approval-1", "rest-1", "charge-1"] == [step["name"] for step in shown["steps"]]
    assert ('{"ok":1}', "approve") == (shown["steps"][0]["output"], shown["steps"][0]["event_type"])


async def test_a_simple_answer_counts_the_steps_only(api, emu):
    """
    `simple=true` leaves the steps out.
    """
    shown = await api.result("GET", f"{await made(api, emu)}?simple=true")

    assert ([], 1) == (shown["steps"], shown["step_count"])


async def test_a_single_step_and_a_single_attempt_can_be_asked_for(api, emu):
    """
    A step has its whole output; a failed attempt has its error; what is not there is 404.
    """
    path = await made(api, emu)
    await emu.advance(seconds=1)

    whole = await api.result("GET", f"{path}/step?name=charge-1&type=step")
    failed = await api.result("GET", f"{path}/step?name=charge-1&type=step&attempt=1")

    assert {"status": "complete", "error": None, "output": {"paid": 3}} == whole
    assert {"status": "errored", "error": {"name": "ValueError", "message": "boom"}} == failed
    assert (404, 10403) == (await api.error("GET", f"{path}/step?name=charge-1&type=step&attempt=9"))[:2]
    assert (404, 10403) == (await api.error("GET", f"{path}/step?name=charge-1&type=waitForEvent"))[:2]
    assert (400, 10002) == (await api.error("GET", f"{path}/step?name=charge-1"))[:2]


@pytest.mark.parametrize(
    ("begin", "told"),
    [
        ({"name": "charge-1"}, "; a name stands without its counter: there are charge, rest (type: sleep)"),
        ({"name": "rest"}, "; there are rest (type: sleep), charge"),
        ({"name": "charge", "count": 2}, "; there are charge, rest (type: sleep)"),
        ({"name": "nope-1"}, "; there are charge, rest (type: sleep)"),
    ],
    ids=["with-its-counter", "of-another-type", "of-another-count", "unknown"],
)
async def test_a_restart_from_a_step_that_is_not_there_says_which_are(api, emu, begin, told):
    """
    The platform's own words first; then the steps there are, those of a like name before the others.
    """
    path = await made(api, emu)
    await emu.advance(seconds=1)
    found = await api.error("PATCH", f"{path}/status", {"status": "restart", "from": begin})

    assert (409, 10406, f'Step "{begin["name"]}" not found in execution history{told}') == found


async def test_a_step_that_is_not_there_is_answered_with_those_that_are(api, emu):
    """
    By the names and types that the route takes: the name carries its counter.
    """
    path = await made(api, emu)
    found = await api.error("GET", f"{path}/step?name=charge&type=step")

    assert (404, 10403, 'one has no step "charge"; there are charge-1 (type: step)') == found


def test_a_long_list_of_steps_is_cut():
    """
    The one that was nearly named stands first all the same.
    """
    at = datetime(2030, 1, 1, tzinfo=UTC)
    steps = [
        Step(instance=1, kind=StepKind.DO, name=f"s{n}", count=1, order=n, state=StepState.DONE, started_at=at)
        for n in range(30)
    ]
    told = hints.to_begin_from(steps, "s29-1")

    assert told.startswith("a name stands without its counter: there are s29, s0, s1, ")
    assert told.endswith("s18 and 10 more")
    assert "there are none yet" == hints.to_begin_from([], "s29-1")


@pytest.mark.parametrize(
    ("config", "kind"),
    [("", "application/octet-stream"), (', "sensitive": "output"', "application/json")],
    ids=["open", "sensitive"],
)
async def test_a_step_that_is_a_stream_comes_as_its_bytes(emu, config, kind):
    """
    All of them, where the detail has a preview; one that is sensitive stays an envelope that shows nothing.
    """
    code = CODE.replace('return {"paid": 3}', "return pieces()").replace(
        '"delay": "1 second"}', f'"delay": 0}}{config}'
    )
    await emu.start(f"async def pieces():\n    yield b'one '\n    yield b'\\xfftwo'\n{code}", config=FLOW)
    api = Api(emu)
    path = await made(api, emu)
    await emu.advance(seconds=1)
    answer = await api.get(f"{path}/step?name=charge-1&type=step")

    assert kind == answer.header("content-type")
    assert config or b"one \xfftwo" == answer.body
    assert not config or "[REDACTED]" == answer.json["result"]["output"]


async def test_a_life_cycle_by_patch(api, emu):
    """
    Pause, resume, restart from a step, terminate; each answers with the status it led to.
    """
    path = await made(api, emu)
    await emu.advance(seconds=1)

    assert "paused" == (await api.result("PATCH", f"{path}/status", {"status": "pause"}))["status"]

    await api.result("PATCH", f"{path}/status", {"status": "resume"})
    await emu.settle()
    await api.result("PATCH", f"{path}/status", {"status": "restart", "from": {"name": "rest", "type": "sleep"}})
    await emu.settle()
    shown = await api.result("GET", path)

    assert ["charge-1", "rest-1"] == [step["name"] for step in shown["steps"]]
    assert "terminated" == (await api.result("PATCH", f"{path}/status", {"status": "terminate"}))["status"]

    ended = await api.result("GET", path)

    assert {"type": "termination", "trigger": {"source": "user"}} == ended["steps"][-1]
    assert ended["success"] is False


async def test_a_batch_creates_what_is_free(api, emu):
    """
    Ids that exist are left out; one that is wrong refuses the batch.
    """
    await made(api, emu)
    found = await api.result("POST", f"{INSTANCES}/batch", [{"instance_id": "one"}, {"instance_id": "two"}, {}])

    assert ("two", 2) == (found[0]["id"], len(found))
    assert 400 == (await api.error("POST", f"{INSTANCES}/batch", [{"instance_id": "a b"}, {}]))[0]
    assert 3 == len(await api.result("GET", INSTANCES))


async def test_many_are_terminated_and_deleted_at_once(api, emu):
    """
    The batch routes, and the route for all of a status.
    """
    for id in ("a", "b", "c"):
        await made(api, emu, id)

    assert {"status": "ok", "instancesTerminated": 1} == await api.result(
        "POST", f"{INSTANCES}/batch/terminate", ["a", "a", "nope"]
    )
    assert {"status": "not_running"} == await api.result("GET", f"{INSTANCES}/terminate")
    assert {"status": "ok"} == await api.result("PUT", f"{INSTANCES}/terminate?status=running")
    assert 2 == len(await api.result("GET", f"{INSTANCES}?status=waiting"))
    assert {"status": "ok"} == await api.result("PUT", f"{INSTANCES}/terminate")
    assert 3 == len(await api.result("GET", f"{INSTANCES}?status=terminated"))

    found = await api.result("POST", f"{INSTANCES}/batch/delete", {"instances": ["a", "nope"]})

    assert [{"id": "a"}] == found["deleted"]
    assert [("nope", 10400)] == [(error["id"], error["code"]) for error in found["errors"]]
    assert "b" == (await api.result("DELETE", f"{INSTANCES}/b"))["instanceId"]
    assert ["c"] == [row["id"] for row in await api.result("GET", INSTANCES)]


@pytest.mark.parametrize("id", ["*/5 * * * *-1893456000000", "0 12 * * MON#2-1893456000000"])
async def test_the_instances_of_a_cron_can_be_addressed(api, emu, id):
    """
    Their ids have blanks, slashes, stars and hashes; escaped once, they are ids like any other.
    """
    emu.emulator.engine  # noqa: B018 - started
    with emu.emulator.store.transaction():
        emu.emulator.store.instances.add("order", id, params="{}", trigger="cron", at=emu.clock.now())
    await emu.emulator.store.durable()
    path = f"{INSTANCES}/{id.replace('/', '%2F').replace(' ', '%20').replace('#', '%23')}"

    assert "queued" == (await api.result("GET", path))["status"]
    assert "terminated" == (await api.result("PATCH", f"{path}/status", {"status": "terminate"}))["status"]
    assert id == (await api.result("DELETE", path))["instanceId"]


# Pages


@pytest.fixture
async def many(api, emu):
    """Seven instances, a minute apart; nobody runs them."""
    with emu.emulator.store.transaction():
        for number in range(7):
            added = emu.emulator.store.instances.add(
                "order", f"i{number}", params="{}", trigger="api", at=emu.clock.now()
            )
            emu.emulator.store.instances.change(
                added.key, at=emu.clock.now(), status="errored" if number % 2 else "complete"
            )
            emu.clock._jump(emu.clock.now().replace(minute=number + 1))
    await emu.emulator.store.durable()
    return api


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", "6543210"),
        ("per_page=2", "65"),
        ("per_page=2&page=2", "43"),
        ("per_page=2&page=4", "0"),
        ("per_page=2&page=5", ""),
        ("direction=asc&per_page=3", "012"),
        ("status=errored", "531"),
        ("status=errored&per_page=1&page=2", "3"),
        ("status=queued", ""),
        ("status=rollingBack", ""),
        ("date_start=2030-01-01T00:05:00.000Z", "65"),
        ("date_end=2030-01-01T00:01:00.000Z", "10"),
        ("date_start=2030-01-01T00%3A02%3A00Z&date_end=2030-01-01T00:03:00Z&direction=asc", "23"),
        ("date_end=2030-01-01T01:01:00%2B01:00", "10"),
    ],
)
async def test_lists_have_pages_filters_and_a_direction(many, query, ids):
    """
    The newest first unless asked otherwise; filters and pages go together.
    """
    found = await many.result("GET", f"{INSTANCES}?{query}")

    assert [f"i{number}" for number in ids] == [row["id"] for row in found]


@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_cursors_lead_through_all_and_end(many, direction):
    """
    Following the cursor shows every instance once; the last page has none. The total does not change on the way.
    """
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        query = f"per_page=3&direction={direction}" + (f"&cursor={cursor}" if cursor else "")
        answer = (await many.get(f"{INSTANCES}?{query}")).json
        seen += [row["id"] for row in answer["result"]]
        cursor, pages = answer["result_info"].get("cursor"), pages + 1

        assert 7 == answer["result_info"]["total_count"]

    assert 3 == pages
    assert sorted(seen, reverse=direction == "desc") == seen
    assert 7 == len(set(seen))


async def test_pages_count_from_a_cursor_on(many):
    """
    A client that sends a cursor with every page comes to an end, too.
    """
    cursor = (await many.get(f"{INSTANCES}?per_page=2")).json["result_info"]["cursor"]
    pages = [await many.result("GET", f"{INSTANCES}?per_page=2&cursor={cursor}&page={page}") for page in (1, 2, 3, 4)]

    assert ["i4", "i3", "i2", "i1", "i0"] == [row["id"] for page in pages for row in page]


async def test_a_long_list_is_quick(api, emu):
    """
    A page, and the counts, of ten thousand finished instances take milliseconds.
    """
    with emu.emulator.store.transaction():
        for number in range(10_000):
            added = emu.emulator.store.instances.add(
                "order", f"i{number}", params='{"a":1}', trigger="api", at=emu.clock.now()
            )
            emu.emulator.store.instances.change(added.key, at=emu.clock.now(), status="complete", output='"x"')
    await emu.emulator.store.durable()
    table, times = emu.emulator.store.instances, []
    for _ in range(21):
        began = time.perf_counter()
        table.listed(Listing(workflow="order", limit=100, offset=9_000))
        table.count_by_status("order")
        times.append(time.perf_counter() - began)

    assert sorted(times)[10] < 0.01


# Errors

GOOD = {"class_name": "Order", "script_name": "test-worker"}
DEEP = b"[" * 100_000 + b"]" * 100_000
REFUSED = [
    ("GET", "/workflows/nope", None, 404, 10200),
    ("GET", "/workflows/nope/instances", None, 404, 10200),
    ("POST", "/workflows/nope/instances", {}, 404, 10200),
    ("GET", f"{INSTANCES}/nope", None, 404, 10400),
    ("DELETE", f"{INSTANCES}/nope", None, 404, 10400),
    ("PATCH", f"{INSTANCES}/nope/status", {"status": "pause"}, 404, 10400),
    ("POST", f"{INSTANCES}/nope/events/go", {}, 404, 10400),
    ("GET", "/workflows/order/versions/00000000-0000-4000-8000-000000000000", None, 404, 10300),
    ("GET", "/nowhere", None, 404, 10003),
    ("PURGE", "/workflows", None, 405, 10003),
    ("POST", INSTANCES, {"instance_id": "one"}, 409, 10405),
    ("PATCH", f"{INSTANCES}/one/status", {"status": "resume"}, 409, 10406),
    ("PATCH", f"{INSTANCES}/one/status", {"status": "restart", "from": {"name": "nope"}}, 409, 10406),
    ("PATCH", f"{INSTANCES}/one/status", {"status": "abort"}, 400, 10002),
    ("PATCH", f"{INSTANCES}/one/status", {}, 400, 10002),
    ("PATCH", f"{INSTANCES}/one/status", None, 400, 10002),
    ("PATCH", f"{INSTANCES}/one/status", {"status": "pause", "rollback": True}, 400, 10002),
    ("PATCH", f"{INSTANCES}/one/status", {"status": "restart", "from": {"count": 1}}, 400, 10002),
    ("PATCH", f"{INSTANCES}/one/status", {"status": "restart", "from": {"name": "a", "count": 0}}, 400, 10002),
    ("POST", f"{INSTANCES}/one/events/a%20b", {}, 400, 10002),
    ("POST", INSTANCES, {"instance_id": ""}, 400, 10002),
    ("POST", INSTANCES, {"instance_id": 7}, 400, 10002),
    ("POST", INSTANCES, {"instance_id": "-a"}, 400, 10002),
    ("POST", INSTANCES, {"instance_id": "a/b"}, 400, 10002),
    ("POST", INSTANCES, {"instance_id": "a\n"}, 400, 10002),
    ("POST", INSTANCES, {"instance_id": "ä"}, 400, 10002),
    ("POST", INSTANCES, {"instance_id": "a" * 101}, 400, 10002),
    ("POST", INSTANCES, {"instance_id": "cf_" + "0" * 64}, 400, 10002),
    ("POST", INSTANCES, {"instance_retention": {"success_retention": "soon"}}, 400, 10002),
    ("POST", INSTANCES, {"location_hint": "moon"}, 400, 10002),
    ("POST", INSTANCES, [], 400, 10002),
    ("POST", INSTANCES, b"{", 400, 10002),
    ("POST", INSTANCES, b"\xff", 400, 10002),
    ("POST", INSTANCES, b'{"params": NaN}', 400, 10002),
    ("POST", INSTANCES, b'{"params": 1e999}', 400, 10002),
    ("POST", INSTANCES, b'{"params": "\\ud800"}', 400, 10002),
    ("POST", INSTANCES, DEEP, 400, 10002),
    ("POST", INSTANCES, b"[" * 66 + b"]" * 66, 400, 10002),
    ("POST", INSTANCES, b" " * ((1 << 20) + 1), 413, 10002),
    ("POST", f"{INSTANCES}/batch", [], 400, 10002),
    ("POST", f"{INSTANCES}/batch", [{}] * 101, 400, 10002),
    ("POST", f"{INSTANCES}/batch/delete", {"instances": []}, 400, 10002),
    ("POST", f"{INSTANCES}/batch/delete", {"instances": ["a"] * 101}, 400, 10002),
    ("POST", f"{INSTANCES}/batch/delete", {"instances": ["'; drop table instances"]}, 400, 10002),
    ("PUT", f"{INSTANCES}/terminate?status=complete", None, 400, 10002),
    ("GET", f"{INSTANCES}?page=0", None, 400, 10002),
    ("GET", f"{INSTANCES}?page=1e400", None, 400, 10002),
    ("GET", f"{INSTANCES}?page=nan", None, 400, 10002),
    ("GET", f"{INSTANCES}?page=1.5", None, 400, 10002),
    ("GET", f"{INSTANCES}?per_page=101", None, 400, 10002),
    ("GET", f"{INSTANCES}?status=unknown", None, 400, 10002),
    ("GET", f"{INSTANCES}?cursor=nonsense", None, 400, 10002),
    ("GET", f"{INSTANCES}?date_start=soon", None, 400, 10002),
    ("GET", f"{INSTANCES}/one?order=up", None, 400, 10002),
    ("PUT", "/workflows/order", {"class_name": "Order"}, 400, 10002),
    ("GET", "/queues/nope", None, 404, 11000),
    ("POST", "/queues", {"queue_name": "orders"}, 409, 11009),
    ("POST", "/queues", {"queue_name": "No Queue"}, 400, 10002),
    ("DELETE", "/queues/orders", None, 409, 11010),
    ("POST", "/queues/orders/purge", {"delete_messages_permanently": False}, 400, 10002),
    ("POST", "/queues/orders/messages", {"content_type": "text"}, 400, 10002),
    ("POST", "/queues/orders/messages", {"body": 1, "content_type": "text"}, 400, 10002),
    ("POST", "/queues/orders/messages", {"body": "x" * 128_001}, 400, 10002),
    ("PUT", "/triggers/test-worker", [{"type": "x"}], 409, 10201),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"), REFUSED, ids=[f"{i}-{r[3]}-{r[4]}" for i, r in enumerate(REFUSED)]
)
async def test_what_is_refused_has_its_status_its_code_and_a_reason(api, emu, method, path, body, status, code):
    """
    HTTP status, `success` and the code agree, the reason is in words, and nothing has changed.
    """
    await made(api, emu)
    before = await api.result("GET", INSTANCES)
    found = await api.error(method, path, body)

    assert (status, code) == found[:2]
    assert found[2]
    assert before == await api.result("GET", INSTANCES)


async def test_an_id_that_cannot_be_is_refused_with_the_rule_in_words(api):
    """
    Who reads no patterns still learns what an id may be.
    """
    _, _, told = await api.error("POST", INSTANCES, {"instance_id": "bad id!"})

    assert told.endswith("(1 to 100 letters, digits, underscores and hyphens, no hyphen first)")


async def test_a_conflict_is_not_to_be_tried_again(api, emu):
    """
    The platform's client tries 409 again unless a header says no.
    """
    await made(api, emu)
    answer = await api.ask("POST", INSTANCES, {"instance_id": "one"})

    assert "false" == answer.header("x-should-retry")


async def test_what_there_is_under_cdn_cgi_is_listed(api):
    """
    By its own path, one a line; any other path leads there.
    """
    listed = (await api.get("/cdn-cgi/")).text.splitlines()

    assert {"/cdn-cgi/local/health", "/cdn-cgi/local/queues/QUEUE/messages"} <= set(listed)
    assert "/cdn-cgi/client/v4/openapi.json  (the platform's REST API; this is its OpenAPI document)" in listed
    assert (await api.get("/cdn-cgi/nope")).text.endswith(
        "it has none of this name, and /cdn-cgi/ lists those there are\n"
    )


@pytest.mark.parametrize(
    "headers", [{"content-type": "text/plain"}, {"content-type": ""}, {"content-encoding": "gzip"}], ids=str
)
async def test_a_body_is_plain_json(api, headers):
    """
    Other types, and compressed bodies, are refused with 415.
    """
    assert 415 == (await api.error("POST", INSTANCES, b"{}", headers))[0]


async def test_what_breaks_is_500_with_a_line_in_the_log(api, emu, monkeypatch, caplog):
    """
    A bug of ours is an envelope, too, and its traceback is in the log.
    """
    monkeypatch.setattr(emu.emulator.engine, "get", lambda *_: 1 / 0)

    assert (500, 10001) == (await api.error("GET", f"{INSTANCES}/one"))[:2]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("path", ["/workflows/", f"{INSTANCES}/", f"{INSTANCES}?", f"{INSTANCES}/?per_page=1"])
async def test_a_slash_or_a_bare_question_mark_at_the_end_changes_nothing(api, path):
    """
    Some clients send them.
    """
    assert 200 == (await api.get(path)).status


async def test_what_is_shown_never_breaks_the_answer(emu):
    """
    Half a surrogate pair that a worker returned is escaped, numbers that JSON lacks are null.
    """
    await emu.start(CODE.replace('return {"paid": 3}', 'return ["\\ud83d", float("nan")]'), config=FLOW)
    api = Api(emu)
    path = await made(api, emu)
    await emu.advance(seconds=1)
    (step, _) = (await api.result("GET", path))["steps"]

    assert ["\ud83d", None] == json.loads(step["output"])


# Queues and accounts


async def test_a_queue_is_pushed_to_peeked_at_paused_and_purged(api):
    """
    A queue goes by its id or its name.
    """
    (queue,) = await api.result("GET", "/queues?page=1&name=orders")
    path = f"/queues/{queue['queue_id']}"
    sent = await api.result("POST", f"{path}/messages", {"body": {"a": 1}, "delay_seconds": 0})
    await api.result("POST", f"{path}/messages/batch", {"messages": [{"body": "t", "content_type": "text"}]})

    assert 1 == sent["metadata"]["metrics"]["backlog_count"]

    (first, second) = (await api.result("POST", f"{path}/messages/peek", {"batch_size": 5}))["messages"]

    assert ('{"a": 1}', "t") == (first["body"], second["body"])
    assert 2 == (await api.result("GET", "/queues/orders/metrics"))["backlog_count"]

    paused = await api.result("PATCH", path, {"queue_name": "orders", "settings": {"delivery_paused": True}})

    assert paused["settings"]["delivery_paused"]

    await api.result("POST", f"{path}/purge", {"delete_messages_permanently": True})

    assert 0 == (await api.result("GET", f"{path}/metrics"))["backlog_count"]


async def test_a_queue_can_be_made_and_forgotten(api):
    """
    One that the config does not name comes and goes by the API.
    """
    made = await api.result("POST", "/queues", {"queue_name": "extra"})

    assert ["extra", "orders"] == [queue["queue_name"] for queue in await api.result("GET", "/queues")]

    await api.result("DELETE", f"/queues/{made['queue_id']}")

    assert ["orders"] == [queue["queue_name"] for queue in await api.result("GET", "/queues")]


@pytest.mark.parametrize("path", ["/accounts", "/accounts/x", "/memberships?page=1", "/user", "/user/tokens/verify"])
async def test_clients_find_an_account(api, path):
    """
    Whatever a client looks up before it begins is there.
    """
    answer = await api.get(rest.PREFIX + path)

    assert (200, True) == (answer.status, answer.json["success"])


# The document


async def test_the_document_names_every_operation(api):
    """
    The OpenAPI document has each operation once, under an id of its own, with all its places.
    """
    document = (await api.get(f"{rest.PREFIX}/openapi.json")).json
    operations = [each for path in document["paths"].values() for each in path.values()]

    assert len(rest.OPERATIONS) == len(operations) == len({each["operationId"] for each in operations})
    for path, methods in document["paths"].items():
        for each in methods.values():
            places = {part["name"] for part in each["parameters"] if part["in"] == "path"}

            assert set(re.findall(r"{(\w+)}", path)) == places


@pytest.mark.parametrize("operation", rest.OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_each_route_is_documented(operation):
    """
    docs/rest-api.md has a row for every route, with every part of its query.
    """
    page = (PROJECT / "docs/rest-api.md").read_text("utf-8")
    row = next((row for row in page.splitlines() if f"`{operation.method} {openapi.written(operation)}`" in row), "")

    assert row
    assert [] == [name for name in operation.query if f"`{name}`" not in row]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: f"{kind.status}-{kind.code}")
def test_each_error_is_documented(kind):
    """
    docs/rest-api.md has a row for every error.
    """
    page = (PROJECT / "docs/rest-api.md").read_text("utf-8")

    assert f"| {kind.status} | {kind.code} | `{kind.name}` |" in page


BODIES = re.findall(
    r"^\| `(\w+) …(/\S+)` \| `(.+)` \|$", (PROJECT / "docs/rest-api.md").read_text("utf-8"), re.MULTILINE
)


@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=[f"{method} {path}" for method, path, _ in BODIES])
def test_each_documented_body_fits_its_route(method, path, body):
    """
    It is taken, and has no key that would be ignored.
    """
    (taken,) = (each.body for each in rest.OPERATIONS if each.method == method and each.path.endswith(path))
    shown = json.loads(body)

    assert schema.problem(shown, taken) is None
    assert not isinstance(shown, dict) or "properties" not in taken or shown.keys() <= taken["properties"].keys()


def test_account_paths_are_below_the_prefix():
    """
    Where the clients are pointed to.
    """
    assert "/cdn-cgi/client/v4/accounts/local" == ACCOUNT
