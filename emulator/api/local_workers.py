"""The local explorer's operations on the workers that are served: which they are, and a tick for one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from emulator.api import shapes
from emulator.api.envelope import BODY, NO_WORKER, NOT_LOADED, ApiError, Reply
from emulator.api.operation import Call, Operation
from emulator.models import Tick
from emulator.worker import Worker

_LATEST = 253_402_300_799_000


async def list_workers(call: Call) -> Reply:
    """The first one has the port."""
    return Reply([_shown(each, is_self=not at) for at, each in enumerate(call.emulator.workers)])


async def run_scheduled(call: Call) -> Reply:
    """An exception of the handler is an outcome, and no failure of the request."""
    time = call.body.get("scheduled_time")
    at = call.emulator.clock.now() if time is None else datetime.fromtimestamp(time / 1000, UTC)
    outcome = await call.emulator.tick(_asked(call), Tick(cron=call.body.get("cron", ""), time=at))
    return Reply({"outcome": outcome.outcome, "noRetry": bool(outcome.result.get("noRetry", False))})


def _asked(call: Call) -> Worker:
    """The worker of the query, or the first."""
    name = call.query.get("worker")
    for each in call.emulator.workers:
        if name in (None, each.name):
            return each
    names = ", ".join(each.name for each in call.emulator.workers)
    raise ApiError(NO_WORKER, f'no worker is called "{name}"; there are {names}')


def _shown(worker: Worker, *, is_self: bool) -> dict[str, Any]:
    return {
        "name": worker.name,
        "isSelf": is_self,
        "bindings": {
            "workflows": [{"id": each.name, "bindingName": each.binding} for each in worker.config.workflows],
            "queues": [{"id": each.queue, "bindingName": each.binding} for each in worker.config.producers],
        },
    }


OPERATIONS = (
    Operation(
        method="GET",
        path="/local/workers",
        perform=list_workers,
        summary="The workers that are served, with their workflows and queues.",
        result=shapes.listed(
            shapes.shaped({"name": shapes.TEXT, "isSelf": shapes.BOOLEAN, "bindings": {"type": "object"}})
        ),
    ),
    Operation(
        method="POST",
        path="/local/scheduled",
        perform=run_scheduled,
        summary="Run the scheduled handler now; an exception of it is an outcome.",
        query={"worker": {"type": "string", "minLength": 1, "maxLength": 255}},
        body=shapes.loose(
            {
                "cron": {"type": "string", "maxLength": 200},
                "scheduled_time": {"type": "number", "minimum": 0, "maximum": _LATEST},
            }
        ),
        needs_body=True,
        result=shapes.shaped({"outcome": shapes.TEXT, "noRetry": shapes.BOOLEAN}),
        errors=(BODY, NO_WORKER, NOT_LOADED),
    ),
)
