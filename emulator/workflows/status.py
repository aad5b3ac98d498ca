"""What `instance.status()` answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emulator.models import Instance, Status, Step, StepKind, StepState
from emulator.runtime import values
from emulator.workflows import rollback

_REDACTED = '"[REDACTED]"'


def status_of(instance: Instance, steps: Iterable[Step]) -> dict[str, Any]:
    """Status, step outputs as they ended, output, the error of an errored instance, and how its rollback went."""
    known = list(steps)
    answer: dict[str, Any] = {
        "status": str(instance.status),
        "__LOCAL_DEV_STEP_OUTPUTS": _shown_outputs(_in_order_of_ends(known)),
        "output": values.shown(instance.output),
    }
    if instance.error is not None and instance.status is Status.ERRORED:
        answer["error"] = {"name": instance.error.name, "message": instance.error.message}
    undone = rollback.outcome(known)
    if undone is not None:
        answer["rollback"] = undone
    return answer


def shown_output(step: Step) -> Any:
    """A step's result as people may see it: JSON, and nothing of a sensitive one."""
    (shown,) = _shown_outputs([step])
    return shown


def _shown_outputs(steps: list[Step]) -> list[Any]:
    # Read as one text: an instance may have thousands of steps, and who polls its status asks for all of them.
    texts = [_REDACTED if step.is_sensitive else step.result or "null" for step in steps]
    shown = values.shown(f"[{','.join(texts)}]")
    return [
        each["payload"] if step.kind is StepKind.WAIT and not step.is_sensitive else each
        for step, each in zip(steps, shown, strict=True)
    ]


def _in_order_of_ends(steps: Iterable[Step]) -> list[Step]:
    done = [step for step in steps if step.state is StepState.DONE and step.kind in (StepKind.DO, StepKind.WAIT)]
    return sorted(done, key=lambda step: step.ended_at or step.started_at)
