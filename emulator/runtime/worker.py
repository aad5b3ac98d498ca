"""The worker inside its process: its code is imported, called for each event, and what came of it said."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from emulator.runtime import exports, loader, values
from emulator.runtime.batch import MessageBatch
from emulator.runtime.bindings import make_env
from emulator.runtime.calls import Calls
from emulator.runtime.email import ForwardableEmailMessage
from emulator.runtime.exchange import Exchange
from emulator.runtime.exports import Exports, HandlerMissing
from emulator.runtime.invocation import Context, Invocation, ScheduledController
from emulator.runtime.loader import WorkerPath
from emulator.runtime.output import Say, speaker
from emulator.runtime.passage import Passage
from emulator.runtime.run import Run
from emulator.runtime.services import Loopback
from emulator.runtime.traces import describe
from emulator.runtime.workflow import WorkflowStep
from emulator.sdk.workers import current
from emulator.sdk.workers.rpc import JsDict
from emulator.wire import Channel, Frame

Done = dict[str, Any]
Handle = Callable[[Frame, Invocation], Coroutine[Any, Any, Done | None]]


class Worker:
    """
    One worker, as a `load` frame's head describes it.

    `say` sends a line on behalf of an event; `is_over` tells whether the process is to end.
    """

    def __init__(
        self,
        head: dict[str, Any],
        channel: Channel,
        calls: Calls,
        *,
        say: Say,
        is_over: Callable[[], bool],
    ) -> None:
        self._channel = channel
        self._calls = calls
        self._say = say
        self._is_over = is_over
        self._main = Path(head["main"])
        self._root: str = head["project"]
        self._flags: dict[str, bool] = head["flags"]
        has_vendor = not self._flags["python_workers_force_new_vendor_path"]
        self._path = WorkerPath(Path(head["module_root"]), Path(head["project"]), has_vendor=has_vendor)
        self._passage = Passage(channel, calls, head["name"], head["number"])
        self._env = make_env(head["bindings"], calls, self._passage, head["config"])
        self._loopback = Loopback(self._passage, head["name"])
        self._exports = Exports()
        self._exchanges: dict[int, Exchange] = {}
        self._steps: dict[int, WorkflowStep] = {}
        self._handles: dict[str, Handle] = {
            "fetch": self._fetch,
            "upgrade": self._fetch,
            "rpc": self._rpc,
            "scheduled": self._scheduled,
            "queue": self._queue,
            "email": self._email,
            "tail": self._tail,
            "run": self._run,
        }

    # Its code

    def load(self) -> dict[str, Any]:
        """Import it: what it offers. Raises whatever its modules raise."""
        self._path.__enter__()
        self._path.forget()
        current.bind_env(self._env, self._flags, self._loopback)
        module = loader.load(self._main, self._path)
        self._exports = exports.find(module, prefixed=not self._flags["python_no_global_handlers"])
        return self._offered()

    def unload(self) -> None:
        """Take its folders off the path again."""
        self._path.__exit__()

    @property
    def files(self) -> list[str | None]:
        """The files of its own that have been imported."""
        return [module.__file__ for module in self._path.own_modules()]

    def describe(self, error: BaseException) -> dict[str, Any]:
        """An error as it crosses: with the lines of the worker's own code."""
        return describe(error, self._root)

    def _offered(self) -> dict[str, Any]:
        found = self._exports
        return {
            "handlers": found.places(),
            "workflows": {name: exports.place(kind) for name, kind in found.workflows.items()},
            "entrypoints": sorted(found.entrypoints),
            "files": self.files,
            "packages": self._path.third_party(),
            "native": self._path.native(),
            "warnings": found.warnings(),
            "python": ".".join(map(str, sys.version_info[:3])),
        }

    # An event, from its first frame to its last

    def begin(self, frame: Frame) -> None:
        """An event has come; what belongs to it may be on its heels."""
        if frame.kind in ("fetch", "upgrade"):
            self._exchanges[frame.id] = Exchange(self._channel, frame)

    def receive(self, frame: Frame) -> None:
        """Something that belongs to an event under way, or to what was lent in one."""
        match frame.kind:
            case "drop":
                self._passage.lender.drop(frame.id)
            case "expire" if frame.id in self._steps:
                self._steps[frame.id].expire(frame.head["key"])
            case "body" | "credit" | "socket" if frame.id in self._exchanges:
                self._exchanges[frame.id].receive(frame)
            case _:
                pass

    async def handle(self, frame: Frame) -> Done | None:
        """Call what the event is for: the head of `done`; None where that has been said. Raises what it raises."""
        invocation = Invocation(self._env, self._complain, self._flags, self._loopback)
        current.invocation.set(invocation)
        return await self._handles[frame.kind](frame, invocation)

    def leave(self, number: int) -> None:
        """The emulator gives an event up."""
        if number in self._steps:
            self._steps[number].leave()

    def forget(self, number: int) -> None:
        """An event is over."""
        self._exchanges.pop(number, None)
        self._steps.pop(number, None)

    def _complain(self, error: BaseException) -> None:
        """An error that belongs to no answer: a waitUntil that failed."""
        for line in self.describe(error)["trace"].rstrip().splitlines():
            self._say(speaker.get().number, "error", line)

    # Its handlers

    async def _fetch(self, frame: Frame, invocation: Invocation) -> Done | None:
        exchange, name = self._exchanges[frame.id], frame.head.get("entrypoint")
        ctx = self._context(frame, invocation)
        response = await self._exports.call("fetch", exchange.request(), self._env, ctx, entrypoint=name)
        return await exchange.answer(response, invocation, lambda: self._exports.place_of("fetch", name))

    async def _rpc(self, frame: Frame, invocation: Invocation) -> Done:
        head, passage = frame.head, self._passage
        arguments, stubs = passage.unpack_with_stubs(frame.body)
        try:
            if "stub" in head:
                result = await passage.lender.call(head["stub"], head["path"], arguments)
            else:
                ctx = self._context(frame, invocation)
                name, method = head["entrypoint"], head["method"]
                result = await self._exports.call_method(method, arguments, self._env, ctx, entrypoint=name)
            told, body = passage.pack_result(head.get("method") or ".".join(head["path"]), result)
        finally:
            for stub in stubs:
                stub._dispose()
        self._channel.send("result", frame.id, told, body)
        await invocation.finish()
        return {"outcome": "ok"}

    def _context(self, frame: Frame, invocation: Invocation) -> Context:
        props = frame.head.get("props")
        return Context(invocation, None if props is None else values.decode(props, mapping=JsDict), self._loopback)

    async def _scheduled(self, frame: Frame, invocation: Invocation) -> Done:
        controller = ScheduledController(frame.head["cron"], frame.head["time"])
        try:
            await self._exports.call("scheduled", controller, self._env, Context(invocation, exports=self._loopback))
        except HandlerMissing as error:
            return {"outcome": "exception", "error": describe(error), "result": {"noRetry": True}}
        except Exception as error:
            result = {"noRetry": controller.no_retry_asked}
            return {"outcome": "exception", "error": self.describe(error), "result": result}
        ok = await invocation.finish()
        return {"outcome": "ok" if ok else "exception", "result": {"noRetry": controller.no_retry_asked}}

    async def _queue(self, frame: Frame, invocation: Invocation) -> Done:
        def warn(text: str) -> None:
            self._say(frame.id, "error", text)

        batch = MessageBatch(frame.head, frame.body, mapping=JsDict, warn=warn)
        try:
            await self._exports.call("queue", batch, self._env, Context(invocation, exports=self._loopback))
            ok = self._flags["queue_consumer_no_wait_for_wait_until"] or await invocation.finish()
        except Exception as error:
            return {"outcome": "exception", "error": self.describe(error), "result": batch.recorded()}
        return {"outcome": "ok" if ok else "exception", "result": batch.recorded()}

    async def _email(self, frame: Frame, invocation: Invocation) -> Done:
        message = ForwardableEmailMessage(frame.head, frame.body)
        try:
            await self._exports.call("email", message, self._env, Context(invocation, exports=self._loopback))
            ok = await invocation.finish()
        except Exception as error:
            return {"outcome": "exception", "error": self.describe(error), "result": message.recorded()}
        return {"outcome": "ok" if ok else "exception", "result": message.recorded()}

    async def _tail(self, frame: Frame, invocation: Invocation) -> Done:
        events = values.decode(frame.body, mapping=JsDict)
        name = "tail" if "tail" in self._exports.places() else "trace"
        await self._exports.call(name, events, self._env, Context(invocation, exports=self._loopback))
        return {"outcome": "ok" if await invocation.finish() else "exception"}

    async def _run(self, frame: Frame, invocation: Invocation) -> Done:
        head, context = frame.head, Context(invocation, exports=self._loopback)
        step = self._steps[frame.id] = WorkflowStep(
            self._calls,
            frame.id,
            implicit=self._flags["python_workflows_implicit_dependencies"],
            root=self._root,
            grant=head["grant"],
        )
        run = Run(
            make=lambda: self._exports.workflows[head["class_name"]](context, self._env),
            step=step,
            warn=lambda line: self._say(frame.id, "error", line),
            is_over=self._is_over,
        )
        return {"outcome": "ok", "body": await run.finish(frame.body, head["ending"])}
