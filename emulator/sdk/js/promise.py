"""`Promise`, timers and microtasks on the running event loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Generator, Iterable
from typing import Any

from emulator.sdk.js.arrays import array
from emulator.sdk.js.objects import Object
from emulator.sdk.workers.proxy import JsException, JsProxy


class Promise(JsProxy):
    """Work that is under way, awaited or not. `await` it, or use `then`, `catch` and `finally_`."""

    _future: asyncio.Future[Any]

    def __init__(self, executor: Callable[[Any, Any], Any]) -> None:
        self._future = asyncio.get_running_loop().create_future()
        executor(self._resolve, self._reject)

    def _resolve(self, value: Any = None) -> None:
        if not self._future.done():
            self._future.set_result(value)

    def _reject(self, reason: Any = None) -> None:
        if not self._future.done():
            self._future.set_exception(_raisable(reason))

    def __await__(self) -> Generator[Any, None, Any]:
        return self._future.__await__()

    def then(self, fulfilled: Callable[..., Any] | None = None, rejected: Callable[..., Any] | None = None) -> Any:
        async def go_on() -> Any:
            try:
                value = await self._future
            except Exception as error:
                if rejected is None:
                    raise
                return await _settled(rejected(error))
            return value if fulfilled is None else await _settled(fulfilled(value))

        return Promise.resolve(go_on())

    def catch(self, rejected: Callable[..., Any]) -> Any:
        return self.then(None, rejected)

    def finally_(self, function: Callable[[], Any]) -> Any:
        async def go_on() -> Any:
            try:
                return await self._future
            finally:
                await _settled(function())

        return Promise.resolve(go_on())

    @staticmethod
    def resolve(value: Any = None) -> Any:
        if isinstance(value, Promise):
            return value
        made = object.__new__(Promise)
        made._future = asyncio.ensure_future(_settled(value))
        return made

    @staticmethod
    def reject(reason: Any) -> Any:
        return Promise.new(lambda resolve, reject: reject(reason))

    @staticmethod
    def all(promises: Iterable[Any]) -> Any:
        async def gather() -> Any:
            return array(await asyncio.gather(*(_settled(promise) for promise in promises)))

        return Promise.resolve(gather())

    @staticmethod
    def allSettled(promises: Iterable[Any]) -> Any:
        """How each ended: `{status, value}` or `{status, reason}`."""

        async def gather() -> Any:
            work = [_settled(promise) for promise in promises]
            return array(map(_outcome, await asyncio.gather(*work, return_exceptions=True)))

        return Promise.resolve(gather())

    @staticmethod
    def any(promises: Iterable[Any]) -> Any:
        """The first that is fulfilled. Rejected with an AggregateError when none is."""

        async def first() -> Any:
            for ended in asyncio.as_completed([_settled(promise) for promise in promises]):
                with contextlib.suppress(Exception):
                    return await ended
            raise JsException("AggregateError", "All promises were rejected")

        return Promise.resolve(first())

    @staticmethod
    def withResolvers() -> Any:
        """A promise, and the functions `resolve` and `reject` that settle it."""
        made: Any = Promise.new(lambda resolve, reject: None)
        parts = {"promise": made, "resolve": made._resolve, "reject": made._reject}
        return Object.fromEntries(parts.items())

    @staticmethod
    def race(promises: Iterable[Any]) -> Any:
        async def first() -> Any:
            tasks = [asyncio.ensure_future(_settled(promise)) for promise in promises]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()

        return Promise.resolve(first())


class Timers:
    """Timers by number, as `clearTimeout` wants them."""

    def __init__(self) -> None:
        self._handles: dict[int, asyncio.TimerHandle | asyncio.Task[None]] = {}
        self._last = 0

    def set_timeout(self, function: Callable[..., Any], delay: float = 0, *arguments: Any) -> int:
        number = self._next()

        def run() -> None:
            self._handles.pop(number, None)
            _call(function, arguments)

        self._handles[number] = asyncio.get_running_loop().call_later(max(0, delay or 0) / 1000, run)
        return number

    def set_interval(self, function: Callable[..., Any], delay: float = 0, *arguments: Any) -> int:
        async def repeat() -> None:
            while True:
                await asyncio.sleep(max(1, delay or 0) / 1000)
                _call(function, arguments)

        number = self._next()
        self._handles[number] = asyncio.ensure_future(repeat())
        return number

    def clear(self, number: Any = None) -> None:
        handle = self._handles.pop(number, None)
        if handle is not None:
            handle.cancel()

    def _next(self) -> int:
        self._last += 1
        return self._last


class _Scheduler(JsProxy):
    """`scheduler`"""

    def wait(self, delay: float, options: Any = None) -> Any:
        """Fulfilled after so many milliseconds."""
        return Promise.resolve(asyncio.sleep(max(0, delay) / 1000))


_timers = Timers()
setTimeout = _timers.set_timeout
setInterval = _timers.set_interval
clearTimeout = clearInterval = _timers.clear
scheduler = _Scheduler.new()


def queueMicrotask(function: Callable[[], Any]) -> None:
    """Call as soon as the code that runs now waits."""
    asyncio.get_running_loop().call_soon(_call, function, ())


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    result = function(*arguments)
    if inspect.isawaitable(result):
        task = asyncio.ensure_future(result)
        _running.add(task)
        task.add_done_callback(_running.discard)


# The loop keeps weak references only: without this a callback's work could vanish half done.
_running: set[asyncio.Future[Any]] = set()


def _outcome(result: Any) -> Any:
    if isinstance(result, BaseException):
        return Object.fromEntries([("status", "rejected"), ("reason", result)])
    return Object.fromEntries([("status", "fulfilled"), ("value", result)])


async def _settled(value: Any) -> Any:
    while inspect.isawaitable(value):
        value = await value
    return value


def _raisable(reason: Any) -> BaseException:
    if isinstance(reason, BaseException):
        return reason
    with contextlib.suppress(TypeError):
        return JsException("Error", str(reason))
    return JsException("Error")
