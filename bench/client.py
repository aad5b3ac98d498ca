"""A raw HTTP client: keep-alive sockets and a parser, so little that the server is what is measured."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httptools


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    def json(self) -> Any:
        if self.status != 200:
            raise RuntimeError(f"expected a 200 with JSON, got {self.status}: {self.body[:300]!r}")
        return json.loads(self.body)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes, content_type: str) -> bytes:
    sizes = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}"
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{sizes}\r\n\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One socket that asks one thing after another."""

    def __init__(self) -> None:
        self.is_open = False
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._answer: asyncio.Future[Answer] | None = None
        self._transport: Any = None

    async def ask(self, request: bytes) -> Answer:
        """Send, and wait for the whole answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self._transport.close()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self.is_open = transport, True

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server closed the connection before it answered"))

    # What the parser calls

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        answer = Answer(self._parser.get_status_code(), b"".join(self._pieces))
        self._pieces.clear()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


class Client:
    """The connections to one server: opened when they are needed, used again as long as they are open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Connection] = []

    async def ask(self, request: bytes) -> Answer:
        connection = await self._connection()
        answer = await connection.ask(request)
        self._idle.append(connection)
        return answer

    async def json(self, path: str) -> Any:
        return (await self.ask(get(path))).json()

    async def each(self, paths: Iterable[str], *, connections: int) -> list[Any]:
        """Ask for all, so many at a time; the answers' JSON, in the order they came."""
        left, answers = iter(paths), []

        async def ask_on() -> None:
            for path in left:
                answers.append(await self.json(path))

        await asyncio.gather(*(ask_on() for _ in range(connections)))
        return answers

    async def rate(self, request: bytes, *, connections: int, seconds: float) -> float:
        """Answers a second while so many connections ask again as soon as they are answered."""
        opened = [await self._connection() for _ in range(connections)]
        await asyncio.gather(*(each.ask(request) for each in opened))
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def ask_on(connection: Connection) -> int:
            count = 0
            while loop.time() < began + seconds:
                answer = await connection.ask(request)
                if answer.status != 200:
                    raise RuntimeError(f"expected a 200, got {answer.status}: {answer.body[:300]!r}")
                count += 1
            return count

        counts = await asyncio.gather(*map(ask_on, opened))
        self._idle += opened
        return sum(counts) / (loop.time() - began)

    def close(self) -> None:
        for connection in self._idle:
            connection.close()

    async def _connection(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, "127.0.0.1", self._port)
        return connection
