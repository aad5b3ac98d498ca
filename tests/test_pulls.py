"""Pull consumers: leases on the clock, acks, retries, dead letters, and what is refused with what to do."""

import base64
import json

import pytest
from api import CODE, FLOW, Api

from emulator.bindings import queues as producers
from emulator.runtime import values

PULL = "/queues/orders/messages/pull"
ACK = "/queues/orders/messages/ack"
CONSUMERS = "/queues/orders/consumers"
CONSUMED = """
[[queues.consumers]]
queue = "eaten"
"""


@pytest.fixture
async def api(emu):
    await emu.start(CODE, config=FLOW + CONSUMED)
    return Api(emu)


@pytest.fixture
async def pulled(api):
    """An API with a pull consumer of orders that tries a message twice."""
    settings = {"max_retries": 1, "visibility_timeout_ms": 30_000, "batch_size": 2}
    dead = {"dead_letter_queue": "dead"}
    await api.result("POST", CONSUMERS, {"type": "http_pull", "settings": settings, **dead})
    return api


async def send(api, *bodies, queue="orders"):
    messages = [{"body": body} for body in bodies]
    await api.result("POST", f"/queues/{queue}/messages/batch", {"messages": messages})


async def pull(api, **options):
    """(body, attempt, lease) of each message."""
    found = (await api.result("POST", PULL, options))["messages"]
    return [
        (json.loads(base64.b64decode(message["body"])), message["attempts"], message["lease_id"]) for message in found
    ]


async def bodies(api, **options):
    return [body for body, _, _ in await pull(api, **options)]


async def peeked(api, queue):
    return [message["body"] for message in (await api.result("POST", f"/queues/{queue}/messages/peek", {}))["messages"]]


async def test_a_pulled_message_is_hidden_until_its_lease_ends(pulled, emu):
    """
    Nobody else gets it before the clock has passed the end of the lease; then it counts as another attempt.
    """
    await send(pulled, "a")
    ((_, first, _),) = await pull(pulled)
    await emu.advance(seconds=29)

    assert [] == await pull(pulled)

    await emu.advance(seconds=1)
    ((body, second, _),) = await pull(pulled)

    assert ("a", 1, 2) == (body, first, second)


async def test_a_pull_says_how_many_and_for_how_long(pulled, emu):
    """
    Without saying, it is what the consumer's settings say; nothing waits for messages that are not there.
    """
    await send(pulled, *range(5))

    assert [0, 1] == await bodies(pulled)
    assert [2] == await bodies(pulled, batch_size=1, visibility_timeout_ms=5_000)
    assert [3, 4] == await bodies(pulled, batch_size=100, visibility_timeout=90_000)

    await emu.advance(seconds=5)

    assert [2] == await bodies(pulled)


async def test_an_acked_message_is_gone(pulled, emu):
    """
    It does not come again, whatever the clock says, and an ack of it is remarked upon.
    """
    await send(pulled, "a", "b")
    (_, _, lease), _ = await pull(pulled)
    told = await pulled.result("POST", ACK, {"acks": [{"lease_id": lease}]})
    again = await pulled.result("POST", ACK, {"acks": [{"lease_id": lease}, {"lease_id": "x"}]})

    assert (1, 0, {}) == (told["ackCount"], told["retryCount"], told["warnings"])
    assert (0, {lease, "x"}) == (again["ackCount"], again["warnings"].keys())

    await emu.advance(minutes=1)

    assert ["b"] == await bodies(pulled)


async def test_a_late_ack_counts(pulled, emu):
    """
    Also when somebody else has pulled the message meanwhile.
    """
    await send(pulled, "a")
    ((_, _, lease),) = await pull(pulled)
    await emu.advance(minutes=1)
    await pull(pulled)

    assert 1 == (await pulled.result("POST", ACK, {"acks": [{"lease_id": lease}]}))["ackCount"]
    assert [] == await peeked(pulled, "orders")


async def test_a_retry_comes_again_after_its_delay(pulled, emu):
    """
    With a delay of its own, or else the consumer's, which is none here.
    """
    await send(pulled, "a", "b")
    (_, _, now), (_, _, later) = await pull(pulled)
    retries = [{"lease_id": now}, {"lease_id": later, "delay_seconds": 10}]
    told = await pulled.result("POST", ACK, {"retries": retries})

    assert 2 == told["retryCount"]
    assert ["a"] == await bodies(pulled)

    await emu.advance(seconds=10)

    assert [("b", 2)] == [(body, attempt) for body, attempt, _ in await pull(pulled)]


async def test_what_fails_too_often_is_a_dead_letter(pulled, emu):
    """
    A retry after the last attempt moves it at once, and so does the end of the last lease, though nobody asks.
    """
    await send(pulled, "retried", "forgotten")
    await pull(pulled)
    await emu.advance(seconds=30)
    (_, _, lease), _ = await pull(pulled)
    await pulled.result("POST", ACK, {"retries": [{"lease_id": lease}]})

    assert ['"retried"'] == await peeked(pulled, "dead")

    await emu.advance(seconds=30)

    assert ['"retried"', '"forgotten"'] == await peeked(pulled, "dead")
    assert [] == await peeked(pulled, "orders")
    assert 2 == emu.lines.count("1 moved to dead after 2 failed attempts")


async def test_leases_outlive_a_crash(pulled, emu):
    """
    What was handed out stays hidden in the next life, can be acked there, and is given up there in time.
    """
    await send(pulled, "a", "b")
    (_, _, lease), _ = await pull(pulled)
    await emu.crash()
    await emu.start()
    api = Api(emu)

    assert [] == await pull(api)
    assert 1 == (await api.result("POST", ACK, {"acks": [{"lease_id": lease}]}))["ackCount"]

    await emu.advance(seconds=30)
    await pull(api)
    await emu.crash()
    await emu.start()
    await emu.advance(seconds=30)

    assert ['"b"'] == await peeked(Api(emu), "dead")


async def test_bodies_are_encoded_as_on_the_platform(pulled, emu):
    """
    Text as it is, everything else in base64.
    """
    for body, kind in (("t", "text"), ({"a": 1}, "json"), (b"\x00\xff", "bytes")):
        sent = values.decode(values.encode([body, {"contentType": kind}]))
        await producers.call(emu.emulator.broker, "orders", "send", sent)
    found = (await pulled.result("POST", PULL, {"batch_size": 3}))["messages"]

    assert ["t", "eyJhIjogMX0=", "AP8="] == [message["body"] for message in found]
    assert ["text", "json", "bytes"] == [message["metadata"]["CF-Content-Type"] for message in found]


async def test_a_paused_queue_gives_nothing(pulled):
    """
    Until it is resumed.
    """
    await send(pulled, "a")
    await pulled.result("PATCH", "/queues/orders", {"settings": {"delivery_paused": True}})

    assert [] == await pull(pulled)

    await pulled.result("PATCH", "/queues/orders", {"settings": {"delivery_paused": False}})

    assert ["a"] == await bodies(pulled)


async def test_what_is_pulled_is_shown_as_under_way(pulled):
    """
    In the list of queues, and it is part of no backlog.
    """
    await send(pulled, "a", "b", "c")
    await pull(pulled)
    (shown,) = [each for each in (await pulled.get("/cdn-cgi/local/queues")).json if each["name"] == "orders"]

    assert (1, 0, 2, True, "dead") == tuple(
        shown[key] for key in ("ready", "delayed", "in_flight", "is_pulled", "dead_letter_queue")
    )
    assert 1 == (await pulled.result("GET", "/queues/orders/metrics"))["backlog_count"]


async def test_a_pull_consumer_comes_changes_and_goes(pulled, emu):
    """
    It outlives a restart; its messages outlive it.
    """
    (made,) = await pulled.result("GET", CONSUMERS)
    await send(pulled, "a")
    await emu.restart()
    api = Api(emu)
    changed = await api.result("PUT", f"{CONSUMERS}/{made['consumer_id']}", {"settings": {"batch_size": 7}})

    assert ("http_pull", "dead", 1) == (made["type"], made["dead_letter_queue"], made["settings"]["max_retries"])
    assert {**made["settings"], "batch_size": 7} == changed["settings"]
    assert "dead" == changed["dead_letter_queue"]

    await api.result("DELETE", f"{CONSUMERS}/{made['consumer_id']}")

    assert [] == (await api.result("GET", "/queues/orders"))["consumers"]
    assert ['"a"'] == await peeked(api, "orders")
    assert 409 == (await api.error("POST", PULL, {}))[0]


async def test_messages_that_were_peeked_at_can_be_forgotten(api):
    """
    By the references of the peek; one that leads nowhere is remarked upon.
    """
    await send(api, "a", "b")
    first, _ = (await api.result("POST", "/queues/orders/messages/peek", {}))["messages"]
    told = await api.result(
        "POST", "/queues/orders/messages/purge", {"refs": [{"ref": first["ref"]}, {"ref": "0"}, {"ref": "'"}]}
    )

    assert {"0", "'"} == told["warnings"].keys()
    assert ['"b"'] == await peeked(api, "orders")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "words"),
    [
        ("POST", "/queues/dead/messages/pull", {}, 404, 11000, "there is no queue"),
        ("POST", PULL, {}, 409, 11013, "wrangler queues consumer http add orders"),
        ("POST", PULL, {}, 409, 11013, "`emulator queues consumer http add orders`"),
        ("POST", ACK, {"acks": []}, 409, 11013, "/consumers"),
        ("POST", "/queues/eaten/messages/pull", {}, 409, 11013, "out of the config"),
        ("POST", PULL, {"batch_size": 101}, 400, 10002, "batch_size"),
        ("POST", PULL, {"visibility_timeout_ms": 43_200_001}, 400, 10002, "visibility_timeout_ms"),
        ("POST", ACK, {"acks": [{}]}, 400, 10002, "body.acks[0].lease_id"),
        ("POST", ACK, {"retries": [{"lease_id": "x", "delay_seconds": 86_401}]}, 400, 10002, "delay_seconds"),
        ("POST", "/queues/eaten/consumers", {"type": "http_pull"}, 409, 11012, "consumed by the worker test-worker"),
        ("POST", CONSUMERS, {"type": "worker", "script_name": "a"}, 409, 11010, "[[queues.consumers]]"),
        ("POST", CONSUMERS, {"type": "http_pull", "dead_letter_queue": "orders"}, 400, 10002, "its own dead letter"),
        ("GET", f"{CONSUMERS}/nope", None, 404, 11011, "has no consumer nope"),
        ("POST", "/event_subscriptions/subscriptions", {"name": "x"}, 409, 10201, "send the queue a message"),
        ("DELETE", "/event_subscriptions/subscriptions/x", None, 404, 11014, "no subscriptions"),
    ],
)
async def test_a_refusal_says_what_to_do(api, method, path, body, status, code, words):
    """
    What cannot be pulled, and what stands in the config.
    """
    found = await api.error(method, path, body)

    assert (status, code) == found[:2]
    assert words in found[2]


async def test_a_workers_consumer_stands_in_the_config(api):
    """
    It is listed, and neither changed nor deleted.
    """
    (there,) = await api.result("GET", "/queues/eaten/consumers")
    path = f"/queues/eaten/consumers/{there['consumer_id']}"

    assert there == await api.result("GET", path)
    assert 11010 == (await api.error("DELETE", path))[1]
    assert 11010 == (await api.error("PUT", path, {"settings": {"batch_size": 1}}))[1]


async def test_there_are_no_subscriptions(api):
    """
    Clients that list them get an empty page.
    """
    assert [] == await api.result("GET", "/event_subscriptions/subscriptions?page=1&per_page=20&direction=asc")
