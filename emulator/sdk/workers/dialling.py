"""`WebSocket.new(url)`, and `fetch()` with an Upgrade header: the client's side of a web socket, by RFC 6455."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import struct
from typing import Any

from . import current
from .connection import _read_head
from .errors import AbortError
from .events import Event
from .headers import Pairs, find
from .proxy import JsException
from .response import Response, from_network
from .sockets import BROKEN, NO_STATUS, Closing, Content, WebSocket
from .urls import PORTS, parse

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_LARGEST = 32 << 20


def dial(socket: Any, url: Any, protocols: Any) -> None:
    """Connect a web socket that has just been made; `open` or `error` says how that went."""
    found = parse(str(url))
    if found.scheme not in ("ws", "wss", "http", "https"):
        raise JsException("SyntaxError", f"a web socket's URL begins with ws: or wss:, got {url}")
    socket.url = found.geturl()
    socket._opened = False
    socket._attach(socket._happens)
    asked = [protocols] if isinstance(protocols, str) else list(protocols or [])
    pairs = [("sec-websocket-protocol", ", ".join(asked))] if asked else []
    current.keep(_open(socket, found, pairs))


async def upgrade(url: str, pairs: Pairs) -> Response:
    """The answer to a request for a web socket; with 101 its `web_socket` is the browser's end of it."""
    status, reason, received, remote = await _handshake(parse(url), pairs)
    response = from_network(status, reason, received, None, url, False)
    if remote is not None:
        socket = WebSocket.new()
        socket._other = remote
        response.web_socket = socket
        current.keep(remote.read(socket))
    return response


async def _open(socket: Any, url: Any, pairs: Pairs) -> None:
    try:
        status, _, received, remote = await _handshake(url, pairs)
        if remote is None:
            raise OSError(f"the server answered {status}, not 101")
    except OSError as error:
        socket._opened, socket._has_closed = True, True
        socket._happens((BROKEN, f"WebSocket connection failed: {error}", False))
        return
    socket._other, socket._opened = remote, True
    socket.protocol = find(received, "sec-websocket-protocol") or ""
    socket.dispatchEvent(Event.new("open"))
    await remote.read(socket)


async def _handshake(url: Any, pairs: Pairs) -> tuple[int, str, Pairs, Remote | None]:
    is_secure = url.scheme in ("wss", "https")
    context = ssl.create_default_context() if is_secure else None
    try:
        reader, writer = await asyncio.open_connection(url.hostname, url.port or PORTS[url.scheme], ssl=context)
    except OSError as error:
        raise AbortError(f"fetch {url.geturl()}: {error}") from error
    own = [
        ("host", url.netloc.rpartition("@")[2]),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", base64.b64encode(os.urandom(16)).decode()),
    ]
    names = {name for name, _ in own}
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"GET {target} HTTP/1.1", *(f"{n}: {v}" for n, v in [*own, *(p for p in pairs if p[0] not in names)])]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    status, reason, received = await _head(reader)
    if status != 101:
        writer.close()
        return status, reason, received, None
    return status, reason, received, Remote(reader, writer)


async def _head(reader: asyncio.StreamReader) -> tuple[int, str, Pairs]:
    try:
        return await _read_head(reader, first=101)
    except (EOFError, ValueError) as error:
        raise OSError(f"no HTTP response: {error}") from error


class Remote:
    """The server at the other end of the connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def _arrive(self, what: Content | Closing) -> None:
        """What the worker sends."""
        if isinstance(what, tuple):
            code, reason, _ = what
            self._send(_CLOSE, b"" if code == NO_STATUS else struct.pack("!H", code) + reason.encode())
        elif isinstance(what, str):
            self._send(_TEXT, what.encode("utf-8", "replace"))
        else:
            self._send(_BINARY, what)

    async def read(self, socket: Any) -> None:
        """Hand on what the server sends, until the end."""
        ending: Closing = (BROKEN, "", False)
        try:
            while True:
                kind, content = await self._message()
                if kind == _CLOSE:
                    ending = _closing(content)
                    self._send(_CLOSE, content)
                    break
                socket._arrive(content.decode("utf-8", "replace") if kind == _TEXT else content)
        except (EOFError, OSError):
            pass
        finally:
            self._writer.close()
        socket._has_closed = True
        socket._arrive(ending)

    async def _message(self) -> tuple[int, bytes]:
        kind, pieces = 0, []
        while True:
            last, code, content = await self._frame()
            if code == _PING:
                self._send(_PONG, content)
            elif code == _CLOSE:
                return _CLOSE, content
            elif code != _PONG:
                kind = code or kind
                pieces.append(content)
                if last:
                    return kind, b"".join(pieces)

    async def _frame(self) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
        if size > _LARGEST:
            raise OSError(f"a web socket message of {size} bytes")
        return bool(first & 0x80), first & 0x0F, await self._reader.readexactly(size)

    def _send(self, kind: int, content: bytes) -> None:
        if self._writer.is_closing():
            return
        size = len(content)
        if size < 126:
            head = struct.pack("!BB", 0x80 | kind, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x80 | kind, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x80 | kind, 0x80 | 127, size)
        mask = os.urandom(4)
        self._writer.write(head + mask + _masked(content, mask))


def _masked(content: bytes, mask: bytes) -> bytes:
    size = len(content)
    stretched = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(content, "big") ^ int.from_bytes(stretched, "big")).to_bytes(size, "big")


def _closing(content: bytes) -> Closing:
    if len(content) < 2:
        return NO_STATUS, "", True
    return int.from_bytes(content[:2], "big"), content[2:].decode("utf-8", "replace"), True
