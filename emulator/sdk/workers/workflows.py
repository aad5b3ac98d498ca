"""Workflows: the errors they meet, and the types of what `run(event, step)` receives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .later import part

if TYPE_CHECKING:
    from .steps import Duration, Retries, StepConfig, StepDecorator, StepFunction, WorkflowEvent, WorkflowStep

__all__ = [
    "Duration",
    "NonRetryableError",
    "Retries",
    "StepConfig",
    "StepDecorator",
    "StepFunction",
    "WorkflowError",
    "WorkflowEvent",
    "WorkflowFatalError",
    "WorkflowStep",
    "WorkflowTimeoutError",
]


class NonRetryableError(Exception):
    """Raised in a step: the step fails at once, whatever its retries."""


class WorkflowTimeoutError(Exception):
    """A step took longer than its `timeout`, or an event did not come."""


class WorkflowFatalError(Exception):
    """The engine gave the instance up."""


class WorkflowError(Exception):
    """A call on a workflow binding failed: `(code) message`, codes as on the platform."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"({code}) {message}")
        self.code = code
        self.message = message


if not TYPE_CHECKING:  # otherwise every misspelt name would pass a type checker

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'workers.workflows' has no attribute '{name}'", name=name)
        return getattr(part("workers.steps"), name)
