"""A web socket between two workers: one asks for it with `fetch`, the other answers with its end of a pair."""

from __future__ import annotations

import asyncio
from typing import Any

from emulator.bindings.methods import remote
from emulator.calls import Answer
from emulator.errors import WorkerGone
from emulator.generation import Conversation
from emulator.handlers.websocket import BROKEN, NO_STATUS, RESTART
from emulator.models import Failure, Outcome
from emulator.reply import Reply
from emulator.wire import Frame

_GONE = "the worker is gone"
_RELOADED = "the worker has been reloaded"


class ServiceSocket:
    """One web socket from the request for it to its end; or the refusal, when the worker answers otherwise."""

    kind = "upgrade"
    label = "WS"

    def __init__(self, asked: Frame, reply: Reply, title: str) -> None:
        self._asked = asked
        self._reply = reply
        self._closed: int | None = None
        self._count = {"in": 0, "out": 0}
        self._is_open = False
        self.title = title
        self.status = 0

    def frame(self) -> tuple[dict[str, Any], bytes]:
        head = self._asked.head
        method, url, headers, _ = head["request"]
        request = {"method": method, "url": url, "headers": headers, "has_body": False, "cf": None}
        return {**request, "entrypoint": head["entrypoint"], "props": head["props"]}, b""

    def result(self, outcome: Outcome) -> str:
        if self.status != 101:
            return str(self.status or outcome.outcome)
        return f"closed {self._closed} ({self._count['in']} in, {self._count['out']} out)"

    async def converse(self, conversation: Conversation) -> Frame | None:
        self._reply.on_say = lambda frame: self._said(conversation, frame)
        self._reply.on_leave = lambda: conversation.send("cancel")
        conversation.on_retire = lambda: self._close_both(conversation, RESTART, _RELOADED)
        try:
            return await self._listen(conversation)
        except WorkerGone:
            self._close(BROKEN, _GONE)
            raise
        except asyncio.CancelledError:
            # Who asked for it has ended.
            self._tell(conversation, BROKEN, _GONE)
            raise

    async def _listen(self, conversation: Conversation) -> Frame | None:
        while True:
            frame = await conversation.receive()
            match frame.kind:
                case "head":
                    self._start(frame)
                    if frame.head.get("done"):
                        return None
                case "socket":
                    await self._heard(conversation, frame)
                case "body":
                    await self._reply.piece(frame.body, more=frame.head["more"])
                    conversation.send("credit", {"bytes": len(frame.body)})
                case "done":
                    self._close(NO_STATUS, "")
                    return frame
                case _:
                    pass

    def _start(self, frame: Frame) -> None:
        head = frame.head
        self.status, self._is_open = head["status"], head.get("socket", False)
        told = {"status": head["status"], "headers": head["headers"], "more": head["more"], "socket": self._is_open}
        self._reply.start(told, frame.body)

    async def _heard(self, conversation: Conversation, frame: Frame) -> None:
        """What the worker that was asked sends."""
        head = frame.head
        if head["event"] == "close":
            self._close_both(conversation, head["code"], head["reason"])
        elif self._is_open:
            self._count["out"] += 1
            await self._reply.piece(frame.body, more=True, event=head["event"])

    def _said(self, conversation: Conversation, frame: Frame) -> None:
        """What the worker that asked sends."""
        head = frame.head
        if head["event"] == "close":
            self._close_both(conversation, head["code"], head["reason"])
        elif self._is_open:
            self._count["in"] += 1
            conversation.send("socket", {"event": head["event"]}, frame.body)

    def _close_both(self, conversation: Conversation, code: int, reason: str) -> None:
        self._tell(conversation, code, reason)
        self._close(code, reason)

    def _tell(self, conversation: Conversation, code: int, reason: str) -> None:
        """The worker that was asked sees the end, once."""
        if self._is_open and self._closed is None:
            self._closed = code
            conversation.send("socket", {"event": "close", "code": code, "reason": reason})

    def _close(self, code: int, reason: str) -> None:
        """The worker that asked sees the end, once."""
        if self._is_open:
            self._is_open, self._closed = False, code if self._closed is None else self._closed
            self._reply.end(event="close", code=code, reason=reason)

    def answer(self) -> None:
        """It has been answered on the way."""

    async def failed(self, failure: Failure) -> Answer | None:
        return None if self.status else (remote(failure), b"")
