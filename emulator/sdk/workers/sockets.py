"""`WebSocketPair` and `WebSocket`: two ends of one connection."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

from .buffers import ArrayBuffer, Buffer
from .events import CloseEvent, ErrorEvent, EventTarget, MessageEvent
from .later import part
from .proxy import JsException, JsProxy

Content = str | bytes
Closing = tuple[int, str, bool]
Sink = Callable[["Content | Closing"], None]

NO_STATUS = 1005
BROKEN = 1006
_LONGEST_REASON = 123
_NOT_TO_SEND = (1004, NO_STATUS, BROKEN, 1015)


class WebSocket(EventTarget):
    """
    One end. What the other end sends waits until `accept()`; then it comes as events `message`, `close` and `error`.

    Binary messages are `Blob`s unless `binaryType` is "arraybuffer". Follows
    developers.cloudflare.com/workers/runtime-apis/websockets.
    """

    CONNECTING = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3

    def __init__(self, url: Any = None, protocols: Any = None) -> None:
        super().__init__()
        self.binaryType = "blob"
        self.protocol = ""
        self.extensions = ""
        self.url: Any = None
        self._other: WebSocket | None = None
        self._sink: Sink | None = None
        self._early: list[Content | Closing] = []
        self._opened = True
        self._has_closed = False
        self._was_closed = False
        self._attachment: Any = None
        if url is not None:
            part("workers.dialling").dial(self, url, protocols)

    @property
    def readyState(self) -> int:
        if not self._opened:
            return WebSocket.CONNECTING
        if self._has_closed and self._was_closed:
            return WebSocket.CLOSED
        return WebSocket.CLOSING if self._has_closed or self._was_closed else WebSocket.OPEN

    def accept(self, options: Any = None) -> None:
        """Begin to take messages here, in the worker."""
        if self._sink is not None:
            raise JsException("TypeError", "Cannot accept() a WebSocket that was already accepted or returned.")
        self._attach(self._happens)

    def send(self, message: Any) -> None:
        """Send text, or bytes."""
        self._refuse_unless_accepted()
        if self._has_closed:
            raise JsException("TypeError", "Can't call WebSocket send() after close().")
        self._pass(_content(message))

    def close(self, code: Any = None, reason: Any = None) -> None:
        """Send nothing more. Without a code the other end sees 1005."""
        self._refuse_unless_accepted()
        found = _checked(code, reason)
        if not self._has_closed:
            self._has_closed = True
            self._pass(found)

    def serializeAttachment(self, value: Any) -> None:
        """Keep a value with this connection."""
        self._attachment = value

    def deserializeAttachment(self) -> Any:
        """What was kept, or None."""
        return self._attachment

    def _refuse_unless_accepted(self) -> None:
        if self._sink is None:
            raise JsException(
                "TypeError",
                "You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.",
            )
        if not self._opened:
            raise JsException("InvalidStateError", "the web socket is still connecting; wait for its open event")

    def _pass(self, what: Content | Closing) -> None:
        if self._other is not None:
            self._other._arrive(what)

    def _arrive(self, what: Content | Closing) -> None:
        """Something from the other end."""
        if self._sink is None:
            self._early.append(what)
        else:
            self._sink(what)

    def _attach(self, sink: Sink) -> None:
        """Say who takes what arrives; what came before goes there first."""
        self._context = contextvars.copy_context()
        self._sink = sink
        early, self._early = self._early, []
        for what in early:
            sink(what)

    def _happens(self, what: Content | Closing) -> None:
        # Listeners are often added just after accept(), and run in the context of the handler that did.
        asyncio.get_running_loop().call_soon(self._tell, what, context=self._context.copy())

    def _tell(self, what: Content | Closing) -> None:
        if isinstance(what, tuple):
            code, reason, clean = what
            self._was_closed = True
            if code == BROKEN:
                text = reason or "WebSocket disconnected without sending Close frame."
                self.dispatchEvent(ErrorEvent.new("error", {"message": text, "error": JsException("Error", text)}))
            self.dispatchEvent(CloseEvent.new("close", {"code": code, "reason": reason, "wasClean": clean}))
        else:
            self.dispatchEvent(MessageEvent.new("message", {"data": self._data(what)}))

    def _data(self, content: Content) -> Any:
        if isinstance(content, str):
            return content
        return ArrayBuffer.new(content) if self.binaryType == "arraybuffer" else part("js.forms").Blob.new([content])


class WebSocketPair(JsProxy):
    """Two ends of one connection: return one as `web_socket` of a response, `accept()` the other."""

    def __init__(self) -> None:
        one, two = WebSocket.new(), WebSocket.new()
        one._other, two._other = two, one
        self._ends: tuple[Any, Any] = (one, two)

    def object_values(self) -> Any:
        return part("js.arrays").array(self._ends)

    def object_keys(self) -> Any:
        return part("js.arrays").array(["0", "1"])

    def object_entries(self) -> Any:
        arrays = part("js.arrays")
        return arrays.array(arrays.array([str(index), end]) for index, end in enumerate(self._ends))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._ends)

    def __getitem__(self, index: int) -> Any:
        return self._ends[index]

    def __getattr__(self, name: str) -> Any:
        if name in ("0", "1"):
            return self._ends[int(name)]
        raise AttributeError(name)


def _content(message: Any) -> Content:
    if isinstance(message, str):
        return message
    if isinstance(message, bytes | bytearray | memoryview):
        return bytes(message)
    if isinstance(message, Buffer):
        return message.to_bytes()
    raise TypeError(f"a web socket sends str or bytes, got {type(message).__name__}; json.dumps() makes text of it")


def _checked(code: Any, reason: Any) -> Closing:
    if code is None:
        if reason:
            raise JsException("TypeError", "If you specify a WebSocket close reason, you must also specify a code.")
        return NO_STATUS, "", True
    number, text = int(code), str(reason or "")
    if not 1000 <= number < 5000 or number in _NOT_TO_SEND:
        raise JsException("InvalidAccessError", f"Invalid WebSocket close code: {number}.")
    if len(text.encode()) > _LONGEST_REASON:
        raise JsException("SyntaxError", f"a close reason has at most {_LONGEST_REASON} bytes")
    return number, text, True
