"""ASGI on one side, request and response frames on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from emulator.errors import EmulatorError, WorkerError
from emulator.generation import Conversation
from emulator.guard import check_headers
from emulator.handlers.request import Receive, Scope, Send, has_body, request_head, target
from emulator.handlers.websocket import WebSocketEvent
from emulator.models import Outcome
from emulator.window import Window, pieces
from emulator.wire import Frame
from emulator.worker import Worker

Explain = Callable[[Scope, Send, EmulatorError], Awaitable[None]]

_LOOK_EVERY = 0.02
_WITHOUT_BODY = (204, 304)


class Fetch:
    """The worker's own routes. A failing handler is explained to the browser by `explain`."""

    def __init__(
        self,
        worker: Worker,
        dispatch: Callable[[Worker, FetchEvent | WebSocketEvent], Awaitable[Outcome]],
        explain: Explain,
    ) -> None:
        self._worker = worker
        self._dispatch = dispatch
        self._explain = explain
        self._lookout = Lookout()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        event: FetchEvent | WebSocketEvent
        if scope["type"] == "websocket":
            event = WebSocketEvent(scope, receive, send)
            scope, send = {**scope, "method": "GET"}, _refusing(send)
        else:
            event = FetchEvent(scope, receive, send, self._lookout)
        if self._worker.error is not None:
            await self._explain(scope, send, self._worker.error)
            return
        try:
            outcome = await self._dispatch(self._worker, event)
        except WorkerError as wrong:
            await self._fail(scope, send, event, wrong)
            return
        if outcome.error is not None:
            error = outcome.error
            await self._fail(scope, send, event, WorkerError(error.name, error.message, error.trace))

    async def _fail(self, scope: Scope, send: Send, event: FetchEvent | WebSocketEvent, error: WorkerError) -> None:
        if event.answered and (event.is_whole or event.status == 101):
            # The browser has all there is, or its web socket has been closed, which says it all.
            return
        if event.answered:
            # Half an answer is out; closing the connection is the only honest way to say that it is not whole.
            raise error
        await self._explain(scope, send, error)


def _refusing(send: Send) -> Send:
    """Sends the response of a request for a web socket that does not become one."""

    async def sent(message: MutableMapping[str, Any]) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return sent


class Lookout:
    """
    Watches for browsers that leave before they have their answer.

    Few requests last long enough for that. Those that do are found by one timer for all: one each would cost every
    quick request more than its own work.
    """

    def __init__(self) -> None:
        self._quick: dict[FetchEvent, tuple[float, Conversation]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, event: FetchEvent, conversation: Conversation) -> None:
        loop = asyncio.get_running_loop()
        self._quick[event] = (loop.time(), conversation)
        if self._timer is None:
            self._timer = loop.call_later(_LOOK_EVERY, self._look)

    def discard(self, event: FetchEvent) -> None:
        self._quick.pop(event, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        lasting = [event for event, (since, _) in self._quick.items() if loop.time() - since >= _LOOK_EVERY]
        for event in lasting:
            event.listen(self._quick.pop(event)[1])
        self._timer = loop.call_later(_LOOK_EVERY, self._look) if self._quick else None


class FetchEvent:
    """One browser request on its way through a generation."""

    kind = "fetch"

    def __init__(self, scope: Scope, receive: Receive, send: Send, lookout: Lookout) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._window = Window()
        self._lookout = lookout
        self._listening: asyncio.Task[None] | None = None
        self.answered = False
        self.is_whole = False
        self.status = 0
        self._declared: int | None = None
        self._sent = 0

    @property
    def label(self) -> str:
        return str(self._scope["method"])

    @property
    def title(self) -> str:
        return target(self._scope)

    def frame(self) -> tuple[dict[str, Any], bytes]:
        return request_head(self._scope), b""

    def result(self, outcome: Outcome) -> str:
        if self.status:
            return str(self.status)
        return "canceled" if outcome.error is None else "503" if outcome.error.name == "WorkerGone" else "500"

    async def converse(self, conversation: Conversation) -> Frame | None:
        if has_body(self._scope):
            self._listening = asyncio.create_task(self._upload(conversation))
        else:
            self._lookout.add(self, conversation)
        try:
            return await self._download(conversation)
        finally:
            self._lookout.discard(self)
            if self._listening is not None:
                self._listening.cancel()

    def listen(self, conversation: Conversation) -> None:
        """From now on the browser's leaving is noticed."""
        self._listening = asyncio.create_task(self._leave_on_disconnect(conversation))

    async def _leave_on_disconnect(self, conversation: Conversation) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave(conversation)

    def _leave(self, conversation: Conversation) -> None:
        # The server calls the end of a whole answer a disconnect, too; what `waitUntil` still does is to go on then.
        if not self.is_whole:
            conversation.send("cancel")

    async def _upload(self, conversation: Conversation) -> None:
        while True:
            await self._window.opens()
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._leave(conversation)
                return
            body: bytes = message.pop("body", b"")
            await self._window.take(len(body))
            for piece in pieces(body):
                conversation.send("body", {"more": True}, piece)
            del body
            if not message.get("more_body", False):
                conversation.send("body", {"more": False})
                break
        await self._leave_on_disconnect(conversation)

    async def _download(self, conversation: Conversation) -> Frame | None:
        while True:
            frame = await conversation.receive()
            match frame.kind:
                case "credit":
                    self._window.give(frame.head["bytes"])
                case "head":
                    self.is_whole = not frame.head["more"]
                    await self._start(frame, conversation)
                    if frame.head.get("done"):
                        return None
                case "body":
                    self._check_length(frame, conversation)
                    self.is_whole = not frame.head["more"]
                    await self._send(
                        {"type": "http.response.body", "body": frame.body, "more_body": frame.head["more"]}
                    )
                    if frame.body:
                        conversation.send("credit", {"bytes": len(frame.body)})
                case "done":
                    return frame
                case _:
                    pass

    async def _start(self, frame: Frame, conversation: Conversation) -> None:
        status, headers, more = frame.head["status"], frame.head["headers"], frame.head["more"]
        declared = next((value for name, value in headers if name.lower() == "content-length"), None)
        may_have_body = status >= 200 and status not in _WITHOUT_BODY
        has_length = not more and may_have_body
        wrong = check_headers(headers) or (self._wrong_length(declared, frame.body) if has_length else None)
        if wrong is not None:
            conversation.leave()
            raise WorkerError("BadHeader", wrong)
        self.answered, self.status = True, status
        if more and may_have_body and declared is not None and declared.isdecimal() and self._scope["method"] != "HEAD":
            self._declared = int(declared)
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if has_length and declared is None:
            raw.append((b"content-length", str(len(frame.body)).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": raw})
        if not more:
            await self._send({"type": "http.response.body", "body": frame.body})

    def _wrong_length(self, declared: str | None, body: bytes) -> str | None:
        """A length that lies would leave the browser waiting, or cut the body short."""
        if declared is None or declared == str(len(body)) or self._scope["method"] == "HEAD":
            return None
        return f"the response says content-length {declared}, and its body has {len(body)} bytes"

    def _check_length(self, frame: Frame, conversation: Conversation) -> None:
        """The same of a body in pieces: its end, or the first piece too many, shows the lie."""
        self._sent += len(frame.body)
        if self._declared is None or (
            self._sent <= self._declared if frame.head["more"] else self._sent == self._declared
        ):
            return
        conversation.leave()
        has = f"has {self._sent} bytes" if not frame.head["more"] else f"goes on after {self._declared}"
        raise WorkerError("BadHeader", f"the response says content-length {self._declared}, and its body {has}")
