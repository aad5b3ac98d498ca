"""The smallest worker."""

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self) -> Response:
        return Response("Hello world!")
