"""One generation from the inside: frames in, the worker's code called, frames out."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from emulator.runtime import exports, loader, standing, values
from emulator.runtime.batch import MessageBatch
from emulator.runtime.bindings import make_env
from emulator.runtime.calls import Calls
from emulator.runtime.email import ForwardableEmailMessage
from emulator.runtime.exchange import Exchange
from emulator.runtime.exports import Exports, HandlerMissing
from emulator.runtime.invocation import Context, Invocation, ScheduledController
from emulator.runtime.loader import WorkerPath
from emulator.runtime.output import Outputs, Speaker, speaker
from emulator.runtime.passage import Passage
from emulator.runtime.services import Loopback
from emulator.runtime.traces import StepError, describe, revive
from emulator.runtime.workflow import WorkflowStep
from emulator.sdk.workers import current
from emulator.sdk.workers.rpc import JsDict
from emulator.wire import Channel, Frame


class Session:
    """Serves one channel: `load` first, then events until `stop` or the end of the channel."""

    def __init__(
        self,
        channel: Channel,
        *,
        heartbeat: Callable[[], None] = lambda: None,
        on_stop: Callable[[], None] = lambda: None,
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._channel = channel
        self._heartbeat = heartbeat
        self._on_stop = on_stop
        self._is_ending = is_ending
        self._calls = Calls(channel)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._exchanges: dict[int, Exchange] = {}
        self._steps: dict[int, WorkflowStep] = {}
        self._exports = Exports()
        self._env: Any = None
        self._loopback: Any = None
        self._passage: Passage | None = None
        self._root = ""
        self._flags: dict[str, bool] = {}
        self._outputs: Outputs | None = None
        self._path: WorkerPath | None = None
        self._stopped = False
        channel.on_frame = self._receive
        channel.on_close = self.stop

    def attach(self, outputs: Outputs) -> None:
        """The stand-ins for the process's outputs, so that an invocation's last line is not lost."""
        self._outputs = outputs

    def print(self, by: int, stream: str, text: str) -> None:
        """Send a line the user's code printed."""
        self._channel.send("print", 0, {"by": by, "stream": stream}, text.encode("utf-8", "replace"))

    def hold(self, on: bool) -> None:
        """Tell the emulator that a debugger holds the process, or lets go of it."""
        self._channel.send("hold", 0, {"on": on})
        self._channel.flush()

    def stop(self) -> None:
        """End what runs, without a word of how it ended: the emulator knows why."""
        if self._stopped:
            return
        self._stopped = True
        path, self._path = self._path, None
        if path is not None:
            path.__exit__()
        for task in self._tasks.values():
            task.cancel()
        self._on_stop()

    def _receive(self, frame: Frame) -> None:
        match frame.kind:
            case "answer" | "piece":
                self._calls.answered(frame)
            case "fetch" | "upgrade" | "rpc" | "scheduled" | "queue" | "email" | "tail" | "run":
                self._begin(frame)
            case "body" | "credit" | "socket":
                self._exchanges[frame.id].receive(frame) if frame.id in self._exchanges else None
            case "cancel":
                self._cancel(frame.id)
            case "drop" if self._passage is not None:
                self._passage.lender.drop(frame.id)
            case "expire":
                self._steps[frame.id].expire(frame.head["key"]) if frame.id in self._steps else None
            case "ping":
                if not frame.head["turns"]:
                    self._heartbeat()
                self._pong(frame.id, frame.head["turns"])
            case "load":
                self._heartbeat()
                self._load(frame)
            case "warm":
                loader.warm(frame.head["modules"])
            case "stop":
                self.stop()
            case _:
                pass

    def _pong(self, number: int, turns: int) -> None:
        """Answer after so many turns of the loop: work that was ready has then been done."""
        if turns > 0:
            asyncio.get_running_loop().call_soon(self._pong, number, turns - 1)
        else:
            self._channel.send("pong", number, {"debugger": standing.is_held()})

    def _begin(self, frame: Frame) -> None:
        if frame.kind in ("fetch", "upgrade"):
            self._exchanges[frame.id] = Exchange(self._channel, frame)
        task = asyncio.get_running_loop().create_task(self._converse(frame))
        self._tasks[frame.id] = task

    async def _converse(self, frame: Frame) -> None:
        by = Speaker(frame.id, self.print)
        speaker.set(by)
        if self._outputs is not None:
            self._outputs.stand_in()
        invocation = Invocation(self._env, self._complain, self._flags, self._loopback)
        current.invocation.set(invocation)
        handle: dict[str, Callable[[Frame, Invocation], Coroutine[Any, Any, dict[str, Any] | None]]] = {
            "fetch": self._fetch,
            "upgrade": self._fetch,
            "rpc": self._rpc,
            "scheduled": self._scheduled,
            "queue": self._queue,
            "email": self._email,
            "tail": self._tail,
            "run": self._run,
        }
        try:
            done = await handle[frame.kind](frame, invocation)
        except asyncio.CancelledError as error:
            # Raised by the user's own code, it is an exception like any other; somebody waits for the answer.
            is_left = frame.id not in self._tasks or self._is_over()
            done = {"outcome": "canceled", "cancelled": True} if is_left else self._failed(error)
        except BaseException as error:
            done = self._failed(error)
        finally:
            self._forget(frame.id)
        if self._outputs is not None:
            self._outputs.finish(by)
        # Who is stopped in the middle leaves the last word to the emulator, which knows why.
        if done is not None and not self._is_over():
            body = done.pop("body", b"")
            self._channel.send("done", frame.id, done, body)

    def _is_over(self) -> bool:
        """The process is to end, or code of the worker's has cancelled all there is, and with it the process."""
        return self._stopped or self._is_ending()

    def _failed(self, error: BaseException) -> dict[str, Any]:
        return {"outcome": "exception", "error": describe(error, self._root)}

    def _forget(self, number: int) -> None:
        for table in (self._tasks, self._exchanges, self._steps):
            table.pop(number, None)

    def _cancel(self, number: int) -> None:
        step = self._steps.get(number)
        if step is not None:
            step.leave()
        task = self._tasks.pop(number, None)
        if task is not None:
            # Once it has begun: before that it would end without a word, and somebody waits for `done`.
            asyncio.get_running_loop().call_soon(task.cancel)

    def _complain(self, error: BaseException) -> None:
        """An error that belongs to no answer: a waitUntil that failed."""
        for line in describe(error, self._root)["trace"].rstrip().splitlines():
            self.print(speaker.get().number, "error", line)

    async def _fetch(self, frame: Frame, invocation: Invocation) -> dict[str, Any] | None:
        exchange, name = self._exchanges[frame.id], frame.head.get("entrypoint")
        ctx = self._context(frame, invocation)
        response = await self._exports.call("fetch", exchange.request(), self._env, ctx, entrypoint=name)
        return await exchange.answer(response, invocation, lambda: self._exports.place_of("fetch", name))

    async def _rpc(self, frame: Frame, invocation: Invocation) -> dict[str, Any]:
        head, passage = frame.head, self._passage
        assert passage is not None
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

    async def _scheduled(self, frame: Frame, invocation: Invocation) -> dict[str, Any]:
        controller = ScheduledController(frame.head["cron"], frame.head["time"])
        result: dict[str, Any] = {"noRetry": False}
        try:
            await self._exports.call("scheduled", controller, self._env, Context(invocation, exports=self._loopback))
        except HandlerMissing as error:
            return {"outcome": "exception", "error": describe(error), "result": {"noRetry": True}}
        except Exception as error:
            result = {"noRetry": controller.no_retry_asked}
            return {"outcome": "exception", "error": describe(error, self._root), "result": result}
        ok = await invocation.finish()
        return {"outcome": "ok" if ok else "exception", "result": {"noRetry": controller.no_retry_asked}}

    async def _queue(self, frame: Frame, invocation: Invocation) -> dict[str, Any]:
        def warn(text: str) -> None:
            self.print(frame.id, "error", text)

        batch = MessageBatch(frame.head, frame.body, mapping=JsDict, warn=warn)
        try:
            await self._exports.call("queue", batch, self._env, Context(invocation, exports=self._loopback))
            ok = self._flags["queue_consumer_no_wait_for_wait_until"] or await invocation.finish()
        except Exception as error:
            return {"outcome": "exception", "error": describe(error, self._root), "result": batch.recorded()}
        return {"outcome": "ok" if ok else "exception", "result": batch.recorded()}

    async def _email(self, frame: Frame, invocation: Invocation) -> dict[str, Any]:
        message = ForwardableEmailMessage(frame.head, frame.body)
        try:
            await self._exports.call("email", message, self._env, Context(invocation, exports=self._loopback))
            ok = await invocation.finish()
        except Exception as error:
            return {"outcome": "exception", "error": describe(error, self._root), "result": message.recorded()}
        return {"outcome": "ok" if ok else "exception", "result": message.recorded()}

    async def _tail(self, frame: Frame, invocation: Invocation) -> dict[str, Any]:
        events = values.decode(frame.body, mapping=JsDict)
        name = "tail" if "tail" in self._exports.places() else "trace"
        await self._exports.call(name, events, self._env, Context(invocation, exports=self._loopback))
        return {"outcome": "ok" if await invocation.finish() else "exception"}

    async def _run(self, frame: Frame, invocation: Invocation) -> dict[str, Any]:
        step = self._steps[frame.id] = WorkflowStep(
            self._calls,
            frame.id,
            implicit=self._flags["python_workflows_implicit_dependencies"],
            root=self._root,
            grant=frame.head["grant"],
        )
        ending = frame.head["ending"]
        try:
            body, error = await self._through(frame, invocation, step)
            if ending is not None:
                error = revive(ending)
            if error is not None:
                await step.roll_back(error)
        finally:
            left = step.leave()
            for label in left if not self._is_over() else ():
                self.print(frame.id, "error", f"step {label} was still running when run() ended; it was cancelled")
        if error is not None and ending is None:
            raise error
        return {"outcome": "ok", "body": body}

    async def _through(
        self, frame: Frame, invocation: Invocation, step: WorkflowStep
    ) -> tuple[bytes, Exception | None]:
        """Once through the worker's `run`: what it returned, or what it raised."""
        context = Context(invocation, exports=self._loopback)
        try:
            workflow = self._exports.workflows[frame.head["class_name"]](context, self._env)
            event = values.decode(frame.body, mapping=JsDict)
            result = await exports.awaited(exports.relaxed(workflow.run, event, step))
        except asyncio.CancelledError:
            if step.is_left or self._is_over():
                raise
            return b"", StepError("CancelledError", "run() was cancelled by code of the worker's own")
        except Exception as error:
            return b"", error
        try:
            body = values.encode(result).encode()
        except TypeError as error:
            return b"", TypeError(f"run() returned a value that cannot be kept: {error}")
        if values.is_too_large(body, values.LARGEST_OUTPUT):
            return b"", ValueError("run() returned a value that cannot be kept: it is larger than 2 MiB")
        return body, None

    def _load(self, frame: Frame) -> None:
        head = frame.head
        speaker.set(Speaker(0, self.print))
        self._flags = head["flags"]
        has_vendor = not self._flags["python_workers_force_new_vendor_path"]
        self._path = WorkerPath(Path(head["module_root"]), Path(head["project"]), has_vendor=has_vendor)
        self._root = head["project"]
        self._passage = Passage(self._channel, self._calls, head["name"], head["number"])
        self._env = make_env(head["bindings"], self._calls, self._passage, head["config"])
        self._loopback = Loopback(self._passage, head["name"])
        self._path.__enter__()
        self._path.forget()
        current.bind_env(self._env, self._flags, self._loopback)
        try:
            module = loader.load(Path(head["main"]), self._path)
            self._exports = exports.find(module, prefixed=not self._flags["python_no_global_handlers"])
        except BaseException as error:
            # Also SystemExit and KeyboardInterrupt in a module body: a load that failed, not the end of the process.
            files = [module.__file__ for module in self._path.own_modules()]
            self._channel.send("failed", frame.id, {"error": describe(error, self._root), "files": files})
            return
        self._channel.send("ready", frame.id, self._loaded(self._path))

    def _loaded(self, path: WorkerPath) -> dict[str, Any]:
        found = self._exports
        return {
            "handlers": found.places(),
            "workflows": {name: exports.place(kind) for name, kind in found.workflows.items()},
            "entrypoints": sorted(found.entrypoints),
            "files": [module.__file__ for module in path.own_modules()],
            "packages": path.third_party(),
            "native": path.native(),
            "warnings": found.warnings(),
            "python": ".".join(map(str, sys.version_info[:3])),
        }
