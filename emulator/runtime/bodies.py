"""Attempts of step bodies: each a task of its own, which its time-out or the end of the pass cancels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from emulator.runtime.exports import awaited
from emulator.sdk.workers.workflows import WorkflowTimeoutError


class Bodies:
    """The bodies under way in one pass, by the key of their step."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._expired: set[str] = set()

    async def run(self, key: str, body: Callable[[Any], Any], context: Any, milliseconds: int) -> Any:
        """One attempt. Raises what the body raises, or WorkflowTimeoutError when the engine says its time is over."""
        # A task of its own, so that a time-out ends the body and nothing else.
        task = asyncio.ensure_future(_call(body, context))
        self._tasks[key] = task
        try:
            return await task
        except asyncio.CancelledError:
            if key in self._expired:
                raise WorkflowTimeoutError(f"Execution timed out after {milliseconds}ms") from None
            raise
        finally:
            self._tasks.pop(key, None)
            self._expired.discard(key)

    def expire(self, key: str) -> None:
        """An attempt has had its time."""
        task = self._tasks.get(key)
        if task is not None:
            self._expired.add(key)
            task.cancel()

    def cancel(self) -> list[str]:
        """The pass is over; returns the keys of those that were still running."""
        self._expired.clear()
        for task in self._tasks.values():
            task.cancel()
        return list(self._tasks)


async def _call(body: Callable[[Any], Any], context: Any) -> Any:
    return await awaited(body(context))
