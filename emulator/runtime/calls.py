"""Questions to the emulator: the frame leaves at call time, the answer is awaited later."""

from __future__ import annotations

import asyncio
import builtins
import itertools
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from emulator.runtime.output import speaker
from emulator.runtime.relay import AskedSocket
from emulator.runtime.streams import InBody
from emulator.runtime.traces import revive
from emulator.sdk.workers.proxy import JsException
from emulator.sdk.workers.workflows import WorkflowError, WorkflowFatalError
from emulator.wire import Channel, Frame

T = TypeVar("T")


class Pending(Coroutine[Any, Any, T]):
    """
    A call that is under way, whether anybody awaits it or not.

    The platform makes a binding's call when it is called, not when it is awaited; so do we. There it is a coroutine,
    which `asyncio.create_task` insists on, so it is one here.
    """

    def __init__(self, answer: asyncio.Future[Any], then: Callable[[Any], T]) -> None:
        self._answer = answer
        self._then = then
        self._awaited: Generator[Any, None, T] | None = None

    def __await__(self) -> Generator[Any, None, T]:
        frame = yield from asyncio.shield(self._answer).__await__()
        return self._then(frame)

    def send(self, value: Any, /) -> Any:
        if self._awaited is None:
            self._awaited = self.__await__()
        return self._awaited.send(value)

    def throw(self, *error: Any) -> Any:
        if self._awaited is None:
            self._awaited = self.__await__()
        return self._awaited.throw(*error)

    def close(self) -> None:
        """Nobody waits any more; the call goes on."""
        if self._awaited is not None:
            self._awaited.close()


class Calls:
    """All questions of one generation that wait for their answers."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Frame]] = {}
        self._bodies: dict[int, InBody | AskedSocket] = {}

    def ask(self, target: str, method: str, head: dict[str, Any], body: bytes = b"") -> asyncio.Future[Frame]:
        """Send a call now; the future is its answer, or raises what the other side says."""
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[self.tell(target, method, head, body)] = answer
        return answer

    def tell(self, target: str, method: str, head: dict[str, Any], body: bytes = b"") -> int:
        """
        A call whose answer nobody here waits for; returns its number.

        It leaves before anything runs that is put into a task after it.
        """
        number = next(self._numbers)
        by = speaker.get().number
        self._channel.send("call", number, {"by": by, "target": target, "method": method, **head}, body)
        return number

    def answered(self, frame: Frame) -> None:
        if frame.kind == "piece" or frame.head.get("more"):
            self._body_of(frame)
        if frame.kind == "piece":
            return
        answer = self._waiting.pop(frame.id, None)
        if answer is None or answer.done():
            return
        error = frame.head.get("error")
        if error is None:
            answer.set_result(frame)
        else:
            answer.set_exception(_exception(error))

    def body_of(self, frame: Frame) -> InBody:
        """The rest of an answer that comes in pieces."""
        found: InBody = frame.head["body"]
        return found

    def socket_of(self, frame: Frame) -> Any:
        """This worker's end of the web socket that is the answer."""
        found: AskedSocket = frame.head["body"]
        return found.end

    def _body_of(self, frame: Frame) -> None:
        body = self._bodies.get(frame.id)
        if body is None:
            body = self._bodies[frame.id] = self._new_body(frame)
        frame.head["body"] = body
        body.feed(frame)
        if not frame.head["more"]:
            del self._bodies[frame.id]

    def _new_body(self, frame: Frame) -> InBody | AskedSocket:
        if frame.head.get("socket"):
            return AskedSocket(self._channel, frame.id)
        return InBody(self._channel, frame.id, credit="taken")


def _remote(error: dict[str, Any]) -> JsException:
    """What another worker raised, as the platform shows it: an error of JavaScript's own stays what it is."""
    raised = revive(error)
    if isinstance(raised, JsException):
        return raised
    told = JsException("PythonError", error["trace"])
    told.__cause__ = raised
    return told


def _exception(error: dict[str, Any]) -> Exception:
    if "code" in error:
        return WorkflowError(error["code"], error["message"])
    if "remote" in error:
        return _remote(error["remote"])
    if error["kind"] == "Error":
        return JsException("Error", error["message"])
    if error["kind"] == WorkflowFatalError.__name__:
        return WorkflowFatalError(error["message"])
    kind = getattr(builtins, error["kind"], Exception)
    return (
        kind(error["message"])
        if isinstance(kind, type) and issubclass(kind, Exception)
        else Exception(error["message"])
    )
