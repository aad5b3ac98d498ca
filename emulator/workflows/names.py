"""How instances, events and steps may be called. Pure."""

from __future__ import annotations

import re

from emulator.errors import WorkflowError

LONGEST_STEP_NAME = 256

_ID = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}")
# Wider than what `create` takes: a scheduled instance is called after its cron, such as "*/30 * * * *-1786001400000".
_ADDRESSABLE = re.compile(r"[a-zA-Z0-9, */#_-]{1,271}")
_EVENT_TYPE = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}")


def check_id(id: object) -> None:
    """Raise WorkflowError unless a new instance may be called so."""
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise WorkflowError("instance.invalid_id", "Workflow instance has invalid id")


def is_addressable(id: object) -> bool:
    """Whether there can be an instance of this id at all."""
    return isinstance(id, str) and _ADDRESSABLE.fullmatch(id) is not None


def check_event_type(event_type: object) -> None:
    """Raise WorkflowError unless an event may be of this type."""
    if not isinstance(event_type, str) or not _EVENT_TYPE.fullmatch(event_type):
        raise WorkflowError(
            "event.invalid_type",
            "an event's type has 1 to 100 letters, digits, underscores or hyphens, no hyphen first",
        )


def problem_with_step_name(name: object) -> str | None:
    """Why a step cannot be called so; None when it can."""
    if not isinstance(name, str):
        return f"a step's name is text, got {type(name).__name__}"
    # Counted as the platform counts, in UTF-16 units.
    length = len(name.encode("utf-16-le", "surrogatepass")) // 2
    if length > LONGEST_STEP_NAME or any(ord(character) < 32 for character in name):
        return f'Step name "{name}" exceeds max length (256 chars) or invalid characters found'
    return None
