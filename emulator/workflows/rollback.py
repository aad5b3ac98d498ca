"""Which steps are to be undone when an instance fails or is terminated with rollback, and how that went. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from emulator.models import Failure, Step, StepKind, StepState

MISSING = Failure(name="RollbackMissing", message="Rollback function not available in registry")


def has_handler(step: Step) -> bool:
    """Whether the step was started with a rollback handler."""
    return step.kind is StepKind.DO and json.loads(step.config).get("rollback") is True


def plan(steps: Iterable[Step]) -> list[Step]:
    """
    The steps whose handlers are still to run, the one that started last first.

    Empty when there are none, and when a handler has failed for good: the first that fails ends the chain.
    """
    known = list(steps)
    undone = {(step.name, step.count): step.state for step in known if step.kind is StepKind.ROLLBACK}
    if StepState.FAILED in undone.values():
        return []
    left = [step for step in known if has_handler(step) and undone.get((step.name, step.count)) is not StepState.DONE]
    return sorted(left, key=lambda step: step.order, reverse=True)


def outcome(steps: Iterable[Step]) -> dict[str, Any] | None:
    """What a status says of the rollback: how it ended, with the error that ended it; None when it did not end."""
    known = list(steps)
    undone = [step for step in known if step.kind is StepKind.ROLLBACK]
    failed = next((step.error for step in undone if step.state is StepState.FAILED), None)
    if not undone or (failed is None and plan(known)):
        return None
    if failed is None:
        return {"outcome": "complete", "error": None}
    return {"outcome": "failed", "error": {"name": failed.name, "message": failed.message}}
