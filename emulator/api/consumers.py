"""The REST API's operations on the consumers of a queue: workers stand in the config, pull consumers are made here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from emulator.api import shapes
from emulator.api.envelope import BODY, CONSUMER_EXISTS, NO_CONSUMER, NO_QUEUE, QUEUE_FIXED, ApiError, Reply
from emulator.api.held import asked, consumers_of
from emulator.api.operation import Call, Operation
from emulator.api.pages import info
from emulator.models import PullConsumer

_BATCH_SIZE = 5
_RETRIES = 3
_VISIBILITY = 30_000


async def list_consumers(call: Call) -> Reply:
    rows = consumers_of(call.emulator, asked(call))
    return Reply(rows, info(page=1, per_page=100, count=len(rows), total=len(rows)))


async def create_consumer(call: Call) -> Reply:
    name = asked(call)
    _refuse_worker(call)
    there = consumers_of(call.emulator, name)
    if there:
        kind = "pulled from" if there[0]["type"] == "http_pull" else f"consumed by the worker {there[0]['script']}"
        raise ApiError(CONSUMER_EXISTS, f"{name} is {kind} already; a queue has one consumer")
    return await _put(call, name, call.body)


async def get_consumer(call: Call) -> Reply:
    return Reply(_found(call))


async def change_consumer(call: Call) -> Reply:
    _refuse_worker(call)
    found = _pull_consumer(call)
    settings = {**found["settings"], **call.body.get("settings", {})}
    return await _put(
        call, found["queue_name"], {"dead_letter_queue": found["dead_letter_queue"]} | call.body, settings
    )


async def delete_consumer(call: Call) -> Reply:
    """Its messages stay in the queue."""
    await call.emulator.broker.puller.remove(_pull_consumer(call)["queue_name"])
    return Reply({})


async def _put(call: Call, name: str, given: Mapping[str, Any], settings: Mapping[str, Any] | None = None) -> Reply:
    told = given.get("settings", {}) if settings is None else settings
    dead_letters = given.get("dead_letter_queue") or None
    if dead_letters == name:
        raise ApiError(BODY, "body.dead_letter_queue: a queue cannot be its own dead letter queue; name another")
    before, now = call.emulator.broker.puller.consumer_of(name), call.emulator.clock.now()
    consumer = PullConsumer(
        queue=name,
        batch_size=int(told.get("batch_size", _BATCH_SIZE)),
        max_retries=int(told.get("max_retries", _RETRIES)),
        retry_delay=timedelta(seconds=told.get("retry_delay", 0)),
        visibility_timeout=timedelta(milliseconds=told.get("visibility_timeout_ms", _VISIBILITY)),
        dead_letter_queue=dead_letters,
        created_at=now if before is None else before.created_at,
    )
    await call.emulator.broker.puller.put(consumer)
    return Reply(consumers_of(call.emulator, name)[-1])


def _refuse_worker(call: Call) -> None:
    if call.body.get("type", "http_pull") != "http_pull":
        raise ApiError(QUEUE_FIXED, "a worker consumes what its config says; write [[queues.consumers]] there")


def _pull_consumer(call: Call) -> dict[str, Any]:
    found = _found(call)
    if found["type"] != "http_pull":
        raise ApiError(QUEUE_FIXED, f"{found['script']} consumes this queue by its config; change it there")
    return found


def _found(call: Call) -> dict[str, Any]:
    name, wanted = asked(call), call.path["consumer"]
    there = consumers_of(call.emulator, name)
    for each in there:
        if each["consumer_id"] == wanted:
            return each
    ids = ", ".join(each["consumer_id"] for each in there) or "none"
    raise ApiError(NO_CONSUMER, f"{name} has no consumer {wanted[:80]}; it has {ids}")


_ALL = "/queues/{queue}/consumers"
_ONE = _ALL + "/{consumer}"
_SETTINGS = shapes.loose(
    {
        "batch_size": shapes.BATCH_SIZE,
        "max_retries": {"type": "integer", "minimum": 0, "maximum": 100},
        "retry_delay": shapes.DELAY,
        "visibility_timeout_ms": shapes.VISIBILITY,
    }
)
_CONSUMER = {
    "type": shapes.one_of("worker", "http_pull"),
    "settings": _SETTINGS,
    "script_name": shapes.TEXT,
    "dead_letter_queue": {"type": "string", "maxLength": 63, "pattern": "^([a-z0-9][a-z0-9_-]*)?$"},
}

OPERATIONS = (
    Operation(
        method="GET",
        path=_ALL,
        perform=list_consumers,
        summary="Who takes a queue's messages.",
        result=shapes.listed(shapes.CONSUMER),
        lists=True,
        errors=(NO_QUEUE,),
    ),
    Operation(
        method="POST",
        path=_ALL,
        perform=create_consumer,
        summary="Let a queue be pulled from over HTTP: type `http_pull`.",
        body=shapes.loose(_CONSUMER, "type"),
        needs_body=True,
        result=shapes.CONSUMER,
        errors=(BODY, NO_QUEUE, QUEUE_FIXED, CONSUMER_EXISTS),
    ),
    Operation(
        method="GET",
        path=_ONE,
        perform=get_consumer,
        summary="One consumer.",
        result=shapes.CONSUMER,
        errors=(NO_QUEUE, NO_CONSUMER),
    ),
    Operation(
        method="PUT",
        path=_ONE,
        perform=change_consumer,
        summary="Change a pull consumer.",
        body=shapes.loose(_CONSUMER),
        needs_body=True,
        result=shapes.CONSUMER,
        errors=(BODY, NO_QUEUE, NO_CONSUMER, QUEUE_FIXED),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        perform=delete_consumer,
        summary="Let a queue be pulled from no more; its messages stay.",
        result=shapes.shaped({}),
        errors=(NO_QUEUE, NO_CONSUMER, QUEUE_FIXED),
    ),
)
