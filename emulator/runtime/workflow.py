"""`step` as a workflow sees it: do and its graph, sleep, wait_for_event. The engine decides, this side runs code."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.runtime import values
from emulator.runtime.calls import Calls, Pending
from emulator.runtime.exports import awaited, place
from emulator.runtime.traces import describe, revive
from emulator.sdk.workers.rpc import JsDict
from emulator.sdk.workers.workflows import NonRetryableError, WorkflowFatalError, WorkflowTimeoutError
from emulator.wire import Frame

_DELAY_SECONDS = 5
_DYNAMIC = "[dynamic]"


_NEVER_AGAIN = (NonRetryableError, WorkflowFatalError)


class WorkflowStep:
    """
    What `run(event, step)` receives as `step`.

    Follows developers.cloudflare.com/workflows/python/python-workers-api. A step is known by its name and how often the
    name was used before; a finished one gives its recorded result and is not run again.
    """

    def __init__(self, calls: Calls, run: int, *, implicit: bool, root: str) -> None:
        self._calls = calls
        self._run = run
        self._implicit = implicit
        self._root = root
        self._counts: Counter[tuple[str, str]] = Counter()
        self._declared: dict[str, StepFunction] = {}
        self._bodies: dict[str, asyncio.Task[Any]] = {}
        self._expired: set[str] = set()
        self._left = False

    def do(
        self,
        name: str | None = None,
        depends: Iterable[StepFunction] | None = None,
        concurrent: bool = False,
        config: dict[str, Any] | None = None,
    ) -> Callable[[Callable[..., Any]], StepFunction]:
        """
        Make a function a step: the decorated name becomes an awaitable callable without arguments.

        Parameters of the function are `ctx` or the results of other steps: those in `depends`, or, for compatibility
        dates from 2026-02-25, the steps of the parameters' names. `config` is {retries: {limit, delay, backoff},
        timeout}.
        """
        if self._implicit and depends is not None:
            raise TypeError(
                "do() got an unexpected keyword argument 'depends'; name the parameters after the steps instead"
            )
        if not self._implicit and name is None:
            raise TypeError("do() missing 1 required positional argument: 'name'")

        def decorate(function: Callable[..., Any]) -> StepFunction:
            if not callable(function):
                raise TypeError(f'Step "{name}" requires a callback function')
            step = StepFunction(self, name or function.__name__, function, depends, concurrent, config)
            self._declared[step.step_name] = step
            return step

        return decorate

    def sleep(self, name: str, duration: str | float | timedelta, /) -> Awaitable[None]:
        """Sleep: a number is milliseconds, text is "10 seconds". It starts now and may be awaited later."""
        given = duration / timedelta(milliseconds=1) if isinstance(duration, timedelta) else duration
        return self._ask("sleep", name, {"duration": given}, lambda frame: None)

    def sleep_until(self, name: str, timestamp: datetime | float, /) -> Awaitable[None]:
        """Sleep until a moment: a datetime (naive is UTC) or milliseconds since 1970."""
        return self._ask("sleep_until", name, {"until": _milliseconds(timestamp)}, lambda frame: None)

    async def wait_for_event(
        self,
        name: str,
        event_type: str,
        /,
        timeout: str | float | timedelta = "24 hours",  # noqa: ASYNC109 - the platform's name
    ) -> Any:
        """Wait for an event of a type; returns {payload, type, timestamp}, or raises when the time is over."""
        given = timeout / timedelta(milliseconds=1) if isinstance(timeout, timedelta) else timeout
        head = {"event_type": event_type, "timeout": given}
        return await self._ask("wait", name, head, _recorded)

    def expire(self, key: str) -> None:
        """The engine says an attempt has had its time."""
        body = self._bodies.get(key)
        if body is not None:
            self._expired.add(key)
            body.cancel()

    def leave(self) -> list[str]:
        """The pass is over: nothing is asked any more; returns the labels of bodies that were still running."""
        self._left = True
        for body in self._bodies.values():
            body.cancel()
        return list(self._bodies)

    async def take(self, step: StepFunction, body: Callable[[Any], Any]) -> Any:
        """One step's life on this side: ask, run the attempts the engine wants, hand out the recorded copy."""
        name, config = step.step_name, step.config or {}
        count = self._count("do", name)
        frame = await self._send("begin", name, count, {"config": _plain_config(config)})
        error: Exception | None = None
        while frame.head["go"] == "attempt":
            context = JsDict({**frame.head["ctx"], "step": JsDict({"name": name, "count": count})})
            try:
                text = _kept(name, await self._attempt(f"{name}-{count}", context, body, frame.head["timeout"]))
            except Exception as raised:
                error = raised
                frame = await self._send("fail", name, count, await self._failure(raised, config, context))
            else:
                error = None
                frame = await self._send("succeed", name, count, {}, text.encode())
        if error is not None and frame.head["go"] == "failure" and not frame.head["replaces"]:
            raise error
        return _recorded(frame)

    async def _attempt(self, key: str, context: Any, body: Callable[[Any], Any], milliseconds: int) -> Any:
        # A task of its own, so that a time-out ends the body and nothing else.
        task = asyncio.ensure_future(_run(body, context))
        self._bodies[key] = task
        try:
            return await task
        except asyncio.CancelledError:
            if key in self._expired and not self._left:
                raise WorkflowTimeoutError(f"Execution timed out after {milliseconds}ms") from None
            raise
        finally:
            self._bodies.pop(key, None)
            self._expired.discard(key)

    async def _failure(self, error: Exception, config: dict[str, Any], context: Any) -> dict[str, Any]:
        head: dict[str, Any] = {"failure": describe(error, self._root), "final": isinstance(error, _NEVER_AGAIN)}
        delay = (config.get("retries") or {}).get("delay")
        if callable(delay) and not head["final"] and context["attempt"] <= context["config"]["retries"]["limit"]:
            head |= await _dynamic_delay(delay, error, context)
        return head

    def _count(self, kind: str, name: str) -> int:
        self._counts[kind, name] += 1
        return self._counts[kind, name]

    def _ask(self, method: str, name: str, head: dict[str, Any], then: Callable[[Frame], Any]) -> Pending[Any]:
        kind = "wait" if method == "wait" else "sleep"
        return Pending(self._future(method, name, self._count(kind, name), head), then)

    async def _send(self, method: str, name: str, count: int, head: dict[str, Any], body: bytes = b"") -> Frame:
        return await self._future(method, name, count, head, body)

    def _future(
        self, method: str, name: str, count: int, head: dict[str, Any], body: bytes = b""
    ) -> asyncio.Future[Frame]:
        if self._left:
            # A `finally` of the user's took a step after the run was told to leave: it must not hang.
            raise asyncio.CancelledError("this run has been left; it goes on in another pass")
        return self._calls.ask("step", method, {"run": self._run, "name": name, "count": count, **head}, body)


class StepFunction:
    """A step's function: await it without arguments. Each direct call is a step of its own."""

    def __init__(
        self,
        step: WorkflowStep,
        name: str,
        function: Callable[..., Any],
        depends: Iterable[StepFunction] | None,
        concurrent: bool,
        config: dict[str, Any] | None,
    ) -> None:
        self.step_name = name
        self.config = _plain(config)
        self._step = step
        self._function = function
        self._depends = None if depends is None else list(depends)
        self._concurrent = concurrent
        self._memo: asyncio.Future[Any] | None = None

    async def __call__(self) -> Any:
        self._memo = asyncio.ensure_future(self._run())
        return await self._memo

    def __repr__(self) -> str:
        file, line = place(self._function)
        return f"<step {self.step_name} at {file}:{line}>"

    async def _run(self) -> Any:
        names = list(inspect.signature(self._function).parameters)
        sources = self._sources([name for name in names if name != "ctx"])
        results = await self._results(sources)

        def body(context: Any) -> Any:
            given = iter(results)
            return self._function(*[context if name == "ctx" else next(given) for name in names])

        return await self._step.take(self, body)

    def _sources(self, names: list[str]) -> list[StepFunction]:
        if self._step._implicit:
            return [self._named(name) for name in names]
        if self._depends is None:
            if names:
                raise TypeError(f"Step has {len(names)} non-ctx parameter(s) but no 'depends' list provided")
            return []
        if len(names) != len(self._depends):
            raise TypeError(
                f"Step declares {len(names)} non-ctx parameter(s) but 'depends' has {len(self._depends)} item(s)"
            )
        for name, source in zip(names, self._depends, strict=True):
            if not isinstance(source, StepFunction):
                raise TypeError(f"'depends' entry for parameter '{name}' is not a function decorated with step.do")
        return self._depends

    def _named(self, parameter: str) -> StepFunction:
        source = self._step._declared.get(parameter)
        if source is None or source is self:
            raise TypeError(f"Received unexpected parameter {parameter}")
        return source

    async def _results(self, sources: list[StepFunction]) -> list[Any]:
        if self._concurrent:
            return list(await asyncio.gather(*(source._remembered() for source in sources)))
        return [await source._remembered() for source in sources]

    def _remembered(self) -> Awaitable[Any]:
        """The result of the run that is under way or over, else of a new one."""
        if self._memo is None or self._memo.cancelled():
            return self()
        return asyncio.shield(self._memo)


def _recorded(frame: Frame) -> Any:
    """What the engine has kept of a step: a copy of its result, or its error raised anew."""
    if frame.head["go"] == "failure":
        raise revive(frame.head["failure"])
    return values.decode(frame.body, mapping=JsDict)


def _kept(name: str, result: Any) -> str:
    """The wire form of a step's result; what has none would have none at the next try either."""
    try:
        return values.encode(result, lenient=True)
    except TypeError as error:
        raise WorkflowFatalError(
            "The execution of the Workflow instance was terminated, as the step "
            f'"{name}" returned a value which is not serialisable: {error}'
        ) from error


async def _run(body: Callable[[Any], Any], context: Any) -> Any:
    return await awaited(body(context))


async def _dynamic_delay(delay: Callable[..., Any], error: Exception, context: Any) -> dict[str, Any]:
    """What the user's delay function says, or why it could not be asked."""
    problem = 'returned an invalid delay value (expected a number of ms or a duration string like "30 seconds")'
    try:
        async with asyncio.timeout(_DELAY_SECONDS):
            answer = await awaited(delay(JsDict({"ctx": context, "error": error})))
        if isinstance(answer, str | int | float) and not isinstance(answer, bool):
            return {"delay": answer}
        if isinstance(answer, timedelta):
            return {"delay": answer / timedelta(milliseconds=1)}
    except TimeoutError:
        problem = f"did not return within {_DELAY_SECONDS} seconds"
    except Exception as raised:
        problem = f"threw an error: {raised}"
    return {"delay_problem": problem}


def _plain(config: Any) -> Any:
    to_py = getattr(config, "to_py", None)
    return to_py() if callable(to_py) else config


def _plain_config(config: Any) -> Any:
    """The config as the engine reads it: a delay function stays here, a marker goes in its place."""
    return json.loads(json.dumps(config, default=_config_value))


def _config_value(value: Any) -> Any:
    if callable(value):
        return _DYNAMIC
    if isinstance(value, timedelta):
        return value / timedelta(milliseconds=1)
    return f"<{type(value).__name__}>"


def _milliseconds(moment: Any) -> Any:
    if isinstance(moment, datetime):
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return (aware - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)
    return moment
