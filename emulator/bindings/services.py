"""What a binding to another worker answers: its response, or what a method of its entrypoint returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from emulator.errors import EmulatorError, WorkerError
from emulator.generation import Answer, Conversation, Generation
from emulator.handlers.scheduled import ScheduledEvent
from emulator.models import Failure, Outcome, Tick
from emulator.reply import Reply
from emulator.runtime import values
from emulator.window import Window, pieces
from emulator.wire import Frame
from emulator.worker import Worker

Find = Callable[[str], Worker | None]
Dispatched = Callable[[Worker, Any], Awaitable[Outcome]]


async def answer(find: Find, dispatch: Dispatched, generation: Generation, asked: Frame) -> Answer | None:
    """Call the other worker; None when a response has been answered in pieces."""
    name = asked.head["service"]
    worker = find(name)
    if worker is None:
        return _refused(
            f'the worker "{name}" is not served here; start the emulator with a -c for the config of each worker'
        )
    if asked.head.get("name") == "scheduled" and worker.config.has_flag("service_binding_extra_handlers"):
        return await _tick(worker, dispatch, asked)
    event = ServiceFetch(asked, generation.reply(asked)) if asked.head["method"] == "fetch" else MethodCall(asked)
    try:
        outcome = await dispatch(worker, event)
    except EmulatorError as error:
        return await event.failed(Failure(name=getattr(error, "kind", "Error"), message=_text(error)))
    if outcome.error is not None:
        return await event.failed(outcome.error)
    return event.answer()


async def _tick(worker: Worker, dispatch: Dispatched, asked: Frame) -> Answer:
    """`env.SELF.scheduled(cron=…, scheduledTime=…)`: how a run of the scheduled handler ended, not what it raised."""
    try:
        tick = _tick_asked_for(asked)
    except (TypeError, ValueError, OverflowError) as error:
        return {"error": {"kind": "TypeError", "message": f"scheduled() takes scheduledTime and cron: {error}"}}, b""
    try:
        outcome = await dispatch(worker, ScheduledEvent(tick))
    except EmulatorError as error:
        return _refused(_text(error))
    told = {"outcome": outcome.outcome, "noRetry": bool(outcome.result.get("noRetry"))}
    return {}, values.encode(told).encode()


def _tick_asked_for(asked: Frame) -> Tick:
    given: dict[str, Any] = {}
    for options in values.decode(asked.body, naive=False):
        given |= options
    time = given.get("scheduledTime", 0)
    when = time if isinstance(time, datetime) else datetime.fromtimestamp(time / 1000, UTC)
    return Tick(cron=given.get("cron", ""), time=when)


def _text(error: EmulatorError) -> str:
    return error.message if isinstance(error, WorkerError) else str(error)


def _refused(text: str) -> Answer:
    return {"error": {"kind": "Error", "message": text}}, b""


def _remote(failure: Failure) -> dict[str, Any]:
    """What the caller is told of an exception: enough to make it again."""
    trace = failure.trace or f"{failure.name}: {failure.message}\n"
    told = {"kind": failure.name, "message": failure.message, "type": failure.type, "trace": trace}
    return {"error": {"kind": "Error", "message": failure.message, "remote": told}}


class MethodCall:
    """A call of a method of another worker's entrypoint."""

    kind = "rpc"
    label = "RPC"

    def __init__(self, asked: Frame) -> None:
        self._asked = asked
        self._value = b""

    @property
    def title(self) -> str:
        head = self._asked.head
        return ".".join(filter(None, (head["service"], head["entrypoint"], head["name"])))

    def frame(self) -> tuple[dict[str, Any], bytes]:
        head = self._asked.head
        fields = {"entrypoint": head["entrypoint"], "props": head["props"], "method": head["name"]}
        return fields, self._asked.body

    def result(self, outcome: Outcome) -> str:
        return outcome.outcome

    async def converse(self, conversation: Conversation) -> Frame:
        while True:
            frame = await conversation.receive()
            if frame.kind == "result":
                self._value = frame.body
            elif frame.kind == "done":
                return frame

    def answer(self) -> Answer:
        return {}, self._value

    async def failed(self, failure: Failure) -> Answer:
        return _remote(failure), b""


class ServiceFetch:
    """A request of one worker on its way through another."""

    kind = "fetch"

    def __init__(self, asked: Frame, reply: Reply) -> None:
        self._asked = asked
        self._reply = reply
        self._window = Window()
        self._status = 0
        self._is_streaming = False
        self._method, self._url, self._headers, self._has_body = asked.head["request"]

    @property
    def label(self) -> str:
        return str(self._method)

    @property
    def title(self) -> str:
        url = urlsplit(self._url)
        return f"{self._asked.head['service']} {url.path}{'?' if url.query else ''}{url.query}"

    def frame(self) -> tuple[dict[str, Any], bytes]:
        head = self._asked.head
        return {
            "method": self._method,
            "url": self._url,
            "headers": self._headers,
            "has_body": self._has_body,
            "cf": None,
            "entrypoint": head["entrypoint"],
            "props": head["props"],
        }, b""

    def result(self, outcome: Outcome) -> str:
        return str(self._status or outcome.outcome)

    async def converse(self, conversation: Conversation) -> Frame | None:
        self._reply.on_leave = lambda: conversation.send("cancel")
        upload = asyncio.create_task(self._upload(conversation)) if self._has_body else None
        try:
            return await self._download(conversation)
        finally:
            if upload is not None:
                upload.cancel()

    async def _upload(self, conversation: Conversation) -> None:
        for piece in pieces(self._asked.body):
            await self._window.take(len(piece))
            conversation.send("body", {"more": True}, piece)
        conversation.send("body", {"more": False})

    async def _download(self, conversation: Conversation) -> Frame | None:
        while True:
            frame = await conversation.receive()
            match frame.kind:
                case "credit":
                    self._window.give(frame.head["bytes"])
                case "head":
                    self._start(frame)
                    if frame.head.get("done"):
                        return None
                case "body":
                    await self._reply.piece(frame.body, more=frame.head["more"])
                    self._is_streaming = frame.head["more"]
                    conversation.send("credit", {"bytes": len(frame.body)})
                case "done":
                    return frame
                case _:
                    pass

    def _start(self, frame: Frame) -> None:
        head = frame.head
        self._status, self._is_streaming = head["status"], head["more"]
        told = {"status": head["status"], "headers": head["headers"], "more": head["more"]}
        self._reply.start(told, frame.body)

    def answer(self) -> None:
        """It has been answered on the way."""

    async def failed(self, failure: Failure) -> Answer | None:
        if not self._status:
            return _remote(failure), b""
        if self._is_streaming:
            await self._reply.piece(b"", more=False, error=f"the response broke off: {failure.name}: {failure.message}")
        return None
