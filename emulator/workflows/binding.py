"""What `env.MY_WORKFLOW` and its instances are asked for, parsed and handed to the engine."""

from __future__ import annotations

from typing import Any

from emulator.errors import WorkflowError
from emulator.models import StepKind
from emulator.runtime import values
from emulator.wire import Frame
from emulator.workflows.engine import Engine, status_of


async def call_workflow(engine: Engine, frame: Frame) -> Any:
    """A method of the binding; answers an id, ids, or a plain value."""
    workflow = frame.head["workflow"]
    (argument,) = values.decode(frame.body, naive=False)
    match frame.head["method"]:
        case "create":
            id, params = instance_options(argument)
            return (await engine.create(workflow, id=id, params=params)).id
        case "create_batch":
            made = await engine.create_batch(workflow, [instance_options(options) for options in argument])
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
            await engine.terminate(workflow, id)
        case "restart":
            await engine.restart(workflow, id, from_step=from_step(options))
        case "send_event":
            payload = values.encode(options.get("payload"), lenient=True)
            await engine.send_event(workflow, id, event_type=options.get("type"), payload=payload)
        case "delete":
            await engine.delete(workflow, id)
        case method:
            raise WorkflowError("body", f"an instance has no method {method}")
    return None


def instance_options(options: Any) -> tuple[str | None, str]:
    """Id and params (wire form) of one instance to create."""
    if not isinstance(options, dict):
        raise WorkflowError("body", f"create takes an object with id and params, got {type(options).__name__}")
    if "id" in options and not isinstance(options["id"], str):
        raise WorkflowError("instance.invalid_id", "Workflow instance has invalid id")
    params = values.encode(options["params"]) if "params" in options else "{}"
    return options.get("id"), params


def from_step(options: Any) -> tuple[StepKind, str, int] | None:
    """The step `restart` is to begin from, if it names one."""
    wanted = options.get("from") if isinstance(options, dict) else None
    if wanted is None:
        return None
    try:
        return StepKind(wanted.get("type", "do")), wanted["name"], int(wanted.get("count", 1))
    except (AttributeError, KeyError, ValueError) as error:
        raise WorkflowError(
            "instance.cannot_restart", 'from takes {"name", "count"?, "type"?: do, sleep or waitForEvent}'
        ) from error


async def delete_batch(engine: Engine, workflow: str, ids: Any) -> dict[str, Any]:
    """Delete up to 100 instances; each id's outcome stands in `deleted` or `errors`, in the order given."""
    if not isinstance(ids, list):
        raise WorkflowError("body", "Provided argument is invalid")
    if len(ids) > 100:
        raise WorkflowError("body", "batchDeleteInstances only supports 100 instances at a time")
    if not ids:
        raise WorkflowError("body", "batchDeleteInstances should have at least 1 instance")
    outcomes = {id: await _deleted(engine, workflow, id) for id in dict.fromkeys(ids)}
    missing = {"code": 10400, "message": "workflows.api.error.instance.not_found"}
    return {
        "deleted": [{"id": id} for id in ids if outcomes[id]],
        "errors": [{"id": id, **missing} for id in ids if not outcomes[id]],
    }


async def _deleted(engine: Engine, workflow: str, id: str) -> bool:
    try:
        await engine.delete(workflow, id)
    except WorkflowError:
        return False
    return True


def _not_found() -> str:
    raise WorkflowError("instance.not_found", "Instance does not exist")
