"""Talks to another worker over a web socket, hands a browser's one on, and talks to itself."""

import asyncio
from typing import Any

from js import WebSocketPair
from pyodide.ffi import create_proxy
from workers import Request, Response, WorkerEntrypoint

ASKING = {"Upgrade": "websocket"}


class Mirror(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        client, server = WebSocketPair.new().object_values()
        server.accept()
        server.addEventListener("message", create_proxy(lambda event: server.send(event.data[::-1])))
        return Response(None, status=101, web_socket=client)


async def talk(socket: Any, *said: Any, until: int) -> list[Any]:
    """Say something, and listen until so many things have happened."""
    heard: list[Any] = []
    enough = asyncio.Event()

    def hear(event: Any) -> None:
        is_message = event.type == "message"
        data = event.data if is_message else [event.code, event.reason, event.wasClean]
        heard.append(data if isinstance(data, str | list) else data.to_bytes().hex())
        if len(heard) == until:
            enough.set()

    socket.binaryType = "arraybuffer"
    socket.addEventListener("message", create_proxy(hear))
    socket.addEventListener("close", create_proxy(hear))
    socket.accept()
    for words in said:
        socket.send(words)
    await asyncio.wait_for(enough.wait(), 10)
    return heard


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        path = request.url.rpartition("/")[2]
        if request.headers.get("Upgrade") == "websocket":
            handed_on: Response = await self.env.ROOM.fetch(request)
            return handed_on
        if path in ("closed", "broken"):
            refused = await self.env.ROOM.fetch(f"http://room/{path}", headers=ASKING)
            return Response.json([refused.status, refused.web_socket, await refused.text()])
        if path == "self":
            mirror = (await self.env.SELF.fetch("http://self/", headers=ASKING)).web_socket
            return Response.json(await talk(mirror, "abc", until=1))
        answer = await self.env.ROOM.fetch("http://room/1", headers=ASKING)
        socket = answer.web_socket
        if path == "talk":
            return Response.json([answer.status, *await talk(socket, "hello", b"\x01\x02", until=3)])
        if path == "they-close":
            return Response.json((await talk(socket, "bye", until=2))[1:])
        if path == "die":
            return Response.json((await talk(socket, "die", until=2))[1:])
        if path == "long":
            big = await talk(socket, "x" * 3_000_000, until=2)
            return Response.json([len(text) for text in big[1:]])
        if path == "leave":
            await talk(socket, until=1)
            return Response("left without a word")
        heard = asyncio.ensure_future(talk(socket, until=2))
        await asyncio.sleep(0)
        socket.close(4001, "enough")
        return Response.json((await heard)[1:])
