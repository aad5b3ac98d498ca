"""The local explorer's API, which `wrangler workflows … --local` uses: the REST API's engine in another spelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.api import history, local_workers, openapi, shapes
from emulator.api.batches import delete_instances
from emulator.api.envelope import (
    BODY,
    INSTANCE_EXISTS,
    NO_INSTANCE,
    NO_WORKFLOW,
    WRONG_STATE,
    Answer,
    ApiError,
    Reply,
    kind_of,
    timestamp,
)
from emulator.api.envelope import failure as rest_failure
from emulator.api.instances import changed, deliver, perform, refuse_reserved, wire_params
from emulator.api.operation import NOTHING, Call, Operation, routes
from emulator.api.pages import cut, info, moment, until
from emulator.api.served import COUNTED, Served, all_served, served
from emulator.api.workflows import delete_all
from emulator.models import Instance, Status, Trigger
from emulator.server import Emulator
from emulator.store.listing import Listing
from emulator.workflows.engine import Wanted

PREFIXES = ("/cdn-cgi/local/explorer/api", "/cdn-cgi/explorer/api")
_NOT_FOUND = 10501
_OTHER = 10001


def explorer_routes(emulator: Emulator) -> list[Route]:
    """The API under both its prefixes, with its OpenAPI document at each root."""

    async def described(request: Request) -> Response:
        return JSONResponse(openapi.document(OPERATIONS, title="The local explorer's API", server=request.url.path))

    return [
        route
        for prefix in PREFIXES
        for route in (Route(prefix, described), *routes(emulator, OPERATIONS, prefix, failure))
    ]


def failure(error: Exception) -> Answer:
    """An error in the explorer's numbers, with the reason as its message."""
    told, kind = rest_failure(error), kind_of(error)
    (first,) = told.body["errors"]
    reasons = first.get("error_chain") or [first]
    code = _NOT_FOUND if kind.status == 404 else _OTHER
    body = {**told.body, "errors": [{"code": code, "message": reasons[0]["message"]}]}
    return Answer(status=told.status, body=body, headers=told.headers)


async def list_workflows(call: Call) -> Reply:
    page, per_page = call.query.get("page", 1), call.query.get("per_page", 100)
    found = list(all_served(call.emulator))
    rows = [_named(each) for each in cut(found, page, per_page)]
    return Reply(rows, info(page=page, per_page=per_page, count=len(rows), total=len(found)))


async def get_workflow(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    return Reply({**_named(each), "instances": each.counts()})


async def delete_workflow(call: Call) -> Reply:
    await delete_all(served(call.emulator, call.workflow))
    return Reply({"status": "ok", "success": True})


async def list_instances(call: Call) -> Reply:
    each, query = served(call.emulator, call.workflow), call.query
    page, per_page, status = query.get("page", 1), query.get("per_page", 25), query.get("status")
    listing = Listing(
        workflow=each.name,
        status=Status(status) if status else None,
        since=moment(query, "date_start"),
        until=until(query, "date_end"),
        oldest_first=query.get("direction") == "asc",
        limit=per_page,
        offset=(page - 1) * per_page,
    )
    rows, counts = [_row(one) for one in call.emulator.store.instances.listed(listing)], each.counts()
    told = info(page=page, per_page=per_page, count=len(rows), total=_total(each, listing, counts))
    return Reply(rows, {**told, "status_counts": counts})


async def create_instance(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    given: Mapping[str, Any] = {} if call.body is NOTHING else call.body
    refuse_reserved(given.get("id"))
    params = wire_params(given["params"]) if "params" in given else "{}"
    made = await call.emulator.engine.create(each.name, Wanted(id=given.get("id"), params=params), trigger=Trigger.API)
    return Reply({"id": made.id})


async def get_instance(call: Call) -> Reply:
    return Reply(history.local(served(call.emulator, call.workflow).history(call.instance)))


async def change_status(call: Call) -> Reply:
    """Newer clients say `status`, older ones `action`."""
    each = served(call.emulator, call.workflow)
    action = call.body.get("status", call.body.get("action"))
    if action is None:
        raise ApiError(BODY, f"body.status: expected one of {', '.join(shapes.ACTION['enum'])}")
    await perform(each, call.instance, action, call.body)
    return Reply({"success": True, **changed(each, call.instance)})


async def send_event(call: Call) -> Reply:
    await deliver(served(call.emulator, call.workflow), call)
    return Reply({"success": True})


async def delete_instance(call: Call) -> Reply:
    await call.emulator.engine.delete(served(call.emulator, call.workflow).name, call.instance)
    return Reply({"success": True})


def _total(each: Served, listing: Listing, counts: Mapping[str, int]) -> int:
    """How many there are on all pages; what has been counted already is not counted again."""
    if listing.since is not None or listing.until is not None:
        return each.emulator.store.instances.count(listing)
    return sum(counts.values()) if listing.status is None else counts[listing.status]


def _row(instance: Instance) -> dict[str, str]:
    return {"id": instance.id, "status": str(instance.status), "created_on": timestamp(instance.created_at)}


def _named(each: Served) -> dict[str, str]:
    return {"name": each.name, "class_name": each.workflow.class_name, "script_name": each.worker.name}


_NAMED: Mapping[str, Any] = {"name": shapes.TEXT, "class_name": shapes.TEXT, "script_name": shapes.TEXT}
_DONE = shapes.shaped({"success": shapes.BOOLEAN})
_INSTANCES = "/workflows/{workflow}/instances"
_ONE = _INSTANCES + "/{instance:path}"

OPERATIONS = (
    Operation(
        method="GET",
        path="/workflows",
        perform=list_workflows,
        summary="The workflows of the workers that are served.",
        query={"page": shapes.PAGE, "per_page": shapes.PER_PAGE},
        result=shapes.listed(shapes.shaped(_NAMED)),
        lists=True,
        errors=(BODY,),
    ),
    Operation(
        method="GET",
        path="/workflows/{workflow}",
        perform=get_workflow,
        summary="One workflow, with the number of its instances by status.",
        result=shapes.shaped({**_NAMED, "instances": shapes.COUNTS}),
        errors=(NO_WORKFLOW,),
    ),
    Operation(
        method="DELETE",
        path="/workflows/{workflow}",
        perform=delete_workflow,
        summary="Stop and forget all instances.",
        result=shapes.shaped({"status": shapes.OK, "success": shapes.BOOLEAN}),
        errors=(NO_WORKFLOW,),
    ),
    Operation(
        method="GET",
        path=_INSTANCES,
        perform=list_instances,
        summary="The instances, the newest first.",
        query={
            "page": shapes.PAGE,
            "per_page": shapes.PER_PAGE,
            "direction": shapes.one_of("asc", "desc"),
            "status": shapes.one_of(*COUNTED),
            "date_start": shapes.TIME,
            "date_end": shapes.TIME,
        },
        result=shapes.listed(shapes.shaped({"id": shapes.TEXT, "status": shapes.STATUS, "created_on": shapes.TIME})),
        lists=True,
        errors=(BODY, NO_WORKFLOW),
    ),
    Operation(
        method="POST",
        path=_INSTANCES,
        perform=create_instance,
        summary="Create an instance.",
        body=shapes.loose({"id": shapes.ID, "params": shapes.ANYTHING}),
        result=shapes.shaped({"id": shapes.TEXT}),
        errors=(BODY, NO_WORKFLOW, INSTANCE_EXISTS),
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
        method="PATCH",
        path=_ONE + "/status",
        perform=change_status,
        summary="Pause, resume, terminate or restart.",
        body=shapes.loose(
            {"status": shapes.ACTION, "action": shapes.ACTION, "rollback": shapes.BOOLEAN, "from": shapes.FROM}
        ),
        needs_body=True,
        result=shapes.shaped({"success": shapes.BOOLEAN, "status": shapes.STATUS, "timestamp": shapes.TIME}),
        errors=(BODY, NO_WORKFLOW, NO_INSTANCE, WRONG_STATE),
    ),
    Operation(
        method="POST",
        path=_ONE + "/events/{event}",
        perform=send_event,
        summary="Send an event; the body, if there is one, is its payload.",
        body=shapes.ANYTHING,
        result=_DONE,
        errors=(BODY, NO_WORKFLOW, NO_INSTANCE, WRONG_STATE),
    ),
    Operation(
        method="GET",
        path=_ONE,
        perform=get_instance,
        summary="One instance with its steps and their attempts.",
        result=shapes.LOCAL_DETAIL,
        errors=(NO_WORKFLOW, NO_INSTANCE),
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        perform=delete_instance,
        summary="Stop an instance and forget it.",
        result=_DONE,
        errors=(NO_WORKFLOW, NO_INSTANCE),
    ),
    *local_workers.OPERATIONS,
)
