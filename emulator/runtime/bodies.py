"""Attempts of step bodies: each a task of its own, which its time-out or the end of the pass cancels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from emulator.runtime.exports import awaited
from emulator.runtime.traces import StepError
from emulator.sdk.workers.workflows import WorkflowTimeoutError

# Set in the body of a step: what is asked for there belongs to that step's attempt.
within: ContextVar[bool] = ContextVar("within", default=False)

_GRACE_SECONDS = 1.0


@dataclass
class _Body:
    """A body under way. `given_up` is done when it was told to end and does not."""

    task: asyncio.Task[Any]
    given_up: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    expired: bool = False
    dropped: bool = False

    def give_up(self) -> None:
        if not self.given_up.done():
            self.given_up.set_result(None)


class Bodies:
    """The bodies under way in one pass, by the key of their step."""

    def __init__(self) -> None:
        self._running: dict[str, _Body] = {}

    async def run(self, key: str, body: Callable[[Any], Any], context: Any, milliseconds: int) -> Any:
        """One attempt. Raises what the body raises, or WorkflowTimeoutError when the engine says its time is over."""
        # A task of its own, so that a time-out ends the body and nothing else.
        running = self._running[key] = _Body(asyncio.ensure_future(_call(body, context)))
        try:
            await asyncio.wait((running.task, running.given_up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._running.pop(key, None)
            running.given_up.cancel()
            running.task.cancel()
        if running.expired:
            _retrieve(running.task)
            raise WorkflowTimeoutError(f"Execution timed out after {milliseconds}ms")
        if running.task.cancelled() and not running.dropped:
            raise StepError("CancelledError", "the step's body was cancelled by code of the worker's own")
        return running.task.result()

    def expire(self, key: str) -> None:
        """An attempt has had its time: its body is cancelled, and not waited for if it does not listen."""
        body = self._running.get(key)
        if body is not None:
            body.expired = True
            body.task.cancel()
            asyncio.get_running_loop().call_later(_GRACE_SECONDS, body.give_up)

    def cancel(self) -> list[str]:
        """The pass is over; returns the keys of those that were still running."""
        for body in self._running.values():
            body.dropped = True
            body.task.cancel()
        return list(self._running)


async def _call(body: Callable[[Any], Any], context: Any) -> Any:
    within.set(True)
    return await awaited(body(context))


def _retrieve(task: asyncio.Task[Any]) -> None:
    """What a body raised on its way out is of no use to anybody."""
    if task.done() and not task.cancelled():
        task.exception()
