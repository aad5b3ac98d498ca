"""A browser's web socket: ASGI on one side, socket frames on the other."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from emulator.errors import WorkerError, WorkerGone
from emulator.generation import Conversation
from emulator.guard import check_headers
from emulator.handlers.request import Receive, Scope, Send, request_head, target
from emulator.models import Outcome
from emulator.window import Window
from emulator.wire import Frame

GOING_AWAY = 1001
NO_STATUS = 1005
BROKEN = 1006
FAILED = 1011
RESTART = 1012


class WebSocketEvent:
    """One web socket, from the request for it to its end; or the refusal, when the worker answers otherwise."""

    kind = "upgrade"
    label = "WS"

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._window = Window()
        self._open = False
        self._accepted = asyncio.Event()
        self._closed: int | None = None
        self._count = {"in": 0, "out": 0}
        self.answered = False
        self.is_whole = False
        self.status = 0

    @property
    def title(self) -> str:
        return target(self._scope)

    def frame(self) -> tuple[dict[str, Any], bytes]:
        return request_head(self._scope), b""

    def result(self, outcome: Outcome) -> str:
        if self.status != 101:
            is_gone = outcome.error is not None and outcome.error.name == "WorkerGone"
            return str(self.status or (503 if is_gone else 500))
        return f"closed {self._closed} ({self._count['in']} in, {self._count['out']} out)"

    async def converse(self, conversation: Conversation) -> Frame | None:
        await self._receive()
        conversation.on_retire = lambda: self._retire(conversation)
        reading = asyncio.create_task(self._read(conversation))
        try:
            return await self._answer(conversation)
        except WorkerGone:
            self._closed = self._closed or (GOING_AWAY if conversation.generation.is_stopping else FAILED)
            await self._close(self._closed, "the worker is gone")
            raise
        finally:
            reading.cancel()

    async def _answer(self, conversation: Conversation) -> Frame | None:
        while True:
            frame = await conversation.receive()
            match frame.kind:
                case "head":
                    await self._start(frame, conversation)
                    if frame.head.get("done"):
                        return None
                case "body":
                    more = frame.head["more"]
                    self.is_whole = not more
                    await self._pass({"type": "websocket.http.response.body", "body": frame.body, "more_body": more})
                    conversation.send("credit", {"bytes": len(frame.body)})
                case "socket":
                    await self._say(frame, conversation)
                case "credit":
                    self._window.give(frame.head["bytes"])
                case "done":
                    if self._open:
                        self._closed = FAILED if frame.head.get("error") else NO_STATUS
                        await self._close(self._closed)
                    return frame
                case _:
                    pass

    async def _start(self, frame: Frame, conversation: Conversation) -> None:
        head = frame.head
        wrong = check_headers(head["headers"])
        if wrong is not None:
            conversation.leave()
            raise WorkerError("BadHeader", wrong)
        self.answered, self.status, self.is_whole = True, head["status"], not head["more"]
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in head["headers"]]
        if head.get("socket"):
            protocols = [value.decode() for name, value in raw if name == b"sec-websocket-protocol"]
            others = [pair for pair in raw if pair[0] != b"sec-websocket-protocol"]
            chosen = {"subprotocol": protocols[0]} if protocols else {}
            await self._pass({"type": "websocket.accept", "headers": others, **chosen})
            self._open = True
            self._accepted.set()
            return
        await self._pass({"type": "websocket.http.response.start", "status": head["status"], "headers": raw})
        if not head["more"]:
            await self._pass({"type": "websocket.http.response.body", "body": frame.body})

    async def _say(self, frame: Frame, conversation: Conversation) -> None:
        """What the worker sends to the browser."""
        if not self._open:
            return
        if frame.head["event"] == "close":
            code, reason = frame.head["code"], frame.head["reason"]
            await self._close(code, reason)
            self._tell_closed(conversation, code, reason)
            return
        self._count["out"] += 1
        content = (
            {"text": frame.body.decode("utf-8", "replace")} if frame.head["event"] == "text" else {"bytes": frame.body}
        )
        await self._pass({"type": "websocket.send", **content})

    async def _read(self, conversation: Conversation) -> None:
        """What the browser sends to the worker."""
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                break
            await self._accepted.wait()
            text, content = message.get("text"), message.get("bytes")
            body = (content if text is None else text.encode()) or b""
            await self._window.take(len(body))
            self._count["in"] += 1
            conversation.send("socket", {"event": "binary" if text is None else "text"}, body)
        if not self.answered:
            # The browser left before there was an answer.
            conversation.send("cancel")
        elif self._open:
            self._open = False
            self._tell_closed(conversation, message.get("code") or NO_STATUS, message.get("reason") or "")

    def _tell_closed(self, conversation: Conversation, code: int, reason: str) -> None:
        """The worker sees the end, once."""
        if self._closed is None:
            self._closed = code
            conversation.send("socket", {"event": "close", "code": code, "reason": reason})

    def _retire(self, conversation: Conversation) -> None:
        """The code has been replaced: the browser is to come back, and meets the new code."""
        if not self._open:
            return
        task = asyncio.get_running_loop().create_task(self._close(RESTART, "the worker has been reloaded"))
        task.add_done_callback(lambda _: self._tell_closed(conversation, RESTART, "the worker has been reloaded"))

    async def _close(self, code: int, reason: str = "") -> None:
        if not self._open:
            return
        self._open = False
        # 1005 says that no code was given, and must not be sent itself.
        await self._pass({"type": "websocket.close", "code": 1000 if code == NO_STATUS else code, "reason": reason})

    async def _pass(self, message: MutableMapping[str, Any]) -> None:
        # A browser that has left is told nothing more; how it left is for the reading side to say.
        with suppress(OSError):
            await self._send(message)
