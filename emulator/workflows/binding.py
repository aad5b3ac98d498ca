"""What `env.MY_WORKFLOW` and its instances are asked for, parsed and handed to the engine."""

from __future__ import annotations

import logging
from typing import Any

from emulator.errors import EmulatorError, WorkflowError
from emulator.models import StepKind
from emulator.runtime import values
from emulator.wire import Frame
from emulator.workflows import retention
from emulator.workflows.engine import LARGEST_BATCH, Engine, Wanted
from emulator.workflows.names import is_addressable
from emulator.workflows.status import status_of

log = logging.getLogger("emulator")

_HOW_TO_RESTART = 'restart takes {"from": {"name", "count"?, "type"?: do, sleep or waitForEvent}}'
_KINDS = {str(kind): kind for kind in (StepKind.DO, StepKind.SLEEP, StepKind.WAIT)}


async def call_workflow(engine: Engine, frame: Frame) -> Any:
    """A method of the binding; answers an id, ids, or a plain value."""
    workflow = frame.head["workflow"]
    (argument,) = values.decode(frame.body, naive=False)
    match frame.head["method"]:
        case "create":
            return (await engine.create(workflow, wanted(argument))).id
        case "create_batch":
            made = await engine.create_batch(workflow, [wanted(options) for options in argument])
            return [instance.id for instance in made]
        case "get":
            return engine.get(workflow, argument).id if isinstance(argument, str) else _not_found()
        case "delete_batch":
            return await delete_batch(engine, workflow, argument)
        case method:
            raise WorkflowError("body", f"a workflow binding has no method {method}")


async def call_instance(engine: Engine, frame: Frame) -> Any:
    """A method of an instance's handle."""
    workflow, id = frame.head["workflow"], frame.head["instance"]
    (options,) = values.decode(frame.body, naive=False)
    match frame.head["method"]:
        case "status":
            instance = engine.get(workflow, id)
            return status_of(instance, engine.steps(instance))
        case "pause":
            await engine.pause(workflow, id)
        case "resume":
            await engine.resume(workflow, id)
        case "terminate":
            await engine.terminate(workflow, id, rollback=_option(options, "rollback") is True)
        case "restart":
            await engine.restart(workflow, id, from_step=from_step(options))
        case "send_event":
            payload = values.encode(_option(options, "payload"), lenient=True)
            await engine.send_event(workflow, id, event_type=_option(options, "type"), payload=payload)
        case "delete":
            await engine.delete(workflow, id)
        case method:
            raise WorkflowError("body", f"an instance has no method {method}")
    return None


def wanted(options: Any) -> Wanted:
    """One instance to create, from what `create` was given: {id?, params?, retention?, locationHint?}."""
    if not isinstance(options, dict):
        raise WorkflowError("body", f"create takes an object with id and params, got {type(options).__name__}")
    if "id" in options and not isinstance(options["id"], str):
        raise WorkflowError("instance.invalid_id", "Workflow instance has invalid id")
    return Wanted(
        id=options.get("id"),
        params=values.encode(options["params"]) if "params" in options else "{}",
        retention=retention.parse(options.get("retention")),
    )


def from_step(options: Any) -> tuple[StepKind, str, int] | None:
    """The step `restart` is to begin from, if it names one."""
    if options is not None and not isinstance(options, dict):
        raise WorkflowError("instance.cannot_restart", _HOW_TO_RESTART)
    step = _option(options, "from")
    if step is None:
        return None
    try:
        type, given = (step.get(key) for key in ("type", "count"))
        kind, given = _KINDS["do" if type is None else type], 1 if given is None else given
        count = int(given)
        if count != float(given):
            raise ValueError(given)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise WorkflowError("instance.cannot_restart", _HOW_TO_RESTART) from error
    return kind, str(step.get("name", "undefined")), count


async def delete_batch(engine: Engine, workflow: str, ids: Any) -> dict[str, Any]:
    """Delete up to 100 instances; each id's outcome stands in `deleted` or `errors`, in the order given."""
    if not isinstance(ids, list):
        raise WorkflowError("body", "Provided argument is invalid")
    if len(ids) > LARGEST_BATCH:
        raise WorkflowError("body", f"batchDeleteInstances only supports {LARGEST_BATCH} instances at a time")
    if not ids:
        raise WorkflowError("body", "batchDeleteInstances should have at least 1 instance")
    if not all(map(is_addressable, ids)):
        raise WorkflowError("instance.invalid_id", "Instance ID is invalid")
    errors = {id: await _deleted(engine, workflow, id) for id in dict.fromkeys(ids)}
    return {
        "deleted": [{"id": id} for id in ids if errors[id] is None],
        "errors": [{"id": id, **error} for id in ids if (error := errors[id]) is not None],
    }


async def _deleted(engine: Engine, workflow: str, id: str) -> dict[str, Any] | None:
    """What kept an instance from being deleted, in the platform's numbers; None when it is gone."""
    try:
        await engine.delete(workflow, id)
    except WorkflowError:
        return {"code": 10400, "message": "workflows.api.error.instance.not_found"}
    except EmulatorError as error:
        log.error("%s/%s could not be deleted: %s", workflow, id, error)
        return {"code": 10001, "message": "workflows.api.error.internal_server"}
    return None


def _option(options: Any, name: str) -> Any:
    return options.get(name) if isinstance(options, dict) else None


def _not_found() -> str:
    raise WorkflowError("instance.not_found", "Instance does not exist")
