"""An instance with its steps and attempts, as the platform's APIs show them: one reading, two spellings. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from emulator.api.envelope import timestamp
from emulator.models import Attempt, Failure, Instance, Status, Step, StepKind, StepState
from emulator.runtime import values
from emulator.workflows import rollback
from emulator.workflows.status import shown_output

_DYNAMIC = "[dynamic]"
_RETRIES = {"limit": 5, "delay": 1000, "backoff": "exponential"}
_TIMEOUT = "10 minutes"


@dataclass(frozen=True, kw_only=True)
class History:
    """All that is recorded of an instance."""

    instance: Instance
    steps: Sequence[Step]
    attempts: Sequence[Attempt] = ()

    def of(self, step: Step) -> list[Attempt]:
        """The attempts of a step."""
        return [attempt for attempt in self.attempts if attempt.order == step.order]


def row(instance: Instance, *, version_id: str, workflow_id: str) -> dict[str, Any]:
    """An instance in a list."""
    return {
        "id": instance.id,
        "status": str(instance.status),
        "version_id": version_id,
        "workflow_id": workflow_id,
        "created_on": timestamp(instance.created_at),
        "modified_on": timestamp(instance.modified_at),
        "started_on": _time(instance.started_at),
        "ended_on": _time(instance.ended_at),
        "trigger_source": str(instance.trigger),
    }


def created(instance: Instance, *, version_id: str, workflow_id: str) -> dict[str, Any]:
    """An instance that was just created."""
    return {
        "id": instance.id,
        "status": str(Status.QUEUED),
        "version_id": version_id,
        "workflow_id": workflow_id,
        "trigger_source": str(instance.trigger),
    }


def rest(history: History, *, version_id: str, newest_first: bool = False, simple: bool = False) -> dict[str, Any]:
    """The detail of the REST API: outputs are JSON text, and what still waits shows when it would end."""
    instance = history.instance
    steps = [] if simple else _entries(history, _as_text)
    shown: dict[str, Any] = {
        **_common(history),
        "trigger": {"source": str(instance.trigger)},
        "versionId": version_id,
        "success": _success(instance.status),
        "rollback": rollback.outcome(history.steps),
        "output": _text(values.shown(instance.output)),
        "steps": steps[::-1] if newest_first else steps,
    }
    return shown if instance.schedule is None else {**shown, "schedule": json.loads(instance.schedule)}


def local(history: History) -> dict[str, Any]:
    """The detail of the local explorer's API: outputs are JSON, and what still waits has no end."""
    steps = _entries(history, _as_json)
    return {**_common(history), "output": values.shown(history.instance.output), "steps": steps}


def one_step(history: History, step: Step, attempt: Attempt | None = None) -> dict[str, Any]:
    """A single step, or a single attempt of it: its state, its error, and its whole output."""
    if attempt is not None and (attempt.error is not None or attempt.ended_at is None):
        state = "running" if attempt.ended_at is None else "errored"
        return {"status": state, "error": _error(attempt.error)}
    shown = {"status": _step_status(history.instance, step), "error": _error(step.error)}
    if step.kind is StepKind.WAIT:
        shown["event_type"] = step.event_type
    if step.state is StepState.DONE:
        shown["output"] = shown_output(step)
    return shown


def find_step(steps: Iterable[Step], kind: StepKind, label: str) -> Step | None:
    """A step by its name with its counter."""
    return next((step for step in steps if step.kind is kind and step.label == label), None)


# The two ways to write


@dataclass(frozen=True)
class _Spelling:
    """REST writes outputs as text and knows the end of all that still waits; the explorer does neither."""

    as_text: bool

    def output(self, value: Any) -> Any:
        return _text(value) if self.as_text else value

    def end(self, instance: Instance, step: Step) -> str | None:
        # What waited when the instance ended has ended with it.
        ended_at = step.ended_at or instance.ended_at
        if ended_at is not None or not self.as_text:
            return _time(ended_at)
        return _time(step.wake_at or step.started_at)


_as_text = _Spelling(as_text=True)
_as_json = _Spelling(as_text=False)


def _common(history: History) -> dict[str, Any]:
    instance = history.instance
    return {
        "status": str(instance.status),
        "params": values.shown(instance.params),
        "queued": timestamp(instance.created_at),
        "start": _time(instance.started_at),
        "end": _time(instance.ended_at),
        "error": _error(instance.error) if instance.status is Status.ERRORED else None,
        "step_count": len(history.steps),
    }


def _entries(history: History, spelling: _Spelling) -> list[dict[str, Any]]:
    attempts: dict[int, list[Attempt]] = {}
    for attempt in history.attempts:
        attempts.setdefault(attempt.order, []).append(attempt)
    entries = [_entry(history.instance, step, attempts.get(step.order, []), spelling) for step in history.steps]
    if history.instance.status is Status.TERMINATED:
        entries.append({"type": "termination", "trigger": {"source": "user"}})
    return entries


def _entry(instance: Instance, step: Step, attempts: Sequence[Attempt], spelling: _Spelling) -> dict[str, Any]:
    named = {"name": step.label, "start": timestamp(step.started_at)}
    match step.kind:
        case StepKind.DO | StepKind.ROLLBACK:
            kind = "step" if step.kind is StepKind.DO else "rollback"
            return {"type": kind, **named, **_done(instance, step, attempts, spelling)}
        case StepKind.SLEEP:
            return {"type": "sleep", **named, **_waited(instance, step, spelling)}
        case StepKind.WAIT:
            waited = {**_waited(instance, step, spelling), "event_type": step.event_type}
            return {"type": "waitForEvent", **named, **waited, "output": _event(step, spelling)}
        case _:
            assert_never(step.kind)


def _done(instance: Instance, step: Step, attempts: Sequence[Attempt], spelling: _Spelling) -> dict[str, Any]:
    # What was under way when the instance ended has ended with it.
    end, success = step.ended_at, {StepState.DONE: True, StepState.FAILED: False}.get(step.state)
    if success is None and instance.status.is_final:
        end, success = instance.ended_at, False
    return {
        "end": _time(end),
        "success": success,
        "output": spelling.output(shown_output(step)) if step.state is StepState.DONE else None,
        "config": _config(json.loads(step.config)),
        "attempts": [_attempt(each) for each in attempts],
    }


def _waited(instance: Instance, step: Step, spelling: _Spelling) -> dict[str, Any]:
    return {"end": spelling.end(instance, step), "finished": step.ended_at is not None, "error": _error(step.error)}


def _event(step: Step, spelling: _Spelling) -> Any:
    if step.state is not StepState.DONE:
        return None
    return _text(shown_output(step)) if spelling.as_text else values.shown(step.result)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "start": timestamp(attempt.started_at),
        "end": _time(attempt.ended_at),
        "success": None if attempt.ended_at is None else attempt.error is None,
        "error": _error(attempt.error),
    }


def _config(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A step's config as the API has it, whole; a delay that a function decides has no value."""
    retries = stored.get("retries")
    shown = {
        "retries": _RETRIES if retries is None else {"delay": _DYNAMIC, **retries},
        "timeout": stored.get("timeout", _TIMEOUT),
    }
    return {**shown, "sensitive": "output"} if stored.get("sensitive") == "output" else shown


def _step_status(instance: Instance, step: Step) -> str:
    match step.state:
        case StepState.DONE:
            return str(Status.COMPLETE)
        case StepState.FAILED:
            return str(Status.ERRORED)
        case StepState.STARTED | StepState.BACKING_OFF:
            if instance.status.is_final or instance.status is Status.PAUSED:
                return str(instance.status)
            is_running = step.kind is StepKind.DO and step.state is StepState.STARTED
            return str(Status.RUNNING if is_running else Status.WAITING)
        case _:
            assert_never(step.state)


def _success(status: Status) -> bool | None:
    return status is Status.COMPLETE if status.is_final else None


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _error(error: Failure | None) -> dict[str, str] | None:
    return None if error is None else {"name": error.name, "message": error.message}


def _time(when: datetime | None) -> str | None:
    return None if when is None else timestamp(when)
