"""Which action is possible in which state of an instance. Pure: one table."""

from __future__ import annotations

from enum import StrEnum

from emulator.errors import WorkflowError
from emulator.models import Status

_UNFINISHED = frozenset({Status.QUEUED, Status.RUNNING, Status.WAITING, Status.WAITING_FOR_PAUSE, Status.PAUSED})


class Action(StrEnum):
    """What can be asked of an instance, as the platform's error codes name it."""

    PAUSE = "pause"
    RESUME = "resume"
    TERMINATE = "terminate"
    RESTART = "restart"
    RECEIVE_EVENT = "receive_event"
    DELETE = "delete"


POSSIBLE = {
    Action.PAUSE: frozenset({Status.QUEUED, Status.RUNNING, Status.WAITING}),
    Action.RESUME: frozenset({Status.PAUSED, Status.WAITING_FOR_PAUSE}),
    Action.TERMINATE: _UNFINISHED,
    Action.RESTART: frozenset(Status),
    Action.RECEIVE_EVENT: _UNFINISHED,
    Action.DELETE: frozenset(Status),
}

_WHY = {
    Action.PAUSE: "Cannot pause an instance that is {status}",
    Action.RESUME: "Cannot resume an instance that is {status}",
    Action.TERMINATE: "Cannot terminate instance since its on a finite state",
    Action.RECEIVE_EVENT: "The instance is {status}; it waits for nothing",
}


def check(action: Action, status: Status) -> None:
    """Raise WorkflowError `instance.cannot_…` for what is impossible in this state."""
    if status not in POSSIBLE[action]:
        raise WorkflowError(f"instance.cannot_{action}", _WHY[action].format(status=status))
