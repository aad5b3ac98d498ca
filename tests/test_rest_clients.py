"""Clients of the REST API, unmodified, against a real `emulator dev`: the platform's Python SDK, and a fuzzer."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cloudflare
import pytest
from api import CODE, EXPLORER, FLOW
from dev import Dev

from emulator.api.rest import PREFIX

ACCOUNT = "0123456789abcdef0123456789abcdef"
PATIENCE = 10
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90 + 4 * EXAMPLES)]


def until(ask, is_so):
    """Ask until the answer is so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so(answer := ask()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)
    return answer


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    with Dev(tmp_path_factory.mktemp("clients"), code=CODE, config=FLOW) as running:
        yield running


@pytest.fixture
def advance(dev):
    """Move the server's clock."""
    return lambda duration: dev.post("/cdn-cgi/local/clock", {"advance": duration})


# The Python SDK


@pytest.fixture
def client(dev):
    with cloudflare.Cloudflare(
        base_url=f"http://127.0.0.1:{dev.port}{PREFIX}", api_token="any", _strict_response_validation=True
    ) as client:
        yield client
        client.workflows.delete("order", account_id=ACCOUNT)


@pytest.fixture
def instances(client):
    return client.workflows.instances


def test_the_sdk_runs_an_instance_from_its_creation_to_its_end(instances, advance):
    """
    Create, look, send an event, look again; every answer is valid to the letter.
    """
    made = instances.create("order", account_id=ACCOUNT, instance_id="sdk-1", params='{"sku": "tea"}')
    where = {"account_id": ACCOUNT, "workflow_name": "order"}
    until(lambda: instances.get("sdk-1", **where), lambda shown: shown.steps and shown.steps[0].attempts)
    advance("1 second")
    asleep = until(lambda: instances.get("sdk-1", **where), lambda shown: len(shown.steps) == 2)
    advance("1 minute")
    until(lambda: instances.get("sdk-1", **where), lambda shown: len(shown.steps) == 3)
    sent = instances.events.create("approve", instance_id="sdk-1", body={"by": "ann"}, **where)
    ended = until(lambda: instances.get("sdk-1", order="desc", **where), lambda shown: shown.status == "complete")

    assert ("sdk-1", "queued") == (made.id, made.status)
    assert {"sku": "tea"} == asleep.params
    assert "sdk-1" == sent.instance_id
    assert '{"by":{"by":"ann"}}' == ended.output
    assert ["approval-1", "rest-1", "charge-1"] == [step.name for step in ended.steps]


def test_the_sdk_lists_and_comes_to_an_end(client, instances):
    """
    Its iterators ask for page after page until one is empty.
    """
    made = instances.bulk("order", account_id=ACCOUNT, body=[{"instance_id": f"b{number}"} for number in range(5)])
    listed = [row.id for row in instances.list("order", account_id=ACCOUNT, per_page=2)]

    assert [f"b{number}" for number in range(5)] == [row.id for row in made.result]
    assert {f"b{number}" for number in range(5)} == set(listed)
    assert ["order"] == [row.name for row in client.workflows.list(account_id=ACCOUNT)]
    assert "Order" == client.workflows.get("order", account_id=ACCOUNT).class_name


def test_the_sdk_changes_the_status(instances):
    """
    Pause, resume, restart and terminate; the statuses are those the SDK knows.
    """
    where = {"account_id": ACCOUNT, "workflow_name": "order"}
    instances.create("order", account_id=ACCOUNT, instance_id="sdk-2")
    until(lambda: instances.get("sdk-2", **where), lambda shown: shown.status == "waiting")

    changes = [instances.status.edit("sdk-2", status=word, **where) for word in ("pause", "resume", "restart")]
    until(lambda: instances.get("sdk-2", **where), lambda shown: shown.steps)
    changes.append(instances.status.edit("sdk-2", status="restart", from_={"name": "charge"}, **where))
    changes.append(instances.status.edit("sdk-2", status="terminate", rollback=False, **where))

    assert ["paused", "terminated"] == [changes[0].status, changes[-1].status]


def test_the_sdk_reads_one_step(instances, advance):
    """
    A step with its output, and the attempt before with its error.
    """
    where = {"account_id": ACCOUNT, "workflow_name": "order"}
    instances.create("order", account_id=ACCOUNT, instance_id="sdk-3")
    until(lambda: instances.get("sdk-3", **where), lambda shown: shown.steps and shown.steps[0].attempts)
    advance("1 second")
    step = {"name": "charge-1", "type": "step", **where}
    done = until(lambda: instances.step("sdk-3", **step), lambda shown: shown.status == "complete")
    failed = instances.step("sdk-3", attempt=1, **step)

    assert {"paid": 3} == done.output
    assert ("errored", "boom") == (failed.status, failed.error.message)


def test_the_sdk_reads_versions_and_their_graph(client):
    """
    The versions, one of them, and what its code does.
    """
    versions = client.workflows.versions
    (version,) = versions.list("order", account_id=ACCOUNT)
    where = {"account_id": ACCOUNT, "workflow_name": "order"}
    graph = versions.graph(version.id, **where).graph

    assert version.id == versions.get(version.id, **where).id
    assert ["step_do", "step_sleep", "step_wait_for_event"] == [node.type for node in graph.workflow.nodes]


def test_the_sdk_updates_what_the_config_says(client):
    """
    Saying the same as the config is no mistake; saying something else is a conflict.
    """
    told = {"account_id": ACCOUNT, "script_name": "test-worker"}

    assert "Order" == client.workflows.update("order", class_name="Order", **told).class_name

    with pytest.raises(cloudflare.ConflictError):
        client.workflows.update("order", class_name="Tea", **told)


def test_the_sdk_raises_its_own_errors(instances):
    """
    Not found, conflict and bad request, each with its number, and none tried twice.
    """
    instances.create("order", account_id=ACCOUNT, instance_id="sdk-4")

    with pytest.raises(cloudflare.ConflictError) as taken:
        instances.create("order", account_id=ACCOUNT, instance_id="sdk-4")
    with pytest.raises(cloudflare.NotFoundError) as missing:
        instances.get("nope", account_id=ACCOUNT, workflow_name="order")
    with pytest.raises(cloudflare.BadRequestError) as wrong:
        instances.create("order", account_id=ACCOUNT, instance_id="a b")

    codes = [found.value.errors[0].code for found in (taken, missing, wrong)]

    assert [10405, 10400, 10002] == codes


def test_the_sdk_sends_to_queues(client):
    """
    Push, peek, count, purge.
    """
    (queue,) = client.queues.list(account_id=ACCOUNT)
    where = {"account_id": ACCOUNT}
    client.queues.messages.push(queue.queue_id, body={"a": 1}, content_type="json", **where)
    peeked = client.queues.messages.peek(queue.queue_id, batch_size=5, **where)

    assert ['{"a": 1}'] == [message.body for message in peeked.messages]
    assert 1 == client.queues.get_metrics(queue.queue_id, **where).backlog_count

    client.queues.purge.start(queue.queue_id, delete_messages_permanently=True, **where)

    assert 0 == client.queues.get_metrics(queue.queue_id, **where).backlog_count


def test_the_sdk_pulls_from_a_queue(client, advance):
    """
    Make a pull consumer, take messages, ack one, have one come again, and take the consumer away.
    """
    (queue,) = client.queues.list(account_id=ACCOUNT)
    where = {"account_id": ACCOUNT}
    made = client.queues.consumers.create(queue.queue_id, type="http_pull", settings={"max_retries": 5}, **where)
    client.queues.messages.bulk_push(queue.queue_id, messages=[{"body": "a"}, {"body": "b"}], **where)
    first, second = client.queues.messages.pull(queue.queue_id, batch_size=2.0, **where).messages
    told = client.queues.messages.ack(
        queue.queue_id,
        acks=[{"lease_id": first.lease_id}],
        retries=[{"lease_id": second.lease_id, "delay_seconds": 1}],
        **where,
    )
    advance("1 second")
    (again,) = client.queues.messages.pull(queue.queue_id, visibility_timeout_ms=1000, **where).messages

    assert (1, 1) == (told.ack_count, told.retry_count)
    assert (second.id, 2) == (again.id, again.attempts)

    (listed,) = client.queues.consumers.list(queue.queue_id, **where)

    assert (made.consumer_id, "http_pull") == (listed.consumer_id, listed.type)
    assert [] == list(client.queues.subscriptions.list(**where))

    client.queues.consumers.delete(made.consumer_id, queue_id=queue.queue_id, **where)
    client.queues.purge.start(queue.queue_id, delete_messages_permanently=True, **where)


def test_the_sdk_changes_a_consumer(client):
    """
    One that pulls takes new settings, and says so when it is asked.
    """
    (queue,) = client.queues.list(account_id=ACCOUNT)
    made = client.queues.consumers.create(queue.queue_id, account_id=ACCOUNT, type="http_pull")
    where = {"queue_id": queue.queue_id, "account_id": ACCOUNT}
    changed = client.queues.consumers.update(made.consumer_id, type="http_pull", settings={"max_retries": 7}, **where)
    found = client.queues.consumers.get(made.consumer_id, **where)
    client.queues.consumers.delete(made.consumer_id, **where)

    assert [7, 7] == [each.settings.max_retries for each in (changed, found)]


def test_the_sdk_sends_many_and_takes_some_back(client):
    """
    A batch is pushed; one message that was peeked at is purged by its ref, and the rest stays.
    """
    (queue,) = client.queues.list(account_id=ACCOUNT)
    where = {"account_id": ACCOUNT}
    messages = [{"body": {"number": number}, "content_type": "json"} for number in range(3)]
    client.queues.messages.bulk_push(queue.queue_id, messages=messages, **where)
    first, *_ = client.queues.messages.peek(queue.queue_id, batch_size=5, **where).messages
    client.queues.messages.purge(queue.queue_id, refs=[{"ref": first.ref}], **where)
    left = client.queues.messages.peek(queue.queue_id, batch_size=5, **where).messages
    client.queues.purge.start(queue.queue_id, delete_messages_permanently=True, **where)

    assert ['{"number": 1}', '{"number": 2}'] == [message.body for message in left]
    assert client.queues.purge.status(queue.queue_id, **where).completed


def test_the_sdk_makes_changes_and_forgets_a_queue(client):
    """
    Create, pause in both ways to change it, look, delete.
    """
    where = {"account_id": ACCOUNT}
    made = client.queues.create(queue_name="fresh", **where)
    paused = client.queues.edit(made.queue_id, settings={"delivery_paused": True}, **where)
    resumed = client.queues.update(made.queue_id, settings={"delivery_paused": False}, **where)
    found = client.queues.get(made.queue_id, **where)
    client.queues.delete(made.queue_id, **where)

    assert (True, False) == (paused.settings.delivery_paused, resumed.settings.delivery_paused)
    assert ("fresh", 0) == (found.queue_name, found.consumers_total_count)
    assert ["orders"] == [queue.queue_name for queue in client.queues.list(**where)]


# Anybody


KNOWN = {"workflow": ["order"], "queue": ["orders"], "instance": ["one", "two"], "account": ["local"]}


def with_known_names(document):
    """The document with names that are there, so that the fuzzer gets beyond "not found"."""
    for path in document["paths"].values():
        for operation in path.values():
            for each in operation["parameters"]:
                if each["in"] == "path" and each["name"] in KNOWN:
                    each["schema"] = {"type": "string", "enum": KNOWN[each["name"]]}
    return document


@pytest.mark.parametrize("known", [True, False], ids=["known-names", "any-names"])
@pytest.mark.parametrize("api", ["rest", "local"])
def test_nothing_breaks_the_routes(dev, tmp_path, api, known):
    """
    A fuzzer that reads the OpenAPI document finds no answer that is not in it, and none of 500.
    """
    place = {"rest": f"{PREFIX}/openapi.json", "local": EXPLORER}[api]
    document = dev.get(place).json
    (tmp_path / "api.json").write_text(json.dumps(with_known_names(document) if known else document))
    for id in KNOWN["instance"]:
        dev.post(f"{PREFIX}/accounts/local/workflows/order/instances", {"instance_id": id})
    ended = subprocess.run(
        [
            shutil.which("schemathesis", path=str(Path(sys.executable).parent)),
            "run",
            "api.json",
            f"--url=http://127.0.0.1:{dev.port}{document['servers'][0]['url']}",
            f"--max-examples={EXAMPLES}",
            "--phases=coverage,fuzzing" if known else "--phases=fuzzing",
            "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            "--generation-database=none",
            "--seed=1",
            "--no-color",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=70 + 4 * EXAMPLES,
    )

    assert 0 == ended.returncode, ended.stdout[-6000:] + ended.stderr[-2000:]
