"""The REST API's operations on many instances at once."""

from __future__ import annotations

import asyncio

from emulator.api import shapes
from emulator.api.envelope import BODY, NO_WORKFLOW, Reply
from emulator.api.instances import created_of, wanted_of
from emulator.api.operation import Call, Operation
from emulator.api.pages import info
from emulator.api.served import COUNTED, Served, served
from emulator.errors import WorkflowError
from emulator.models import Status, Trigger
from emulator.workflows.binding import delete_batch


async def create_instances(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    made = await call.emulator.engine.create_batch(each.name, list(map(wanted_of, call.body)), trigger=Trigger.API)
    rows = [created_of(each, instance) for instance in made]
    return Reply(rows, info(page=1, per_page=len(call.body), count=len(rows), total=len(rows)))


async def delete_instances(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    return Reply(await delete_batch(call.emulator.engine, each.name, call.body["instances"]))


async def terminate_instances(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    return Reply({"status": "ok", "instancesTerminated": await _terminate(each, list(dict.fromkeys(call.body)))})


async def terminate_all(call: Call) -> Reply:
    each, asked = served(call.emulator, call.workflow), call.query.get("status")
    wanted = [Status(asked)] if asked else [status for status in Status if not status.is_final]
    for status in wanted:
        while (ids := each.ids(status)) and await _terminate(each, ids):
            pass
    return Reply({"status": "ok"})


async def is_terminating(call: Call) -> Reply:
    served(call.emulator, call.workflow)
    return Reply({"status": "not_running"})


async def _terminate(each: Served, ids: list[str]) -> int:
    """How many of these were stopped; those that are over, or unknown, are left alone."""
    engine = each.emulator.engine
    outcomes = await asyncio.gather(*(engine.terminate(each.name, id) for id in ids), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, WorkflowError):
            raise outcome
    return sum(outcome is None for outcome in outcomes)


_INSTANCES = "/workflows/{workflow}/instances"

# Before those of a single instance: its id could be "batch" otherwise.
OPERATIONS = (
    Operation(
        method="POST",
        path=_INSTANCES + "/batch",
        perform=create_instances,
        summary="Create up to 100 instances; ids that exist are left out.",
        body=shapes.listed(shapes.NEW_INSTANCE, minItems=1, maxItems=100),
        needs_body=True,
        result=shapes.listed(shapes.CREATED),
        lists=True,
        errors=(BODY, NO_WORKFLOW),
    ),
    Operation(
        method="POST",
        path=_INSTANCES + "/batch/delete",
        perform=delete_instances,
        summary="Stop and forget up to 100 instances.",
        body=shapes.loose({"instances": shapes.IDS}, "instances"),
        needs_body=True,
        result=shapes.DELETED,
        errors=(BODY, NO_WORKFLOW),
    ),
    Operation(
        method="POST",
        path=_INSTANCES + "/batch/terminate",
        perform=terminate_instances,
        summary="Stop up to 100 instances.",
        body=shapes.IDS,
        needs_body=True,
        result=shapes.shaped({"status": shapes.OK, "instancesTerminated": shapes.INTEGER}),
        errors=(BODY, NO_WORKFLOW),
    ),
    Operation(
        method="PUT",
        path=_INSTANCES + "/terminate",
        perform=terminate_all,
        summary="Stop all instances that are not over, or those in one status; answers when it is done.",
        query={"status": shapes.one_of(*(status for status in COUNTED if not status.is_final))},
        result=shapes.shaped({"status": shapes.OK}),
        errors=(BODY, NO_WORKFLOW),
    ),
    Operation(
        method="GET",
        path=_INSTANCES + "/terminate",
        perform=is_terminating,
        summary="Whether all instances are being stopped: never, since that is done at once.",
        result=shapes.shaped({"status": shapes.one_of("running", "not_running")}),
        errors=(NO_WORKFLOW,),
    ),
)
