"""A chat room for other workers: echoes, in capitals."""

from typing import Any

from js import WebSocketPair
from pyodide.ffi import create_proxy
from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.headers.get("Upgrade") != "websocket":
            return Response("only web sockets here", status=426)
        if request.url.endswith("/closed"):
            return Response("the room is closed", status=403)
        if request.url.endswith("/broken"):
            raise LookupError("no such room")
        client, server = WebSocketPair.new().object_values()
        server.binaryType = "arraybuffer"
        server.accept()
        server.send(f"welcome to {request.url}")

        def on_message(event: Any) -> None:
            if event.data == "bye":
                server.close(4000, "as you wish")
            elif event.data == "die":
                __import__("os")._exit(3)
            else:
                server.send(event.data.upper() if isinstance(event.data, str) else event.data.to_bytes()[::-1])

        def on_close(event: Any) -> None:
            print(f"room closed {event.code} {event.reason}")

        server.addEventListener("message", create_proxy(on_message))
        server.addEventListener("close", create_proxy(on_close))
        return Response(None, status=101, web_socket=client, headers={"sec-websocket-protocol": "chat"})
