"""A web socket that answers in capitals, and says good-bye."""

from typing import Any

from js import WebSocketPair
from pyodide.ffi import create_proxy
from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.headers.get("Upgrade") != "websocket":
            return Response("Expected Upgrade: websocket", status=426)
        client, server = WebSocketPair.new().object_values()
        server.accept()

        async def on_message(event: Any) -> None:
            if event.data == "quit":
                server.close(1000, "bye")
            else:
                server.send(event.data.upper())

        server.addEventListener("message", create_proxy(on_message))
        return Response(None, status=101, web_socket=client)
