"""
`run_sync`: wait for something from code that is not async, while other tasks of the loop go on.

Plain CPython cannot leave a call in its middle. Sync applications therefore run in a thread of their own, which runs
only while the loop's thread stands still: one of the two is always at rest, as if it were one thread with two stacks.
Elsewhere the loop is run on from within the call; the innermost of several such calls ends first then.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


def run_sync(awaitable: Awaitable[T], /) -> T:
    """The result of something awaitable. Raises RuntimeError where no handler runs."""
    thread = threading.current_thread()
    if isinstance(thread, Stack):
        found: T = thread.wait(awaitable)
        return found
    if not can_run_sync():
        close = getattr(awaitable, "close", None)
        if close is not None:
            close()
        raise RuntimeError("run_sync() cannot switch stacks here: call it in code that a handler has called")
    return _run_on(asyncio.get_running_loop(), awaitable)


def can_run_sync() -> bool:
    """Whether `run_sync` may be called here."""
    if isinstance(threading.current_thread(), Stack):
        return True
    try:
        # Only asyncio's own loops can be run on from within; uvloop's cannot.
        return asyncio.current_task() is not None and hasattr(asyncio.get_running_loop(), "_run_once")
    except RuntimeError:
        return False


async def on_own_stack(function: Callable[..., T], *arguments: Any) -> T:
    """Call sync code that may use `run_sync`, however many such calls wait at the same time."""
    stack = Stack(function, arguments)
    stack.start()
    left: asyncio.CancelledError | None = None
    while (waited := stack.go_on()) is not None:
        try:
            await asyncio.wait([waited])
        except asyncio.CancelledError as cancelled:
            left = cancelled
            waited.cancel()
            await asyncio.wait([waited])
    if left is not None:
        raise left
    result: T = stack.result()
    return result


class Stack(threading.Thread):
    """A thread that runs between `go_on` and its next `wait`, while the loop's thread does nothing."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        super().__init__(name="workers-stack", daemon=True)
        self._function = function
        self._arguments = arguments
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        self._mine = threading.Semaphore(0)
        self._theirs = threading.Semaphore(0)
        self._waited: asyncio.Future[Any] | None = None
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        self._mine.acquire()
        asyncio._set_running_loop(self._loop)
        try:
            self._result = self._context.run(self._function, *self._arguments)
        except BaseException as error:
            self._error = error
        finally:
            self._theirs.release()

    def go_on(self) -> asyncio.Future[Any] | None:
        """From the loop's thread: let it run until it waits for what is returned, or is over."""
        self._waited = None
        self._mine.release()
        self._theirs.acquire()
        return self._waited

    def wait(self, awaitable: Awaitable[Any]) -> Any:
        """From this thread: stand still until something is done."""
        waited = self._waited = asyncio.ensure_future(awaitable, loop=self._loop)
        self._theirs.release()
        self._mine.acquire()
        return waited.result()

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._result


def _run_on(loop: Any, awaitable: Awaitable[T]) -> T:
    task: Any = asyncio.current_task(loop)
    ready = len(loop._ready)
    waited: asyncio.Future[T] = asyncio.ensure_future(awaitable, loop=loop)
    asyncio.tasks._leave_task(loop, task)
    try:
        while not waited.done():
            loop._run_once()
    finally:
        asyncio.tasks._enter_task(loop, task)
        # The turn of the loop that we are in has counted what is ready, and must find as many.
        while len(loop._ready) < ready:
            loop.call_soon(_nothing)
    return waited.result()


def _nothing() -> None: ...
