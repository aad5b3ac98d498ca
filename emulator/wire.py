"""
The frames the two processes speak: one table of messages, a JSON head and raw bytes. Standard library only.

A frame on the wire is `head length, body length` (two 32-bit big-endian numbers), the head as JSON
`[kind, id, fields]`, then the body. The id names a conversation: one fetch, one tick, one batch, one workflow run, or
one call of the worker.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, cast

# Kind → its fields: what it is for. "…" are fields that depend on what is asked.
TO_WORKER = {
    "load": (
        "name, number, main, module_root, project, date, flags, bindings, config: import the worker; answer `ready` or"
        " `failed`"
    ),
    "warm": "modules: import these third-party modules ahead of time",
    "fetch": (
        "method, url, headers, has_body, cf, entrypoint, props: a request of a browser or of another worker;"
        " `body` frames follow when has_body"
    ),
    "upgrade": "as fetch, from a browser or a worker that asks for a web socket",
    "socket": "event, code, reason: what came over the web socket from the other side; the body is a message's content",
    "rpc": (
        "entrypoint, props, method: call a method of a class; or stub, path: of an object that was lent. The body is"
        " the arguments' value, null to get what stands there"
    ),
    "drop": "nobody holds the object of this id, which was lent to another worker, any more",
    "body": "more: a piece of the request's body",
    "scheduled": "cron, time: a cron's tick, milliseconds",
    "email": "from, to, headers, time: an e-mail; the body is all of it",
    "tail": "what happened in other workers; the body is the value of a list of traces",
    "queue": (
        "queue, messages, metrics: a batch, each message by its id, time and attempt; the body is a JSON list of values"
    ),
    "run": (
        "class_name, ending, grant: run an instance, and undo its steps when its ending is known; the body is the"
        " event's value"
    ),
    "expire": "key: an attempt of a step has had its time",
    "cancel": "leave this conversation; nobody waits for it any more",
    "credit": "bytes: so much of the response's body has been passed on; send more",
    "answer": (
        "error, more, …: the end of a call; the body is its value, or the beginning of it when `piece` frames follow"
    ),
    "piece": (
        "more, error: a piece of the body of another worker's response, which a call asked for; or event, code, reason:"
        " what that worker sends over its web socket"
    ),
    "ping": "turns: are you there? Answer after so many turns of the loop",
    "stop": "finish nothing more and exit",
}
TO_EMULATOR = {
    "ready": "handlers, workflows, entrypoints, files, packages, native, warnings, python: the worker is loaded",
    "failed": "error, files: the worker could not be loaded, as far as these files",
    "head": "status, headers, more, done, socket: the response's head, with the whole body when there is no more",
    "body": "more: a piece of the response's body",
    "socket": "event, code, reason: what the worker sends over a web socket; the body is a message's content",
    "result": "lent: what a method returned; the body is its value, the objects in it have these addresses",
    "credit": "bytes: so much of the request's body has been read; send more",
    "done": (
        "outcome, error, result, cancelled: the conversation is over, waitUntil included; the result is a tick's, a"
        " batch's or an e-mail's, the body is the value `run` returned"
    ),
    "call": (
        "by, target, method, lent, …: use a binding or take a step; answered by `answer`; the body is the arguments'"
        " value"
    ),
    "taken": "bytes: so much of a called worker's response has been read; send more",
    "leave": "nobody waits for the rest of this call any more",
    "release": "stub: this worker holds an object of another worker no more",
    "say": "event, code, reason: what goes over the web socket that this call asked for; the body is its content",
    "print": "by, stream: text the user's code printed or logged",
    "pong": "debugger: here I am, and whether a debugger has stopped one of my threads",
    "hold": "on: a debugger holds the process, or lets go of it",
}

_LENGTHS = struct.Struct("!II")
_LARGEST_HEAD = 32 << 20
_LARGEST_BODY = 1 << 30
# So many parts leave without waiting for the end of the turn: the other side may begin with them.
_MOST_UNSENT = 32
_decode = json.loads
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


class WireError(Exception):
    """The other side sent what is no frame."""


class Frame(NamedTuple):
    """One message: its kind (a key of the tables above), the conversation it belongs to, its fields, its raw bytes."""

    kind: str
    id: int
    head: dict[str, Any]
    body: bytes = b""


def pack(frame: Frame) -> bytes:
    """The bytes of a frame."""
    return b"".join(_parts(frame))


def _parts(frame: Frame) -> tuple[bytes, bytes]:
    kind, number, head, body = frame
    text = _encode((kind, number, head)).encode("utf-8", "surrogatepass")
    return _LENGTHS.pack(len(text), len(body)) + text, body


class Unpacker:
    """Bytes in as they come, whole frames out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """The frames that are complete now. Raises WireError for what can be no frame."""
        buffer = self._buffer
        buffer += piece
        start = 0
        try:
            while len(buffer) - start >= _LENGTHS.size:
                head_length, body_length = _LENGTHS.unpack_from(buffer, start)
                if head_length > _LARGEST_HEAD or body_length > _LARGEST_BODY:
                    raise WireError(f"a frame of {head_length} + {body_length} bytes")
                middle = start + _LENGTHS.size + head_length
                end = middle + body_length
                if len(buffer) < end:
                    return
                head = buffer[start + _LENGTHS.size : middle]
                # Through a view: a slice of a bytearray would be a copy of its own.
                body = bytes(memoryview(buffer)[middle:end])
                start = end
                yield _frame(head, body)
        finally:
            del buffer[:start]


def _frame(head: bytearray, body: bytes) -> Frame:
    try:
        kind, number, fields = _decode(head.decode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise WireError(f"a head that is no JSON list of three: {bytes(head[:80])!r}") from error
    if not (isinstance(kind, str) and isinstance(number, int) and isinstance(fields, dict)):
        raise WireError(f"a head of the wrong shape: {bytes(head[:80])!r}")
    if kind not in TO_WORKER and kind not in TO_EMULATOR:
        raise WireError(f'a frame of unknown kind "{kind}"')
    return Frame(kind, number, fields, body)


class Channel(Protocol):
    """Frames in both directions. `on_frame` and `on_close` are set by the owner before anything arrives."""

    on_frame: Callable[[Frame], None]
    on_close: Callable[[], None]

    def send(self, kind: str, id: int = 0, head: dict[str, Any] | None = None, body: bytes = b"") -> None: ...

    def flush(self) -> None:
        """Let everything sent so far leave now: the process is about to stand still."""

    def close(self) -> None: ...


def _ignore_frame(frame: Frame) -> None: ...


def _ignore_close() -> None: ...


class SocketChannel(asyncio.Protocol):
    """A channel over a connected socket. All frames of one turn of the loop leave in one write."""

    def __init__(self) -> None:
        self.on_frame: Callable[[Frame], None] = _ignore_frame
        self.on_close: Callable[[], None] = _ignore_close
        self._loop = asyncio.get_running_loop()
        self._unpacker = Unpacker()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance check: uvloop's transports do not derive from asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._unpacker.feed(data):
                self.on_frame(frame)
        except WireError:
            self.close()
            raise

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.on_close()

    def send(self, kind: str, id: int = 0, head: dict[str, Any] | None = None, body: bytes = b"") -> None:
        if not self._unsent:
            self._loop.call_soon(self.flush)
        self._unsent += _parts(Frame(kind, id, head or {}, body))
        if len(self._unsent) >= _MOST_UNSENT:
            self.flush()

    def flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and self._transport is not None:
            self._transport.write(b"".join(unsent))

    def close(self) -> None:
        if self._transport is not None:
            self.flush()
            self._transport.close()


class MemoryChannel:
    """One end of a channel inside one process; what is sent is packed and unpacked as on a socket."""

    def __init__(self) -> None:
        self.on_frame: Callable[[Frame], None] = _ignore_frame
        self.on_close: Callable[[], None] = _ignore_close
        self.other: MemoryChannel | None = None
        self._loop = asyncio.get_running_loop()
        self._unpacker = Unpacker()

    def send(self, kind: str, id: int = 0, head: dict[str, Any] | None = None, body: bytes = b"") -> None:
        if self.other is not None:
            self._loop.call_soon(self.other._receive, pack(Frame(kind, id, head or {}, body)))

    def flush(self) -> None:
        """Nothing is held back."""

    def _receive(self, piece: bytes) -> None:
        for frame in self._unpacker.feed(piece):
            self.on_frame(frame)

    def close(self) -> None:
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            self._loop.call_soon(other.on_close)
            self._loop.call_soon(self.on_close)


def memory_channels() -> tuple[MemoryChannel, MemoryChannel]:
    """Two ends of one channel."""
    one, two = MemoryChannel(), MemoryChannel()
    one.other, two.other = two, one
    return one, two
