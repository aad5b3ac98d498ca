"""Sends messages and takes them, with a retry."""

from typing import Any

from workers import Request, Response, WorkerEntrypoint

seen: list[Any] = []


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.method == "GET":
            return Response.json(seen)
        await self.env.ORDERS.send(await request.json())
        await self.env.ORDERS.sendBatch([{"body": "plain text", "contentType": "text"}, {"body": {"n": 2}}])
        return Response("queued", status=202)

    async def queue(self, batch: Any, env: Any, ctx: Any) -> None:
        for message in batch.messages:
            if message.attempts == 1 and message.body == "plain text":
                message.retry(delaySeconds=30)
                continue
            seen.append([batch.queue, message.body, message.attempts])
            message.ack()
