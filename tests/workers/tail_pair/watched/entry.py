"""Prints, and fails on request: somebody else is told of it."""

from typing import Any

from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        print("asked for", request.url)
        if request.url.endswith("/fail"):
            raise LookupError("nothing there")
        return Response("fine", status=202)

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:
        print("tick")
