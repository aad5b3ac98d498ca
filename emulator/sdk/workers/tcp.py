"""`connect()` of `cloudflare:sockets`: a connection to a TCP server, as a pair of streams."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

from .body import to_bytes
from .later import part
from .proxy import JsException, JsProxy, options_of
from .rpc import JsDict

_PIECE = 1 << 16
_TRANSPORTS = ("off", "on", "starttls")

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def connect(address: Any, options: Any = None, /, **more: Any) -> Any:
    """
    Connect to "host:port" or {hostname, port}; options `secureTransport` ("off", "on", "starttls"), `allowHalfOpen`.

    Follows developers.cloudflare.com/workers/runtime-apis/tcp-sockets. Raises JsException for what is no address; that
    nobody answers there is for `opened` and the streams to say.
    """
    host, port = _host_and_port(address)
    given = {**options_of(options), **more}
    transport = given.get("secureTransport", "off")
    if transport not in _TRANSPORTS:
        raise JsException("TypeError", f"secureTransport is one of {', '.join(_TRANSPORTS)}; got {transport!r}")
    dialled = asyncio.ensure_future(asyncio.open_connection(host, port, ssl=_tls() if transport == "on" else None))
    return Socket.new(dialled, host, transport, bool(given.get("allowHalfOpen", False)))


class Socket(JsProxy):
    """A connection: `readable`, `writable`, `opened`, `closed`, `close()`, `startTls()`."""

    def __init__(self, dialled: asyncio.Future[Streams], host: str, transport: str, half_open: bool) -> None:
        self._dialled = dialled
        self._host = host
        self._half_open = half_open
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.secureTransport = transport
        self.upgraded = False
        self.readable = part("workers.streams").ReadableStream.new(self._pieces())
        self.writable = part("js.pipes").WritableStream.new(_Sink(self))
        self._opening = asyncio.ensure_future(self._open())
        # Whoever does not ask whether it is open learns of it from the streams.
        self._opening.add_done_callback(lambda opening: opening.cancelled() or opening.exception())

    @property
    def opened(self) -> Any:
        """Resolves to {remoteAddress, localAddress}, or fails."""
        return part("js.promise").Promise.resolve(asyncio.shield(self._opening))

    @property
    def closed(self) -> Any:
        """Resolves when the connection has ended."""
        return part("js.promise").Promise.resolve(asyncio.shield(self._ended))

    def close(self) -> Any:
        """End the connection."""
        return part("js.promise").Promise.resolve(self._close())

    def startTls(self, options: Any = None) -> Any:
        """The same connection, encrypted from here on; this socket is closed then."""
        if self.secureTransport != "starttls":
            raise JsException(
                "TypeError", 'The `secureTransport` socket option must be set to "starttls" for startTls().'
            )
        if self.upgraded:
            raise JsException("TypeError", "startTls() has been called already")
        self.upgraded = True
        self._finish()
        return Socket.new(asyncio.ensure_future(self._encrypt()), self._host, "on", self._half_open)

    async def _open(self) -> Any:
        try:
            _, writer = await self._dialled
        except OSError as error:
            self._finish()
            raise JsException("Error", f"proxy request failed, cannot connect to {self._host}: {error}") from error
        places = [writer.get_extra_info(name) for name in ("peername", "sockname")]
        remote, local = (f"{place[0]}:{place[1]}" for place in places)
        return JsDict({"remoteAddress": remote, "localAddress": local})

    async def _encrypt(self) -> Streams:
        reader, writer = await self._dialled
        await writer.start_tls(_tls(), server_hostname=self._host)
        return reader, writer

    async def _pieces(self) -> AsyncIterator[bytes]:
        await self._opening
        reader, writer = await self._dialled
        try:
            while not self.upgraded and (piece := await reader.read(_PIECE)):
                yield piece
        finally:
            if not self._half_open and not self.upgraded:
                writer.close()
                self._finish()

    async def _write(self, piece: Any) -> None:
        await self._opening
        _, writer = await self._dialled
        writer.write(piece.encode() if isinstance(piece, str) else to_bytes(piece))
        await writer.drain()

    async def _end_writing(self) -> None:
        await self._opening
        _, writer = await self._dialled
        if writer.can_write_eof():
            writer.write_eof()

    async def _close(self) -> None:
        writer = self._writer()
        self._finish()
        if writer is None:
            self._dialled.cancel()
            await asyncio.wait([self._dialled])
            return
        writer.close()
        # An end that the other side made is an end too.
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def _writer(self) -> asyncio.StreamWriter | None:
        """None when there is no connection, or not yet."""
        is_there = self._dialled.done() and not self._dialled.cancelled() and self._dialled.exception() is None
        return self._dialled.result()[1] if is_there else None

    def __del__(self) -> None:
        # Nobody holds it any more, and nobody has closed it.
        writer = None if self.upgraded else self._writer()
        if writer is not None and not self._dialled.get_loop().is_closed():
            writer.close()

    def _finish(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


class _Sink:
    """What is written goes out."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def write(self, piece: Any) -> None:
        await self._socket._write(piece)

    async def close(self) -> None:
        await self._socket._end_writing()

    async def abort(self, reason: Any) -> None:
        await self._socket._close()


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _host_and_port(address: Any) -> tuple[str, int]:
    if isinstance(address, str):
        host, _, port = address.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
    else:
        given = options_of(address)
        host, port = str(given.get("hostname", "")), str(given.get("port", ""))
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise JsException("TypeError", f'The specified address could not be parsed: write "host:port"; got {address!r}')
    return host, int(port)
