"""An instance in the terminal: what it is, its steps, their attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.cli import show

_KINDS = {
    "step": "Step",
    "sleep": "Sleeping",
    "termination": "Termination",
    "waitForEvent": "Waiting for event",
    "rollback": "Rollback",
}


def describe_instance(workflow: str, id: str, found: Mapping[str, Any], *, limit: int | None) -> None:
    """All of it; outputs are cut at the limit, or left out where there is none."""
    show.block(
        [
            ("Workflow Name", workflow),
            ("Instance Id", id),
            ("Version Id", found["versionId"]),
            ("Status", show.status(found["status"])),
            ("Trigger", found["trigger"]["source"]),
            ("Queued", show.when(found["queued"])),
            *_where_known("Start", show.when(found["start"])),
            *_where_known("End", show.when(found["end"])),
            *_where_known("Duration", show.took(found["start"], found["end"])),
            *_where_known("Error", _error(found["error"])),
            *_where_known("Rollback", _rollback(found["rollback"])),
            *([] if limit is None or found["status"] != "complete" else [("Output", _cut(found["output"], limit))]),
        ]
    )
    if found["steps"]:
        show.line("Steps:")
    for step in found["steps"]:
        _describe_step(step, limit)


def _describe_step(step: Mapping[str, Any], limit: int | None) -> None:
    show.line()
    pairs = [("Type", _KINDS[step["type"]])]
    if "name" in step:
        pairs = [("Name", step["name"]), *pairs, ("Start", show.when(step["start"]))]
        pairs += _where_known("End", show.when(step["end"]))
        pairs += _where_known("Duration", show.took(step["start"], step["end"]))
        pairs += [("Success", _success(step))]
        pairs += _where_known("Event", step.get("event_type"))
        pairs += _where_known("Error", _error(step.get("error")))
    if limit is not None and step.get("output") is not None:
        pairs.append(("Output", _cut(step["output"], limit)))
    show.block(pairs, indent=2)
    attempts = step.get("attempts", [])
    if len(attempts) > 1 or any(each["error"] for each in attempts):
        show.table(
            ["Start", "End", "Duration", "State", "Error"], [_attempt(each) for each in attempts], otherwise="none"
        )


def _attempt(attempt: Mapping[str, Any]) -> list[str]:
    state = {True: "Success", False: "Error", None: "Running"}[attempt["success"]]
    start, end = attempt["start"], attempt["end"]
    return [show.when(start), show.when(end), show.took(start, end), state, _error(attempt["error"])]


def _success(step: Mapping[str, Any]) -> str:
    if "finished" in step:
        return "Yes" if step["finished"] and not step["error"] else "No" if step["error"] else "Waiting"
    return {True: "Yes", False: "No", None: "Running"}[step["success"]]


def _where_known(name: str, value: str | None) -> list[tuple[str, str]]:
    return [(name, value)] if value else []


def _error(error: Mapping[str, str] | None) -> str:
    return "" if error is None else f"{error['name']}: {error['message']}"


def _rollback(undone: Mapping[str, Any] | None) -> str:
    return "" if undone is None else f"{undone['outcome']} {_error(undone['error'])}".rstrip()


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]} […] {len(text)} characters in all"
