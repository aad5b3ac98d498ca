"""What a binding to another worker answers: its response, or what a method of its entrypoint returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from emulator.bindings.extra import EXTRA, EXTRA_FLAG, extra_handler, needs_flag, text_of
from emulator.bindings.loans import Loan, Loans
from emulator.bindings.methods import MethodCall, remote
from emulator.bindings.sockets import ServiceSocket
from emulator.calls import Answer
from emulator.dispatch import Callee
from emulator.errors import EmulatorError
from emulator.generation import Conversation, Generation
from emulator.models import Failure, Outcome
from emulator.reply import Reply
from emulator.window import Window, pieces
from emulator.wire import Frame
from emulator.worker import Worker

Find = Callable[[str], Worker | None]
Dispatched = Callable[[Callee, Any], Awaitable[Outcome]]


async def answer(find: Find, dispatch: Dispatched, generation: Generation, asked: Frame, loans: Loans) -> Answer | None:
    """Call the other worker; None when a response has been answered in pieces."""
    name = asked.head["service"]
    worker = find(name)
    if worker is None:
        _turn_back(loans, generation, asked)
        return _refused(
            f'the worker "{name}" is not served here; start the emulator with a -c for the config of each worker'
        )
    if asked.head["method"] == "fetch":
        asks_for_socket = asked.head.get("upgrade", False)
        fetch = (ServiceSocket if asks_for_socket else ServiceFetch)(asked, generation.reply(asked), _title(asked))
        return await _ended(dispatch, worker, fetch)
    caller = find(generation.worker)
    if asked.head["name"] in EXTRA and caller is not None:
        _turn_back(loans, generation, asked)
        if caller.config.has_flag(EXTRA_FLAG):
            return await extra_handler(worker, dispatch, asked)
        return needs_flag(asked.head["name"], caller.config)
    return await _call(dispatch, worker, generation, asked, loans)


async def answer_stub(dispatch: Dispatched, generation: Generation, asked: Frame, loans: Loans) -> Answer | None:
    """Call an object that another worker has lent, or get a property of it."""
    loan = loans.find(asked.head["stub"])
    if loan is None:
        _turn_back(loans, generation, asked)
        return _refused(f"{asked.head['label']} is gone: the worker that made it has been reloaded, or has ended")
    return await _call(dispatch, loan, generation, asked, loans)


async def _call(
    dispatch: Dispatched, callee: Callee, generation: Generation, asked: Frame, loans: Loans
) -> Answer | None:
    sent = loans.begin(generation, asked.head.get("lent", ()))
    call = MethodCall(asked, loans, sent, callee if isinstance(callee, Loan) else None)
    try:
        answer = await _ended(dispatch, callee, call)
        call.deliver(generation)
    finally:
        call.close()
    return answer


async def _ended(
    dispatch: Dispatched, callee: Callee, event: ServiceFetch | ServiceSocket | MethodCall
) -> Answer | None:
    try:
        outcome = await dispatch(callee, event)
    except EmulatorError as error:
        return await event.failed(Failure(name=getattr(error, "kind", "Error"), message=text_of(error)))
    if outcome.error is not None:
        return await event.failed(outcome.error)
    return event.answer()


def _turn_back(loans: Loans, generation: Generation, asked: Frame) -> None:
    """What was lent with a call that goes to no method is nobody's."""
    loans.hand(loans.begin(generation, asked.head.get("lent", ())), None)


def _refused(text: str) -> Answer:
    return {"error": {"kind": "Error", "message": text}}, b""


def _title(asked: Frame) -> str:
    url = urlsplit(asked.head["request"][1])
    return f"{asked.head['service']} {url.path}{'?' if url.query else ''}{url.query}"


class ServiceFetch:
    """A request of one worker on its way through another."""

    kind = "fetch"

    def __init__(self, asked: Frame, reply: Reply, title: str) -> None:
        self._asked = asked
        self._reply = reply
        self.title = title
        self._window = Window()
        self._status = 0
        self._is_streaming = False
        self._method, self._url, self._headers, self._has_body = asked.head["request"]

    @property
    def label(self) -> str:
        return str(self._method)

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
            return remote(failure), b""
        if self._is_streaming:
            await self._reply.piece(b"", more=False, error=f"the response broke off: {failure.words}")
        return None
