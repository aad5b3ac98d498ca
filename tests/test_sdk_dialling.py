"""Web sockets from a worker to another server: `WebSocket.new(url)`, and `fetch()` with an Upgrade header."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.server import serve

from emulator.sdk.js import WebSocket
from emulator.sdk.workers import fetch

pytestmark = pytest.mark.slow


async def talk(connection: Any) -> None:
    await connection.send("welcome")
    async for message in connection:
        if message == "bye":
            await connection.close(4001, "so long")
        elif message == "drop":
            connection.transport.abort()
        else:
            await connection.ping()
            await connection.send([message[:1], message[1:]])


@pytest.fixture
async def url():
    async with serve(talk, "127.0.0.1", 0, select_subprotocol=lambda _, asked: "chat" if asked else None) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


class Ears:
    """Keeps what a socket says."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        for kind in ("open", "message", "close", "error"):
            socket.addEventListener(kind, self.heard.put_nowait)

    async def next(self) -> Any:
        async with asyncio.timeout(5):
            return await self.heard.get()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("text ☃", id="text"),
        pytest.param(b"\x00\x01", id="bytes"),
        pytest.param(b"x" * 70_000, id="a long message"),
        pytest.param("y" * 200, id="a medium one"),
    ],
)
async def test_a_conversation(url, content):
    """
    It opens, what is sent comes back whole though it was cut into pieces, and a close has its code and reason.
    """
    ears = Ears(WebSocket.new(url, ["chat"]))
    ears.socket.binaryType = "arraybuffer"

    assert 0 == ears.socket.readyState
    assert ["open", "message"] == [(await ears.next()).type for _ in range(2)]
    assert ("chat", 1) == (ears.socket.protocol, ears.socket.readyState)

    ears.socket.send(content)
    data = (await ears.next()).data

    assert content == (data if isinstance(data, str) else data.to_bytes())

    ears.socket.send("bye")
    closed = await ears.next()

    assert (4001, "so long", True, 3) == (closed.code, closed.reason, closed.wasClean, ears.socket.readyState)


async def test_a_lost_connection(url):
    """
    Without a close frame there is an error first, and the code 1006.
    """
    ears = Ears(WebSocket.new(url))
    await ears.next()
    await ears.next()
    ears.socket.send("drop")

    assert ["error", "close"] == [(await ears.next()).type for _ in range(2)]


async def test_nobody_there():
    """
    What cannot be connected is an error and a close.
    """
    ears = Ears(WebSocket.new("ws://127.0.0.1:1/"))

    assert ["error", "close"] == [(await ears.next()).type for _ in range(2)]


async def test_fetch_with_an_upgrade(url):
    """
    The response's web socket is accepted by the worker, and then has what came meanwhile.
    """
    response = await fetch(url.replace("ws:", "http:"), headers={"Upgrade": "websocket"})
    socket = response.web_socket
    ears = Ears(socket)
    await asyncio.sleep(0.01)
    socket.accept()

    assert (101, "welcome") == (response.status, (await ears.next()).data)

    socket.close(1000, "done")

    assert 1000 == (await ears.next()).code
