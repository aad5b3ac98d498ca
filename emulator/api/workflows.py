"""The REST API's operations on workflows and their versions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from emulator import graph
from emulator.api import shapes
from emulator.api.envelope import BODY, FIXED_BY_CONFIG, NO_VERSION, NO_WORKFLOW, ApiError, Reply, timestamp
from emulator.api.operation import Call, Operation
from emulator.api.pages import cut, info
from emulator.api.served import Served, all_served, served
from emulator.errors import EmulatorError, WorkflowError
from emulator.versions import Version

_FROM_CONFIG = ("limits", "schedules", "concurrency", "default_retention")


async def list_workflows(call: Call) -> Reply:
    page, per_page = call.query.get("page", 1), call.query.get("per_page", 10)
    found = [each for each in all_served(call.emulator) if call.query.get("search", "") in each.name]
    rows = [_shown(each) for each in cut(found, page, per_page)]
    return Reply(rows, info(page=page, per_page=per_page, count=len(rows), total=len(found)))


async def get_workflow(call: Call) -> Reply:
    return Reply(_shown(served(call.emulator, call.workflow)))


async def update_workflow(call: Call) -> Reply:
    """The config file decides what a workflow is; to say the same here is no mistake."""
    each = served(call.emulator, call.workflow)
    for name, told in (("class_name", each.workflow.class_name), ("script_name", each.worker.name)):
        if call.body[name] != told:
            file = each.worker.config.path.name
            raise ApiError(FIXED_BY_CONFIG, f'{file} says that the {name} of {each.name} is "{told}"; change it there')
    return Reply(_updated(each), notes=tuple(f"{key}: {_in_config(each)}" for key in _FROM_CONFIG if key in call.body))


async def delete_workflow(call: Call) -> Reply:
    """Its instances go; the workflow itself stands in the config."""
    await delete_all(served(call.emulator, call.workflow))
    return Reply({"status": "ok", "success": True})


async def list_versions(call: Call) -> Reply:
    page, per_page = call.query.get("page", 1), call.query.get("per_page", 50)
    each = served(call.emulator, call.workflow)
    rows = [_version(each, version) for version in cut(each.versions, page, per_page)]
    return Reply(rows, info(page=page, per_page=per_page, count=len(rows), total=len(each.versions)))


async def get_version(call: Call) -> Reply:
    each = served(call.emulator, call.workflow)
    return Reply(_version(each, _asked_version(each, call)))


async def get_graph(call: Call) -> Reply:
    return Reply(_with_graph(call, "graph"))


async def get_dag(call: Call) -> Reply:
    return Reply(_with_graph(call, "dag"))


async def get_settings(call: Call) -> Reply:
    return Reply({})


async def change_settings(call: Call) -> Reply:
    return Reply({}, notes=tuple(f"{key}: not applied; each instance has its own" for key in call.body))


async def delete_all(each: Served) -> None:
    """Stop and forget all instances of a workflow, many in one commit."""
    engine = each.emulator.engine
    while ids := each.ids():
        outcomes = await asyncio.gather(*(engine.delete(each.name, id) for id in ids), return_exceptions=True)
        for outcome in outcomes:
            # One that has been deleted meanwhile is no failure.
            if isinstance(outcome, BaseException) and not isinstance(outcome, WorkflowError):
                raise outcome


def _asked_version(each: Served, call: Call) -> Version:
    for version in each.versions:
        if version.id == call.path["version"]:
            return version
    raise ApiError(NO_VERSION, f"{each.name} has no such version; the list shows those loaded since the start")


def _in_config(each: Served) -> str:
    return f"not applied; {each.worker.config.path.name} decides"


def _shown(each: Served) -> dict[str, Any]:
    schedules = [{"cron": cron, "next_instance": when} for cron, when in _schedules(each).items()]
    shown = {**_named(each), "instances": {**each.counts(), "rollingBack": 0}, "script_deleted": False}
    return {**shown, "schedules": schedules} if schedules else shown


def _updated(each: Served) -> dict[str, Any]:
    return {**_named(each), "version_id": each.versions[0].id, "is_deleted": 0, "terminator_running": 0}


def _named(each: Served) -> dict[str, Any]:
    triggered = each.emulator.store.instances.last_created(each.name)
    return {
        "id": each.id,
        "name": each.name,
        "class_name": each.workflow.class_name,
        "script_name": each.worker.name,
        "created_on": timestamp(each.versions[-1].created_at),
        "modified_on": timestamp(each.versions[0].modified_at),
        "triggered_on": None if triggered is None else timestamp(triggered),
    }


def _schedules(each: Served) -> Mapping[str, str]:
    ticks: Mapping[str, datetime | None] = each.emulator.timetable.schedules().get(each.worker.name, {})
    found = {cron: ticks.get(cron) for cron in each.workflow.schedules}
    return {cron: "" if when is None else timestamp(when) for cron, when in found.items()}


def _version(each: Served, version: Version) -> dict[str, Any]:
    limit = each.workflow.step_limit
    return {
        "id": version.id,
        "class_name": version.class_name,
        "workflow_id": each.id,
        "created_on": timestamp(version.created_at),
        "modified_on": timestamp(version.modified_at),
        "has_dag": version.main is not None,
        "language": "python",
        **({} if limit is None else {"limits": {"steps": limit}}),
    }


def _with_graph(call: Call, key: str) -> dict[str, Any]:
    each = served(call.emulator, call.workflow)
    version = _asked_version(each, call)
    return {**_version(each, version), key: _graph(version)}


def _graph(version: Version) -> dict[str, Any] | None:
    if version.main is None:
        return None
    try:
        found = graph.read(version.sources, version.main, version.class_name)
    except EmulatorError:
        return None
    return None if found is None else graph.as_rest(found)


_PAGES = {"page": shapes.PAGE, "per_page": shapes.PER_PAGE}
_UPDATE = shapes.loose(
    {
        "class_name": {"type": "string", "minLength": 1, "maxLength": 255},
        "script_name": {"type": "string", "minLength": 1, "maxLength": 255},
        "limits": {"type": "object"},
        "schedules": {"type": "array"},
        "concurrency": {"type": "object"},
        "default_retention": {"type": "object"},
    },
    "class_name",
    "script_name",
)

OPERATIONS = (
    Operation(
        method="GET",
        path="/workflows",
        perform=list_workflows,
        summary="The workflows of the workers that are served.",
        query={**_PAGES, "search": shapes.SEARCH},
        result=shapes.listed(shapes.WORKFLOW),
        lists=True,
        errors=(BODY,),
    ),
    Operation(
        method="GET",
        path="/workflows/settings",
        perform=get_settings,
        summary="Nothing: there are no settings for all workflows here.",
        result={"type": "object"},
    ),
    Operation(
        method="PATCH",
        path="/workflows/settings",
        perform=change_settings,
        summary="Changes nothing, and says so in its messages.",
        body=shapes.loose({"default_retention": shapes.RETENTION}),
        needs_body=True,
        result={"type": "object"},
        errors=(BODY,),
    ),
    Operation(
        method="GET",
        path="/workflows/{workflow}",
        perform=get_workflow,
        summary="One workflow, with the number of its instances by status.",
        result=shapes.WORKFLOW,
        errors=(NO_WORKFLOW,),
    ),
    Operation(
        method="PUT",
        path="/workflows/{workflow}",
        perform=update_workflow,
        summary="Agrees to what the config says, and changes nothing.",
        body=_UPDATE,
        needs_body=True,
        result=shapes.WORKFLOW_UPDATED,
        errors=(BODY, NO_WORKFLOW, FIXED_BY_CONFIG),
    ),
    Operation(
        method="DELETE",
        path="/workflows/{workflow}",
        perform=delete_workflow,
        summary="Stop and forget all instances.",
        result=shapes.shaped({"status": shapes.OK, "success": shapes.maybe(shapes.BOOLEAN)}),
        errors=(NO_WORKFLOW,),
    ),
    Operation(
        method="GET",
        path="/workflows/{workflow}/versions",
        perform=list_versions,
        summary="The versions of the code that were loaded since the start, the newest first.",
        query=_PAGES,
        result=shapes.listed(shapes.VERSION),
        lists=True,
        errors=(BODY, NO_WORKFLOW),
    ),
    Operation(
        method="GET",
        path="/workflows/{workflow}/versions/{version}",
        perform=get_version,
        summary="One version.",
        result=shapes.VERSION,
        errors=(NO_WORKFLOW, NO_VERSION),
    ),
    Operation(
        method="GET",
        path="/workflows/{workflow}/versions/{version}/graph",
        perform=get_graph,
        summary="A version with the graph of its steps, read from its source.",
        result=shapes.GRAPH,
        errors=(NO_WORKFLOW, NO_VERSION),
    ),
    Operation(
        method="GET",
        path="/workflows/{workflow}/versions/{version}/dag",
        perform=get_dag,
        summary="The older name of the graph.",
        result=shapes.VERSION,
        errors=(NO_WORKFLOW, NO_VERSION),
    ),
)
