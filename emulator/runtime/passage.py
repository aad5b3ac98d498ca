"""
What workers pass to each other besides plain values: functions and RpcTargets as stubs; requests, responses, headers
and streams; and bindings to workers.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any

from emulator.runtime import values
from emulator.runtime.calls import Calls
from emulator.runtime.lending import Cargo, Lender, Outflow
from emulator.runtime.stubs import Address, Hold, Reach, RpcCall, Stub
from emulator.runtime.values import Crossing
from emulator.sdk.workers import FetchResponse, Request
from emulator.sdk.workers.body import Body
from emulator.sdk.workers.entrypoints import RpcTarget
from emulator.sdk.workers.later import part
from emulator.sdk.workers.proxy import JsException, JsNull, JsProxy
from emulator.sdk.workers.response import from_network
from emulator.sdk.workers.rpc import JsDict
from emulator.wire import Channel, Frame

Head = dict[str, Any]
# What values knows, or refuses, by itself.
_OTHERS = (bytes, memoryview, set, frozenset, tuple, bytearray, date, re.Pattern, BaseException)


class Passage:
    """
    Packs values for other workers, and unpacks theirs.

    What is lent is listed in the head of the frame that carries it: the emulator keeps the count of who holds what.
    """

    def __init__(self, channel: Channel, calls: Calls, worker: str, generation: int) -> None:
        self.calls = calls
        self.lender = Lender()
        # Makes a binding of what one was packed into; whoever makes bindings sets it.
        self.binding: Callable[[str, str | None, str], Any] = _no_binding
        self._channel = channel
        self._home = (worker, generation)
        self._loop = asyncio.get_running_loop()

    def pack(self, value: Any) -> tuple[Head, bytes]:
        """
        Fields for the frame's head, and its body.

        Raises TypeError or JsException for what cannot cross, OSError for a body that has been read. Nothing is used up
        then, and nothing lent.
        """
        cargo = Cargo(self.lender, self._home)
        try:
            body = values.encode(self._crossing(value, cargo)).encode()
        except BaseException as error:
            cargo.unload()
            if isinstance(error, RecursionError):
                raise TypeError("a value that contains itself cannot be sent over RPC.") from None
            raise
        return ({"lent": cargo.lent} if cargo.lent else {}), body

    def pack_result(self, method: str, result: Any) -> tuple[Head, bytes]:
        """As `pack`, of what a method returned."""
        try:
            return self.pack(result)
        except (TypeError, JsException) as error:
            raise TypeError(f"{method}() returned what cannot be sent to another worker: {error}") from None

    def unpack(self, body: bytes) -> Any:
        """The value in a frame's body."""
        return self.unpack_with_stubs(body)[0] if body else None

    def unpack_with_stubs(self, body: bytes) -> tuple[Any, list[Stub]]:
        """The value, and the stubs in it."""
        stubs: list[Stub] = []

        def revive(kind: str, found: Any) -> Any:
            made = self._revived(kind, found)
            if isinstance(made, Stub):
                stubs.append(made)
            return made

        return values.decode(body, mapping=JsDict, crossing=revive), stubs

    def call(self, target: str, head: Head, arguments: list[Any] | None) -> RpcCall:
        """Ask for something now; the call is its answer, awaited or not."""
        more, body = self.pack(arguments)
        answer = self.calls.ask(target, "rpc", {**head, **more}, body)
        return RpcCall(_then(answer, lambda frame: self.unpack(frame.body)))

    def _ask_of_stub(self, hold: Hold, path: tuple[str, ...], arguments: list[Any] | None) -> RpcCall:
        call = self.call("stub", {"stub": hold.address, "label": hold.label, "path": path}, arguments)
        call.keep(hold)
        return call

    def _give_back(self, address: Address) -> None:
        # By way of the loop: the last reference may go in any thread.
        with suppress(RuntimeError):
            # Raised by a loop that is closed, when there is nobody left to tell.
            self._loop.call_soon_threadsafe(self._channel.send, "release", 0, {"stub": address})

    # Out

    def _crossing(self, value: Any, cargo: Cargo) -> Any:
        match value:
            case None | bool() | int() | float() | str():
                return value
            case JsNull():
                return None
            case list():
                return [self._crossing(item, cargo) for item in value]
            case dict():
                return {key: self._crossing(item, cargo) for key, item in value.items()}
            case Stub():
                hold = value._held()
                return Crossing("stub", [*cargo.pass_on(hold.address), hold.label])
            case Request() | FetchResponse():
                return self._message(value, cargo)
            case RpcTarget():
                return self._lent(value, type(value).__name__, cargo)
            case JsProxy():
                return self._js(value, cargo)
            case _ if _is_function(value):
                return self._lent(value, f"{getattr(value, '__name__', type(value).__name__)}()", cargo)
            case _:
                return self._other(value)

    def _lent(self, thing: Any, label: str, cargo: Cargo) -> Crossing:
        return Crossing("stub", [*cargo.lend(thing), label])

    def _message(self, message: Any, cargo: Cargo) -> Crossing:
        shared = {"pairs": [list(pair) for pair in message._pairs], "body": self._content(message._body, cargo)}
        if isinstance(message, Request):
            form = {**shared, "method": message._method, "url": message._url, "redirect": message.redirect}
            return Crossing("request", form)
        if message.web_socket:
            raise _refused("Response", "one with a WebSocket is for who asked with fetch()")
        form = {**shared, "status": message.status, "text": message.status_text, "url": message.url}
        return Crossing("response", {**form, "redirected": message.redirected})

    def _content(self, body: Body, cargo: Cargo) -> Any:
        """A body that is there crosses whole, one that still comes is read piece by piece from the other side."""
        content = cargo.take(body)
        if content is None or isinstance(content, bytes):
            return content
        return Crossing("stream", list(cargo.lend(Outflow(content))))

    def _js(self, value: Any, cargo: Cargo) -> Any:
        """What stands behind a JavaScript object."""
        if isinstance(value, type):
            raise _refused("function")
        fields = value.__dict__
        message = fields.get("_request", fields.get("_response"))
        if message is not None:
            return self._message(message, cargo)
        if isinstance(fields.get("_body"), Body):
            return Crossing("js.ReadableStream", self._content(fields["_body"], cargo))
        if type(value).__name__ == "Headers":
            return Crossing("js.Headers", [list(pair) for pair in fields["_pairs"]])
        if "_thing" in fields:
            return self._crossing(value.unwrap(), cargo)
        plain = value.to_py()
        if plain is value:
            raise _refused(type(value).__name__)
        return self._crossing(plain, cargo)

    def _other(self, value: Any) -> Any:
        binding = getattr(value, "_binding", None)
        if binding is not None and hasattr(type(binding), "_crossing"):
            return binding._crossing
        if isinstance(value, _OTHERS) or inspect.isawaitable(value):
            return value
        raise _refused(type(value).__name__, "derive its class from RpcTarget, or send a dict")

    # In

    def _revived(self, kind: str, found: Any) -> Any:
        match kind:
            case "stub":
                *address, label = found
                return Stub(self._ask_of_stub, self._hold(address, label))
            case "stream":
                return Inflow(self._ask_of_stub, self._hold(found, "a stream"))
            case "service":
                return self.binding(*found)
            case "request":
                return _request(found)
            case "response":
                pairs = [(name, value) for name, value in found["pairs"]]
                return from_network(
                    found["status"], found["text"], pairs, _body(found["body"]), found["url"], found["redirected"]
                )
            case "js.Headers":
                return part("js.headers").Headers.new([(name, value) for name, value in found])
            case "js.ReadableStream":
                return part("workers.streams").over(Body(_body(found)))
            case _:
                raise ValueError(f'no value has the wire form "{kind}"')

    def _hold(self, address: list[Any], label: str) -> Hold:
        worker, generation, number = address
        return Hold((worker, generation, number), label, self._give_back)


class Inflow:
    """A stream of another worker: an async iterator of bytes."""

    def __init__(self, ask: Callable[[Hold, tuple[str, ...], list[Any] | None], RpcCall], hold: Hold) -> None:
        self._ask = ask
        self._hold: Hold | None = hold

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._hold is None:
            raise StopAsyncIteration
        try:
            piece = await self._ask(self._hold, ("read",), [])
        except JsException as error:
            self._hold = None
            raise OSError(f"the stream broke off: {error.__cause__ or error}") from error
        if piece is None:
            self._hold = None
            raise StopAsyncIteration
        return bytes(piece)

    async def aclose(self) -> None:
        """Nobody reads on."""
        self._hold = None


def _then(answer: asyncio.Future[Frame], unpack: Callable[[Frame], Any]) -> asyncio.Future[Any]:
    """
    What is made of an answer, once, as soon as it comes.

    Also when nobody awaits it: a stub in it has to be held here before it can be given back.
    """
    arrived: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def arrive(answer: asyncio.Future[Frame]) -> None:
        if arrived.done():
            return
        if answer.cancelled():
            arrived.cancel()
            return
        error = answer.exception()
        if error is not None:
            arrived.set_exception(error)
            return
        try:
            arrived.set_result(unpack(answer.result()))
        except Exception as wrong:
            # Whoever asked waits for it.
            arrived.set_exception(wrong)

    answer.add_done_callback(arrive)
    return arrived


def _is_function(value: Any) -> bool:
    return inspect.isroutine(value) or isinstance(value, partial | Reach)


def _request(found: Any) -> Request:
    made = Request.__new__(Request)
    pairs = [(name, value) for name, value in found["pairs"]]
    made._begin(found["method"], found["url"], pairs, Body(_body(found["body"])), None)
    made._options = {"redirect": found["redirect"]}
    return made


def _body(found: Any) -> Any:
    return bytes(found) if isinstance(found, memoryview) else found


def _refused(name: str, advice: str = "") -> JsException:
    text = f'Could not serialize object of type "{name}". This type does not support serialization'
    return JsException("DataCloneError", f"{text}: {advice}." if advice else f"{text}.")


def _no_binding(service: str, entrypoint: str | None, props: str) -> Any:
    raise ValueError("no bindings are known here")
