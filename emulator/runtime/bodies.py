"""Attempts of step bodies: each a task of its own, which its time-out or the end of the pass cancels."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

from emulator.runtime.traces import StepError
from emulator.sdk.workers.workflows import WorkflowTimeoutError

T = TypeVar("T")
R = TypeVar("R")

# Set in the body of a step: what is asked for there belongs to that step's attempt.
within: ContextVar[bool] = ContextVar("within", default=False)

_GRACE_SECONDS = 1.0


class _Body:
    """A body under way. It is `over` when it has ended, or was told to end and does not."""

    def __init__(self, attempt: Callable[[_Body], Coroutine[Any, Any, Any]]) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.expired = False
        self.dropped = False
        self.task = asyncio.ensure_future(attempt(self))
        self.task.add_done_callback(self.end)

    def end(self, *_: object) -> None:
        if not self.over.done():
            self.over.set_result(None)


class Bodies:
    """The bodies under way in one pass, by the key of their step."""

    def __init__(self) -> None:
        self._running: dict[str, _Body] = {}

    async def run(self, key: str, body: Callable[[], Awaitable[T]], milliseconds: int, report: Callable[[T], R]) -> R:
        """
        One attempt. Raises what the body raises, or WorkflowTimeoutError when the engine says its time is over.

        `report` is called as soon as the body has ended in time; what it returns is the attempt's outcome.
        """

        async def attempt(running: _Body) -> R:
            within.set(True)
            result = await body()
            if running.expired:
                raise asyncio.CancelledError
            return report(result)

        # A task of its own, so that a time-out ends the body and nothing else.
        running = self._running[key] = _Body(attempt)
        try:
            await running.over
        finally:
            self._running.pop(key, None)
            running.task.cancel()
        if running.expired:
            _retrieve(running.task)
            raise WorkflowTimeoutError(f"Execution timed out after {milliseconds}ms")
        if running.task.cancelled() and not running.dropped:
            raise StepError("CancelledError", "the step's body was cancelled by code of the worker's own")
        outcome: R = running.task.result()
        return outcome

    def expire(self, key: str) -> None:
        """An attempt has had its time: its body is cancelled, and not waited for if it does not listen."""
        body = self._running.get(key)
        if body is not None and not body.task.done():
            body.expired = True
            body.task.cancel()
            asyncio.get_running_loop().call_later(_GRACE_SECONDS, body.end)

    def cancel(self) -> list[str]:
        """The pass is over; returns the keys of those that were still running."""
        for body in self._running.values():
            body.dropped = True
            body.task.cancel()
        return list(self._running)


def _retrieve(task: asyncio.Task[Any]) -> None:
    """What a body raised on its way out is of no use to anybody."""
    if task.done() and not task.cancelled():
        task.exception()
