"""A room to talk in: what one says all others hear, until it is closed."""

from typing import Any

from js import JSON, Object, WebSocketPair
from pyodide.ffi import create_proxy, to_js
from workers import Request, Response, WorkerEntrypoint

room: dict[str, Any] = {}


def tell(name: str, text: str) -> None:
    said = JSON.stringify(to_js({"from": name, "text": text}, dict_converter=Object.fromEntries))
    for other, socket in list(room.items()):
        if other != name:
            socket.send(said)


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        name = request.url.rpartition("/")[2]
        if request.headers.get("Upgrade") != "websocket":
            return Response.json(sorted(room))
        client, server = WebSocketPair.new().object_values()
        server.accept()
        server.addEventListener("message", create_proxy(lambda event: tell(name, event.data)))
        server.addEventListener("close", create_proxy(lambda event: self.leave(name)))
        tell(name, "is here")
        room[name] = server
        return Response(None, status=101, web_socket=client)

    def leave(self, name: str) -> None:
        room.pop(name, None)
        tell(name, "has left")
