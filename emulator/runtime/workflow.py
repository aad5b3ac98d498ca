"""`step` as a workflow sees it: do, sleep, wait_for_event. The engine decides, this side runs code."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from copy import deepcopy
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from emulator.runtime import stepconfig
from emulator.runtime.bodies import Bodies, within
from emulator.runtime.calls import Calls, Pending
from emulator.runtime.exports import awaited
from emulator.runtime.grant import Grant
from emulator.runtime.life import Life, is_usual, kept, recorded
from emulator.runtime.moments import told_duration, told_moment
from emulator.runtime.steps import StepFunction, StepOptions
from emulator.runtime.streamed import blocks, pieces_of
from emulator.runtime.traces import describe
from emulator.runtime.undo import Undoable, check_handler
from emulator.sdk.workers.streams import ReadableStream
from emulator.sdk.workers.workflows import NonRetryableError, WorkflowFatalError
from emulator.wire import Frame

_NEVER_AGAIN = (NonRetryableError, WorkflowFatalError)
_NO_STEPS_NOW = "Cannot execute steps during rollback phase"


class WorkflowStep:
    """
    What `run(event, step)` receives as `step`.

    Follows developers.cloudflare.com/workflows/python/python-workers-api. A step is known by its name and how often the
    name was used before; a finished one gives its recorded result and is not run again.
    """

    def __init__(
        self, calls: Calls, run: int, *, implicit: bool, root: str, grant: dict[str, Any] | None = None
    ) -> None:
        self._calls = calls
        self._run = run
        self._implicit = implicit
        self._root = root
        self._counts: Counter[tuple[str, str]] = Counter()
        self._declared: dict[str, StepFunction] = {}
        self._undoables: dict[tuple[str, int], Undoable] = {}
        self._bodies = Bodies()
        self._lives: set[asyncio.Task[Any]] = set()
        self._grant = Grant(lambda: self._calls.tell("step", "return_grant", self._head("", 0)))
        self._grant.receive(grant)
        self._rolling_back = False
        self._left = False

    def do(
        self,
        name: str | None = None,
        depends: Iterable[StepFunction] | None = None,
        concurrent: bool = False,
        config: dict[str, Any] | None = None,
        *,
        rollback: Callable[..., Any] | None = None,
        rollback_config: dict[str, Any] | None = None,
    ) -> Callable[[Callable[..., Any]], StepFunction]:
        """
        Make a function a step: the decorated name becomes an awaitable callable without arguments.

        Parameters of the function are `ctx` or the results of other steps: those in `depends`, or, for compatibility
        dates from 2026-02-25, the steps of the parameters' names. `config` is {retries: {limit, delay, backoff},
        timeout, sensitive}. Should the instance fail, or be terminated with rollback, `rollback` undoes the step: a
        function whose parameters are any of `ctx`, `error`, `output` and `step_name`.
        """
        if self._implicit and depends is not None:
            raise TypeError(
                "do() got an unexpected keyword argument 'depends'; name the parameters after the steps instead"
            )
        if not self._implicit and name is None:
            raise TypeError("do() missing 1 required positional argument: 'name'")
        options = StepOptions(
            config=stepconfig.plain(config),
            concurrent=concurrent,
            depends=None if depends is None else list(depends),
            rollback=rollback,
            rollback_config=stepconfig.plain(rollback_config),
        )

        def decorate(function: Callable[..., Any]) -> StepFunction:
            return self._declare(name, function, options)

        return decorate

    def sleep(self, name: str, duration: str | float | timedelta, /) -> Awaitable[None]:
        """Sleep: a number is milliseconds, text is "10 seconds". It starts now and may be awaited later."""
        head = {"duration": told_duration(duration), "at": _caller()}
        return Pending(self._ask("sleep", "sleep", name, head), recorded)

    def sleep_until(self, name: str, timestamp: datetime | float, /) -> Awaitable[None]:
        """Sleep until a moment: a datetime (naive is UTC) or milliseconds since 1970."""
        head = {"until": told_moment(timestamp), "at": _caller()}
        return Pending(self._ask("sleep_until", "sleep", name, head), recorded)

    async def wait_for_event(
        self,
        name: str,
        event_type: str,
        /,
        timeout: str | float | timedelta = "24 hours",  # noqa: ASYNC109 - the platform's name
    ) -> Any:
        """Wait for an event of a type; returns {payload, type, timestamp}, or raises when the time is over."""
        head = {"event_type": event_type, "timeout": told_duration(timeout), "at": _caller()}
        return recorded(await self._ask("wait", "wait", name, head))

    # What the session tells

    def expire(self, key: str) -> None:
        """The engine says an attempt has had its time."""
        self._bodies.expire(key)

    def leave(self) -> list[str]:
        """The pass is over: nothing is asked any more; returns the labels of bodies that were still running."""
        self._left = True
        self._grant.drop()
        labels = self._bodies.cancel()
        for life in self._lives:
            life.cancel()
        return labels

    @property
    def is_left(self) -> bool:
        """Whether the engine has ended this pass."""
        return self._left

    async def roll_back(self, error: Exception) -> None:
        """`run` is over and did not go well: undo the steps that have started, the last one first."""
        self._rolling_back = True
        self._bodies.cancel()
        frame = await self._send("rollbacks", "", 0, {"failure": describe(error, self._root)})
        for name, count in frame.head["steps"]:
            if not await self._undo(name, count, error):
                return

    # One step

    def _declare(self, name: str | None, function: Callable[..., Any], options: StepOptions) -> StepFunction:
        if not callable(function):
            raise TypeError(f'Step "{name}" requires a callback function')
        called = name or function.__name__
        if options.rollback is not None or options.rollback_config is not None:
            check_handler(called, options.rollback)
        step = StepFunction(called, function, options, self._take, self._declared if self._implicit else None)
        self._declared[called] = step
        return step

    async def _take(self, step: StepFunction, body: Callable[[Any], Any]) -> Any:
        name, options = step.step_name, step.options
        count = self._count("do", name)
        head = {
            "config": stepconfig.told(options.config),
            "at": step.place,
            "rollback": options.rollback is not None,
            "rollback_config": stepconfig.told(options.rollback_config),
        }

        def started(context: Any) -> None:
            if options.rollback is not None:
                self._undoables[name, count] = Undoable(
                    name, count, options.rollback, options.rollback_config, deepcopy(context)
                )

        life = Life(kind="do", name=name, count=count, config=options.config, body=body, started=started)
        result = await self._live_here(life, head)
        if (name, count) in self._undoables:
            self._undoables[name, count].output = result
        return result

    async def _live_here(self, life: Life, head: dict[str, Any]) -> Any:
        """Nobody who waits for a step can stop it; only the end of the pass does."""
        task = asyncio.current_task()
        assert task is not None
        self._lives.add(task)
        try:
            return await self._live(life, head)
        finally:
            self._lives.discard(task)

    async def _undo(self, name: str, count: int, error: Exception) -> bool:
        undoable = self._undoables.get((name, count))
        if undoable is None:
            await self._send("rollback_missing", name, count, {})
            return False
        config, body = undoable.config, undoable.body(error)
        life = Life(kind="rollback", name=name, count=count, config=config, body=body)
        try:
            await self._live(life, {"config": stepconfig.told(config)})
        except Exception:
            # It is on record, and ends the chain; what the instance fails with is the first error.
            return False
        return True

    async def _live(self, life: Life, head: dict[str, Any]) -> Any:
        """Ask, run the attempts the engine wants, hand out the recorded copy."""
        frame = await self._begin(life, head)
        report = partial(self._succeed, life, within.get())
        error: Exception | None = None
        while frame.head["go"] == "attempt":
            context = life.context(frame)
            # Before the body runs: it may do with its context what it likes.
            asks = stepconfig.asks(context)
            life.started(context)
            try:
                answer = await self._bodies.run(
                    life.key, partial(self._result, life, context), frame.head["timeout"], report
                )
            except Exception as raised:
                error = raised
                frame = await self._tell("fail", life, await self._failure(raised, life, context, asks))
            else:
                error = None
                frame = await answer
                self._grant.receive(frame.head.get("grant"), answer)
        if "ctx" in frame.head:
            life.started(life.context(frame))
        if error is not None and frame.head["go"] == "failure" and not frame.head["replaces"]:
            raise error
        if frame.head.get("stream"):
            return ReadableStream.new(self._replayed(life))
        return recorded(frame)

    async def _begin(self, life: Life, head: dict[str, Any]) -> Frame:
        """Ask whether the body is to run. Where that was answered with the last result, say that it runs."""
        granted = self._grant.take() if is_usual(life, head) and not within.get() else None
        if granted is None:
            return await self._tell("begin", life, head)
        self._calls.tell("step", "begun", {**self._head(life.name, life.count), **head, "kind": life.kind})
        return Frame("answer", 0, granted)

    async def _result(self, life: Life, context: Any) -> tuple[dict[str, Any], str]:
        """What an attempt gives, in wire form; a stream is kept block by block within the attempt's time."""
        result = await awaited(life.body(context))
        pieces = pieces_of(result) if life.kind == "do" else None
        if pieces is None:
            return {}, kept(life, result)
        number = 0
        async for block in blocks(life.name, pieces):
            await self._tell("keep_block", life, {"number": number}, block)
            number += 1
        return {"stream": True}, ""

    def _succeed(self, life: Life, is_within: bool, result: tuple[dict[str, Any], str]) -> asyncio.Future[Frame]:
        """Tell what an attempt gave."""
        head, text = result
        # This is called where the body was; the attempt itself stands outside of it.
        return self._tell("succeed", life, {**head, "within": is_within}, text.encode())

    async def _replayed(self, life: Life) -> AsyncIterator[bytes]:
        """The blocks of a recorded stream, anew for each pass."""
        for number in itertools.count():
            frame = await self._send("read_block", life.name, life.count, {"number": number})
            if not frame.body:
                return
            yield frame.body

    async def _failure(self, error: Exception, life: Life, context: Any, asks: bool) -> dict[str, Any]:
        head: dict[str, Any] = {"failure": describe(error, self._root), "final": isinstance(error, _NEVER_AGAIN)}
        delay = stepconfig.delay_function(life.config)
        if delay is not None and asks and not head["final"]:
            head |= await stepconfig.asked(delay, error, context)
        return head

    # Questions to the engine

    def _count(self, kind: str, name: str) -> int:
        self._counts[kind, name] += 1
        return self._counts[kind, name]

    def _tell(self, method: str, life: Life, head: dict[str, Any], body: bytes = b"") -> asyncio.Future[Frame]:
        if self._rolling_back and life.kind == "do":
            raise WorkflowFatalError(_NO_STEPS_NOW)
        return self._send(method, life.name, life.count, {**head, "kind": life.kind}, body)

    def _ask(self, method: str, kind: str, name: str, head: dict[str, Any]) -> asyncio.Future[Frame]:
        if self._rolling_back:
            raise WorkflowFatalError(_NO_STEPS_NOW)
        return self._send(method, name, self._count(kind, name), head)

    def _send(
        self, method: str, name: str, count: int, head: dict[str, Any], body: bytes = b""
    ) -> asyncio.Future[Frame]:
        if self._left:
            # A `finally` of the user's took a step after the run was told to leave: it must not hang.
            raise asyncio.CancelledError("this run has been left; it goes on in another pass")
        question = self._calls.ask("step", method, {**self._head(name, count), **head}, body)
        self._grant.note_asked(question)
        return question

    def _head(self, name: str, count: int) -> dict[str, Any]:
        return {"run": self._run, "name": name, "count": count, "within": within.get()}


def _caller() -> list[Any]:
    """File and line of the worker's code that called the method this is called from."""
    frame = sys._getframe(2)
    return [frame.f_code.co_filename, frame.f_lineno]
