"""An instance in the terminal, row by row as wrangler shows it: what it is, its steps, their attempts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from emulator.cli import show
from emulator.workflows.retries import StepConfig, next_delay

_DYNAMIC = "[dynamic]"
_TRIGGERS = {"api": "API", "binding": "Binding", "cron": "Cron", "event": "Event", "unknown": "Unknown"}
_KINDS = {
    "step": "Step",
    "sleep": "Sleeping",
    "termination": "Termination",
    "waitForEvent": "Waiting for event",
    "rollback": "Rollback",
}
# Entries of a history that take an instance no further.
_NO_STEPS = ("rollback", "termination")


def describe_instance(workflow: str, id: str, found: Mapping[str, Any], *, limit: int | None, now: str) -> None:
    """All of it; outputs are cut at the limit, or left out where there is none. What goes on has lasted until now."""
    show.block(
        [
            ("Workflow Name", workflow),
            ("Instance Id", id),
            ("Version Id", found["versionId"]),
            ("Status", show.status(found["status"])),
            ("Trigger", _TRIGGERS[found["trigger"]["source"]]),
            ("Queued", show.when(found["queued"])),
            *_where_known("Success", _yes_or_no(found["success"])),
            *_where_known("Start", show.when(found["start"])),
            *_where_known("End", show.when(found["end"])),
            *_where_known("Duration", show.took(found["start"], found["end"] or now)),
            *_where_known("Last Successful Step", _last_successful(found["steps"])),
            *_where_known("Error", _error(found["error"])),
            *_where_known("Rollback", _rollback(found["rollback"])),
            *([] if limit is None or found["status"] != "complete" else [("Output", _cut(found["output"], limit))]),
        ]
    )
    if found["steps"]:
        show.line("Steps:")
    for step in found["steps"]:
        _describe_step(step, limit, now, is_over=found["end"] is not None)


def _describe_step(step: Mapping[str, Any], limit: int | None, now: str, *, is_over: bool) -> None:
    show.line()
    pairs = [("Type", _KINDS[step["type"]])]
    if "name" in step:
        pairs = [("Name", step["name"]), *pairs, ("Start", show.when(step["start"]))]
        pairs += _where_known("End", show.when(step["end"]))
        pairs += _where_known("Duration", show.took(step["start"], step["end"] or now))
        pairs += [_success(step, is_over=is_over)]
        pairs += _where_known("Retries At", _retries_at(step, now))
        pairs += _where_known("Event", step.get("event_type"))
        pairs += _where_known("Error", _error(step.get("error")))
    else:
        pairs += [("Trigger", step["trigger"]["source"])]
    if limit is not None and step.get("output") is not None:
        pairs.append(("Output", _cut(step["output"], limit)))
    show.block(pairs, indent=2)
    _list_attempts(step.get("attempts", []))


def _list_attempts(attempts: Sequence[Mapping[str, Any]]) -> None:
    if not attempts:
        return
    heads = ["Start", "End", "Duration", "State", "Error"]
    # The last column is there only if there is an error, as with wrangler.
    count = len(heads) if any(each["error"] for each in attempts) else len(heads) - 1
    show.table(heads[:count], [_attempt(each)[:count] for each in attempts], otherwise="none", indent=4)


def _attempt(attempt: Mapping[str, Any]) -> list[str]:
    state = {True: "Success", False: "Error", None: "Running"}[attempt["success"]]
    start, end = attempt["start"], attempt["end"]
    return [show.when(start), show.when(end), show.took(start, end), state, _error(attempt["error"])]


def _success(step: Mapping[str, Any], *, is_over: bool) -> tuple[str, str]:
    """Whether it went well; a sleep or a wait that is not over has only a state, until its instance is over."""
    success = _yes_or_no(_went_well(step))
    if not success and "finished" in step:
        return "State", "Ended with its instance" if is_over else "Waiting"
    return "Success", success or "Running"


def _went_well(step: Mapping[str, Any]) -> bool | None:
    """Whether a step is over and did what it was to do; None if it is not over."""
    if "finished" in step:
        return False if step["error"] else step["finished"] or None
    return bool(step["success"]) if step.get("success") is not None else None


def _yes_or_no(success: bool | None) -> str:
    return {True: "Yes", False: "No", None: ""}[success]


def _last_successful(steps: Sequence[Mapping[str, Any]]) -> str | None:
    done = (each for each in reversed(steps) if each["type"] not in _NO_STEPS and _went_well(each))
    return next((each["name"] for each in done), None)


def _retries_at(step: Mapping[str, Any], now: str) -> str:
    """When a step that backs off is tried again; nothing for a step that does not."""
    failed = step.get("attempts", [])
    if step.get("success") is not None or not failed or failed[-1]["success"] is not False:
        return ""
    if step["config"]["retries"]["delay"] == _DYNAMIC:
        return "unknown, since a function decides"
    delay = next_delay(StepConfig.from_json(json.dumps(step["config"])), len(failed), base=None)
    if delay is None:
        return ""
    at = (datetime.fromisoformat(failed[-1]["end"]) + delay).isoformat()
    return f"{show.when(at)} (in {show.took(now, at)})"


def _where_known(name: str, value: str | None) -> list[tuple[str, str]]:
    return [(name, value)] if value else []


def _error(error: Mapping[str, str] | None) -> str:
    return "" if error is None else ": ".join(part for part in (error["name"], error["message"]) if part)


def _rollback(undone: Mapping[str, Any] | None) -> str:
    return "" if undone is None else f"{undone['outcome']} {_error(undone['error'])}".rstrip()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]} […] {len(text)} characters in all"
