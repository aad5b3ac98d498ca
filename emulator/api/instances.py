"""The REST API's operations on instances."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from emulator.api import hints, history, shapes
from emulator.api.envelope import (
    BODY,
    INSTANCE_EXISTS,
    NO_INSTANCE,
    NO_STEP,
    NO_WORKFLOW,
    WRONG_STATE,
    ApiError,
    Reply,
    timestamp,
)
from emulator.api.operation import NOTHING, Call, Operation, Stream
from emulator.api.pages import cursor_of, info, moment, place_of, until
from emulator.api.served import Served, served
from emulator.errors import WorkflowError
from emulator.models import Instance, Status, Step, StepKind, Trigger
from emulator.runtime import values
from emulator.store.listing import Listing
from emulator.workflows import retention
from emulator.workflows.binding import from_step
from emulator.workflows.engine import Wanted
from emulator.workflows.retention import Retention

_RESERVED = re.compile(r"cf_[0-9a-f]{64}")
_STREAM = '{"$":"stream"'
_KINDS = {"step": StepKind.DO, "waitForEvent": StepKind.WAIT}


async def list_instances(call: Call) -> Reply:
    each, query = served(call.emulator, call.workflow), call.query
    page, per_page = query.get("page", 1), query.get("per_page", 50)
    listing = _listing(each.name, query, limit=per_page + 1, offset=(page - 1) * per_page)
    table = call.emulator.store.instances
    found, total = table.listed(listing), table.count(listing)
    shown, more = found[:per_page], len(found) > per_page
    cursor = cursor_of(shown[-1].created_at, shown[-1].key) if more else None
    at, id = each.version_at, each.id
    rows = [history.row(one, version_id=at(one.created_at), workflow_id=id) for one in shown]
    return Reply(rows, info(page=page, per_page=per_page, count=len(rows), total=total, cursor=cursor))


async def create_instance(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    wanted = wanted_of({} if call.body is NOTHING else call.body)
    return Reply(created_of(each, await call.emulator.engine.create(each.name, wanted, trigger=Trigger.API)))


async def get_instance(call: Call) -> Reply:
    found, simple = served(call.emulator, call.workflow), call.query.get("simple") == "true"
    told = found.history(call.instance, attempts=not simple)
    return Reply(
        history.rest(
            told,
            version_id=found.version_at(told.instance.created_at),
            newest_first=call.query.get("order") == "desc",
            simple=simple,
        )
    )


async def delete_instance(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    await call.emulator.engine.delete(each.name, call.instance)
    return Reply(_touched(call))


async def change_status(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    await perform(each, call.instance, call.body["status"], call.body)
    return Reply(changed(each, call.instance))


async def send_event(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    await deliver(each, call)
    return Reply(_touched(call))


async def get_step(call: Call) -> Reply | Stream:
    each = served(call.emulator, call.workflow)
    told = each.history(call.instance)
    step = history.find_step(told.steps, _KINDS[call.query["type"]], call.query["name"])
    if step is None:
        kind, name = call.query["type"], call.query["name"]
        there = hints.to_show(told.steps, _KINDS, name)
        raise ApiError(NO_STEP, f'{call.instance} has no {kind} "{name[:80]}"; {there}')
    number = call.query.get("attempt")
    attempt = next((one for one in told.of(step) if one.attempt == number), None)
    if number is not None and attempt is None:
        raise ApiError(NO_STEP, f"{step.label} has no attempt {number}")
    shown = history.one_step(told, step, attempt)
    if "output" in shown and _is_stream(step):
        return Stream(_bytes(each, step))
    return Reply(shown)


async def perform(each: Served, id: str, action: str, options: Mapping[str, Any]) -> None:
    """Pause, resume, terminate or restart. Raises ApiError where an option does not belong to the action."""
    for option, belongs_to in (("rollback", "terminate"), ("from", "restart")):
        if option in options and action != belongs_to:
            raise ApiError(BODY, f"body.{option}: goes with {belongs_to} only")
    engine = each.emulator.engine
    match action:
        case "pause":
            await engine.pause(each.name, id)
        case "resume":
            await engine.resume(each.name, id)
        case "terminate":
            await engine.terminate(each.name, id, rollback=options.get("rollback") is True)
        case _:
            await _restart(each, id, from_step(options))


async def _restart(each: Served, id: str, wanted: tuple[StepKind, str, int] | None) -> None:
    """Restart an instance. Raises WorkflowError, for a step that is not there with those that are."""
    try:
        await each.emulator.engine.restart(each.name, id, from_step=wanted)
    except WorkflowError as error:
        steps = [] if wanted is None else each.history(id, attempts=False).steps
        if wanted is None or wanted in (step.identity for step in steps):
            raise
        raise WorkflowError(error.code, f"{error.message}; {hints.to_begin_from(steps, wanted[1])}") from error


async def deliver(each: Served, call: Call) -> None:
    """Send an event whose payload is the body."""
    payload = values.encode(None if call.body is NOTHING else call.body)
    await call.emulator.engine.send_event(each.name, call.instance, event_type=call.path["event"], payload=payload)


def changed(each: Served, id: str) -> dict[str, str]:
    """An instance's status, and when that was."""
    return {"status": str(each.get(id).status), "timestamp": timestamp(each.emulator.clock.now())}


def wire_params(params: Any) -> str:
    """Params in wire form: any JSON, or text that holds JSON, as the platform's SDK sends it."""
    if isinstance(params, str):
        try:
            return values.encode(json.loads(params))
        except (ValueError, RecursionError, TypeError):
            return values.encode(params)
    return values.encode(params)


def refuse_reserved(id: str | None) -> None:
    """Raise ApiError for an id that the platform keeps for itself."""
    if id is not None and _RESERVED.fullmatch(id):
        raise ApiError(BODY, "instance_id: cf_ followed by 64 hexadecimal digits is reserved")


def wanted_of(given: Mapping[str, Any]) -> Wanted:
    """An instance to create, as a request describes it."""
    refuse_reserved(given.get("instance_id"))
    return Wanted(
        id=given.get("instance_id"),
        params=wire_params(given["params"]) if "params" in given else "{}",
        retention=_retention(given.get("instance_retention")),
    )


def _retention(given: Mapping[str, Any] | None) -> Retention:
    words = {"success_retention": "successRetention", "error_retention": "errorRetention"}
    return retention.parse({words[key]: value for key, value in (given or {}).items() if key in words})


def _listing(workflow: str, query: Mapping[str, Any], *, limit: int, offset: int) -> Listing:
    return Listing(
        workflow=workflow,
        status=_status(query.get("status")),
        since=moment(query, "date_start"),
        until=until(query, "date_end"),
        # The SDK sends page and cursor together: pages then count from the cursor on.
        after=place_of(query["cursor"]) if query.get("cursor") else None,
        oldest_first=query.get("direction") == "asc",
        limit=limit,
        offset=offset,
    )


def _status(asked: str | None) -> Status | None:
    """What the store calls a status; none of its instances is `rollingBack`: they say running until they are over."""
    if asked is None:
        return None
    return Status.UNKNOWN if asked == "rollingBack" else Status(asked)


def created_of(each: Served, instance: Instance) -> dict[str, Any]:
    """An instance that was just created."""
    return history.created(instance, version_id=each.version_at(instance.created_at), workflow_id=each.id)


def _touched(call: Call) -> dict[str, str]:
    return {"instanceId": call.instance, "timestamp": timestamp(call.emulator.clock.now())}


def _is_stream(step: Step) -> bool:
    return step.result is not None and step.result.startswith(_STREAM) and not step.is_sensitive


def _bytes(each: Served, step: Step) -> bytes:
    blocks, number = bytearray(), 0
    while (block := each.emulator.store.streams.get(step.instance, step.order, number)) is not None:
        blocks += block
        number += 1
    return bytes(blocks)


_INSTANCES = "/workflows/{workflow}/instances"
_ONE = _INSTANCES + "/{instance:path}"

OPERATIONS = (
    Operation(
        method="GET",
        path=_INSTANCES,
        perform=list_instances,
        summary="The instances, the newest first.",
        query={
            "page": shapes.PAGE,
            "per_page": shapes.PER_PAGE,
            "cursor": {"type": "string", "maxLength": 200},
            "direction": shapes.one_of("asc", "desc"),
            "status": shapes.STATUS,
            "date_start": shapes.TIME,
            "date_end": shapes.TIME,
        },
        result=shapes.listed(shapes.ROW),
        lists=True,
        errors=(BODY, NO_WORKFLOW),
    ),
    Operation(
        method="POST",
        path=_INSTANCES,
        perform=create_instance,
        summary="Create an instance; without a body with an id of its own and no params.",
        body=shapes.NEW_INSTANCE,
        result=shapes.CREATED,
        errors=(BODY, NO_WORKFLOW, INSTANCE_EXISTS),
    ),
    Operation(
        method="PATCH",
        path=_ONE + "/status",
        perform=change_status,
        summary="Pause, resume, terminate or restart.",
        body=shapes.STATUS_CHANGE,
        needs_body=True,
        result=shapes.CHANGED,
        errors=(BODY, NO_WORKFLOW, NO_INSTANCE, WRONG_STATE),
    ),
    Operation(
        method="GET",
        path=_ONE + "/step",
        perform=get_step,
        summary="One step with its whole output; a stream comes as its bytes.",
        query={"name": shapes.LABEL, "type": shapes.one_of(*_KINDS), "attempt": shapes.STEP_COUNT},
        required=("name", "type"),
        result=shapes.STEP,
        streams=True,
        errors=(BODY, NO_WORKFLOW, NO_INSTANCE, NO_STEP),
    ),
    Operation(
        method="POST",
        path=_ONE + "/events/{event}",
        perform=send_event,
        summary="Send an event; the body, if there is one, is its payload.",
        body=shapes.ANYTHING,
        result=shapes.TOUCHED,
        errors=(BODY, NO_WORKFLOW, NO_INSTANCE, WRONG_STATE),
    ),
    Operation(
        method="GET",
        path=_ONE,
        perform=get_instance,
        summary="One instance with its steps and their attempts.",
        query={"order": shapes.one_of("asc", "desc"), "simple": shapes.one_of("true", "false")},
        result=shapes.DETAIL,
        errors=(BODY, NO_WORKFLOW, NO_INSTANCE),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        perform=delete_instance,
        summary="Stop an instance and forget it.",
        result=shapes.TOUCHED,
        errors=(NO_WORKFLOW, NO_INSTANCE),
    ),
)
