"""The REST API's operations on the messages of a queue."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from emulator.api import shapes
from emulator.api.envelope import BODY, NO_QUEUE, ApiError, Reply, timestamp
from emulator.api.held import asked, metrics_of, milliseconds
from emulator.api.operation import Call, Operation
from emulator.bindings import queues as producers
from emulator.models import Message
from emulator.runtime import values


async def push(call: Call) -> Reply:
    return await _send(call, "send", [call.body["body"], _options(call.body)])


async def push_batch(call: Call) -> Reply:
    return await _send(call, "sendBatch", [call.body["messages"], _options(call.body)])


async def peek(call: Call) -> Reply:
    name = asked(call)
    limit = call.body.get("batch_size", 10) if isinstance(call.body, dict) else 10
    found = call.emulator.broker.peek(name, limit=int(limit))
    return Reply({"messages": [{**shown(each), "body": text(each), "ref": str(each.sequence)} for each in found]})


async def purge_peeked(call: Call) -> Reply:
    """Forget messages by the references that a peek gave them."""
    refs = [each["ref"] for each in call.body["refs"]]
    known = {ref: int(ref) for ref in refs if _REF.fullmatch(ref)}
    dropped = await call.emulator.broker.drop(asked(call), list(known.values()))
    gone = {ref: "there is no such message; peek again" for ref in refs if known.get(ref) not in dropped}
    return Reply({"errors": [], "warnings": gone})


async def get_metrics(call: Call) -> Reply:
    return Reply(metrics_of(call.emulator.broker.backlog(asked(call))))


async def _send(call: Call, method: str, arguments: list[Any]) -> Reply:
    name = asked(call)
    try:
        await producers.call(call.emulator.broker, name, method, arguments)
    except TypeError as error:
        raise ApiError(BODY, str(error)) from error
    await call.emulator.store.durable()
    return Reply({"metadata": {"metrics": metrics_of(call.emulator.broker.backlog(name))}})


def _options(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in ("content_type", "delay_seconds") if key in body}


def shown(message: Message) -> dict[str, Any]:
    """A message without its body."""
    return {
        "id": message.id,
        "attempts": message.failures,
        "timestamp_ms": milliseconds(message.sent_at),
        "metadata": {"CF-Content-Type": message.content_type, "visible_at": timestamp(message.visible_at)},
    }


def text(message: Message) -> str:
    """A body as text: text itself, bytes in base64, the rest as JSON."""
    match message.content_type:
        case "text":
            return str(values.decode(message.body))
        case "bytes":
            return base64.b64encode(values.decode(message.body)).decode()
        case _:
            return json.dumps(values.shown(message.body))


_REF = re.compile(r"[0-9]{1,18}")
_ONE = "/queues/{queue}"
_REFS = shapes.listed(shapes.loose({"ref": {"type": "string", "maxLength": 64}}, "ref"), minItems=1, maxItems=100)

OPERATIONS = (
    Operation(
        method="POST",
        path=_ONE + "/messages",
        perform=push,
        summary="Send a message.",
        body=shapes.MESSAGE,
        needs_body=True,
        result=shapes.SENT,
        errors=(BODY, NO_QUEUE),
    ),
    Operation(
        method="POST",
        path=_ONE + "/messages/batch",
        perform=push_batch,
        summary="Send up to 100 messages.",
        body=shapes.loose(
            {"messages": shapes.listed(shapes.MESSAGE, minItems=1, maxItems=100), "delay_seconds": shapes.DELAY},
            "messages",
        ),
        needs_body=True,
        result=shapes.SENT,
        errors=(BODY, NO_QUEUE),
    ),
    Operation(
        method="POST",
        path=_ONE + "/messages/peek",
        perform=peek,
        summary="The messages at the head; they stay where they are.",
        body=shapes.loose({"batch_size": {"type": "integer", "minimum": 1, "maximum": 100}}),
        result=shapes.PEEKED,
        errors=(BODY, NO_QUEUE),
    ),
    Operation(
        method="POST",
        path=_ONE + "/messages/purge",
        perform=purge_peeked,
        summary="Forget messages that were peeked at, by their refs.",
        body=shapes.loose({"refs": _REFS}, "refs"),
        needs_body=True,
        result=shapes.PURGED,
        errors=(BODY, NO_QUEUE),
    ),
    Operation(
        method="GET",
        path=_ONE + "/metrics",
        perform=get_metrics,
        summary="What waits in a queue.",
        result=shapes.METRICS,
        errors=(NO_QUEUE,),
    ),
)
