"""How a step call is answered: with what is recorded, with its failure, or not at all. Pure."""

from __future__ import annotations

import json
from typing import Any

from emulator.calls import Answer
from emulator.models import Failure, Step

_STREAM = '{"$":"stream"'


# The code goes on and on beyond what is recorded: it is ended where it stands.
FAR_ENOUGH: Answer = ({"go": "over"}, b"")


class StepRefused(Exception):
    """A step call that cannot be carried out; raised in the user's code, and nothing is recorded."""

    def __init__(self, message: str, kind: str = "WorkflowFatalError") -> None:
        super().__init__(message)
        self.kind = kind


def result(step: Step, grant: dict[str, Any] | None = None) -> Answer:
    """The recorded result, in wire form; of a stream only that it is one. A grant for the next step may go with it."""
    head: dict[str, Any] = {"go": "result"} if grant is None else {"go": "result", "grant": grant}
    if step.result is not None and step.result.startswith(_STREAM):
        return {**head, "stream": True}, b""
    return head, (step.result or "null").encode()


def streamed(preview: str) -> str:
    """What is recorded as the result of a step that returned a stream."""
    return json.dumps({"$": "stream", "v": preview}, separators=(",", ":"))


def failed(step: Step) -> Answer:
    """The recorded failure."""
    error = step.error or Failure(name="Error", message="")
    described = {"kind": error.name, "message": error.message, "type": error.type}
    # Without a type the error is the engine's own: it takes the place of what the body raised.
    return {"go": "failure", "failure": described, "replaces": not error.type}, b""
