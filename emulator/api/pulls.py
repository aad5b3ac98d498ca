"""The REST API's operations of those who pull: take messages for a while, then ack them or have them come again."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

from emulator.api import shapes
from emulator.api.envelope import BODY, NO_QUEUE, NOT_PULLED, ApiError, Reply
from emulator.api.held import asked, is_consumed, metrics_of
from emulator.api.messages import shown, text
from emulator.api.operation import NOTHING, Call, Operation
from emulator.models import Lease, Message, PullConsumer
from emulator.runtime import values


async def pull(call: Call) -> Reply:
    consumer, broker = _consumer(call), call.emulator.broker
    given = {} if call.body is NOTHING else call.body
    # The platform's page and its SDK each have their own name for it.
    timeout = given.get("visibility_timeout_ms", given.get("visibility_timeout"))
    leases = await broker.puller.pull(
        consumer,
        limit=int(given.get("batch_size", consumer.batch_size)),
        hidden=None if timeout is None else timedelta(milliseconds=timeout),
    )
    metrics = metrics_of(broker.backlog(consumer.queue))
    return Reply(
        {
            "message_backlog_count": metrics["backlog_count"],
            "messages": list(map(_pulled, leases)),
            "metadata": {"metrics": metrics},
        }
    )


async def ack(call: Call) -> Reply:
    acks = [each["lease_id"] for each in call.body.get("acks", ())]
    retries = {each["lease_id"]: _delay(each.get("delay_seconds")) for each in call.body.get("retries", ())}
    answered = await call.emulator.broker.puller.answer(_consumer(call), acks, retries)
    warnings = dict.fromkeys(answered.unknown, "no message has this lease; it was acked or given up, or never pulled")
    return Reply({"ackCount": answered.acked, "retryCount": answered.retried, "warnings": warnings})


def _consumer(call: Call) -> PullConsumer:
    """Who pulls from the queue of the path. Raises ApiError where that is nobody, or a worker."""
    name = asked(call)
    if is_consumed(call.emulator, name):
        raise ApiError(NOT_PULLED, f"a worker consumes {name}; take its consumer out of the config to pull from it")
    consumer = call.emulator.broker.puller.consumer_of(name)
    if consumer is None:
        command = f"queues consumer http add {name}"
        how = f'`emulator {command}`, `wrangler {command}`, or POST {{"type": "http_pull"}} to its /consumers'
        raise ApiError(NOT_PULLED, f"{name} has no pull consumer; give it one with {how}")
    return consumer


def _pulled(lease: Lease) -> dict[str, Any]:
    message = lease.message
    return {
        **shown(message),
        "body": _encoded(message),
        "attempts": message.failures + 1,
        "lease_id": lease.id,
        "metadata": {"CF-Content-Type": message.content_type},
    }


def _encoded(message: Message) -> str:
    """Text as it is, all else in base64, as on the platform."""
    if message.content_type in ("text", "bytes"):
        return text(message)
    return base64.b64encode(json.dumps(values.shown(message.body)).encode()).decode()


def _delay(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


_ONE = "/queues/{queue}"
_LEASE: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200}

OPERATIONS = (
    Operation(
        method="POST",
        path=_ONE + "/messages/pull",
        perform=pull,
        summary="Take up to 100 messages for a while; none if there is none.",
        body=shapes.loose(
            {
                "batch_size": shapes.BATCH_SIZE,
                "visibility_timeout_ms": shapes.VISIBILITY,
                "visibility_timeout": shapes.VISIBILITY,
            }
        ),
        result=shapes.PULLED,
        errors=(BODY, NO_QUEUE, NOT_PULLED),
    ),
    Operation(
        method="POST",
        path=_ONE + "/messages/ack",
        perform=ack,
        summary="Ack pulled messages, or have them come again, by the ids of their leases.",
        body=shapes.loose(
            {
                "acks": shapes.listed(shapes.loose({"lease_id": _LEASE}, "lease_id"), maxItems=1000),
                "retries": shapes.listed(
                    shapes.loose({"lease_id": _LEASE, "delay_seconds": shapes.DELAY}, "lease_id"), maxItems=1000
                ),
            }
        ),
        needs_body=True,
        result=shapes.ANSWERED,
        errors=(BODY, NO_QUEUE, NOT_PULLED),
    ),
)
