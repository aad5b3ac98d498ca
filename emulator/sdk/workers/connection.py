"""One HTTP/1.1 exchange over asyncio streams: no http.client, which is slow to import and would need a thread."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult

from .body import Content
from .headers import Pairs, find
from .urls import PORTS

_HEAD_LIMIT = 1 << 18
_PIECE = 1 << 16


@dataclass(frozen=True)
class Answer:
    """The head of a response, and the pieces of its body, decoded."""

    status: int
    reason: str
    pairs: Pairs
    content: AsyncIterator[bytes]


class Pieces:
    """A body that arrives. The connection is closed at its end, or when nobody holds it any more."""

    def __init__(self, source: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
        self._source = source
        self._writer = writer

    def __aiter__(self) -> Pieces:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._source)
        except (EOFError, zlib.error, ValueError) as error:
            self._writer.close()
            raise OSError(f"the response's body broke off: {error}") from error
        except BaseException:
            # The end of the body as well: it is a StopAsyncIteration.
            self._writer.close()
            raise

    async def aclose(self) -> None:
        self._writer.close()

    def __del__(self) -> None:
        if not self._writer.is_closing():
            self._writer.close()


async def exchange(url: SplitResult, method: str, pairs: Pairs, content: Content) -> Answer:
    """Send a request and read the head of the answer. Raises OSError; when cancelled the connection is closed."""
    secure = ssl.create_default_context() if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(
        url.hostname, url.port or PORTS[url.scheme], ssl=secure, limit=_HEAD_LIMIT
    )
    try:
        await _send(writer, url, method, pairs, content)
        status, reason, received = await _read_head(reader)
        source = _decoded(_body(reader, method, status, received), received)
    except asyncio.LimitOverrunError as error:
        writer.close()
        raise OSError("the response's headers are too large") from error
    except (EOFError, ValueError) as error:
        writer.close()
        raise OSError(f"no HTTP response: {error}") from error
    except BaseException:
        writer.close()
        raise
    return Answer(status, reason, _visible(received), Pieces(source, writer))


async def _send(writer: asyncio.StreamWriter, url: SplitResult, method: str, pairs: Pairs, content: Content) -> None:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    host = url.netloc.rpartition("@")[2]
    own = [("host", host), ("connection", "close")]
    names = {name for name, _ in pairs}
    own += [("accept", "*/*")] if "accept" not in names else []
    own += [("accept-encoding", "gzip, deflate")] if "accept-encoding" not in names else []
    own += _framing(method, content)
    kept = [pair for pair in pairs if pair[0] not in ("host", "connection", "content-length", "transfer-encoding")]
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in own + kept)]
    writer.write("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n")
    if isinstance(content, bytes):
        writer.write(content)
    elif content is not None:
        async for piece in content:
            if piece:
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
        writer.write(b"0\r\n\r\n")
    await writer.drain()


def _framing(method: str, content: Content) -> Pairs:
    if content is None:
        return [("content-length", "0")] if method in ("POST", "PUT", "PATCH") else []
    return [("content-length", str(len(content)))] if isinstance(content, bytes) else [("transfer-encoding", "chunked")]


async def _read_head(reader: asyncio.StreamReader, first: int = 200) -> tuple[int, str, Pairs]:
    """The head of an answer; those with a status below `first` only come ahead of it."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head[:-4].split("\r\n")
        version, status, *reason = line.split(" ", 2)
        if not version.startswith("HTTP/1"):
            raise ValueError(line[:80])
        if int(status) >= first:
            fields = [line.partition(":") for line in lines]
            return int(status), "".join(reason), [(name.lower(), value.strip()) for name, _, value in fields]


async def _body(reader: asyncio.StreamReader, method: str, status: int, pairs: Pairs) -> AsyncIterator[bytes]:
    length = find(pairs, "content-length")
    if method == "HEAD" or status in (204, 304):
        return
    if "chunked" in (find(pairs, "transfer-encoding") or "").lower():
        async for piece in _chunks(reader):
            yield piece
    elif length is not None:
        left = int(length)
        while left:
            piece = await reader.read(min(left, _PIECE))
            if not piece:
                raise EOFError(f"{left} bytes are missing")
            left -= len(piece)
            yield piece
    else:
        while piece := await reader.read(_PIECE):
            yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        left = size
        while left:
            piece = await reader.readexactly(min(left, _PIECE))
            left -= len(piece)
            yield piece
        await reader.readexactly(2)


async def _decoded(source: AsyncIterator[bytes], pairs: Pairs) -> AsyncIterator[bytes]:
    if find(pairs, "content-encoding") not in ("gzip", "deflate"):
        async for piece in source:
            yield piece
        return
    decoder: Any = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    async for piece in source:
        plain = decoder.decompress(piece)
        if plain:
            yield plain
    if rest := decoder.flush():
        yield rest


def _visible(pairs: Pairs) -> Pairs:
    """Without what was true of this connection only."""
    hidden = {"connection", "keep-alive", "transfer-encoding"}
    if find(pairs, "content-encoding") in ("gzip", "deflate"):
        hidden |= {"content-encoding", "content-length"}
    return [pair for pair in pairs if pair[0] not in hidden]
