"""A worker as a user would write it; it is checked strictly, never run."""

from datetime import datetime
from typing import Any

from workers import Blob, DurableObject, FormData, Request, Response, WorkerEntrypoint, WorkflowEntrypoint, env, fetch
from workers.workflows import NonRetryableError, WorkflowEvent, WorkflowStep


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.method == "POST":
            return await self.save(request)
        if request.headers.get("accept") == "text/plain":
            return Response(await request.text(), status=201, headers={"x-kind": "text"})
        answer = await fetch("https://example.com/", headers={"accept": "text/html"})
        answer.raise_for_status()
        return Response.json({"status": answer.status, "body": await answer.json()})

    async def save(self, request: Request) -> Response:
        form: FormData = await request.form_data()
        photo = form["photo"]
        if not isinstance(photo, Blob):
            return Response("no photo", 400)
        self.ctx.waitUntil(self.env.QUEUE.send({"size": photo.size}))
        return Response.redirect("https://example.com/done", 303)

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:
        await self.env.FLOW.create(params={"cron": controller.cron})

    async def queue(self, batch: Any, env: Any, ctx: Any) -> None:
        for message in batch.messages:
            message.ack()


class Order(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep) -> dict[str, int]:
        @step.do(config={"retries": {"limit": 3, "delay": "1 second", "backoff": "linear"}, "timeout": "1 minute"})
        async def price(ctx: Any) -> int:
            if event.payload["sku"] is None:
                raise NonRetryableError("no sku")
            return 3

        @step.do("pay", concurrent=True)
        def pay(price: int) -> str:
            return f"paid {price}"

        cost: int = await price()
        receipt: str = await pay()
        await step.sleep("a while", "10 seconds")
        await step.sleep_until("new year", datetime.fromisoformat("2030-01-01T00:00:00+00:00"))
        sent = await step.wait_for_event("parcel", "sent", timeout="1 hour")
        return {"cost": cost, "length": len(receipt), "weight": sent.payload.weight}


class Counter(DurableObject):
    async def increment(self) -> int:
        count: int = (await self.ctx.storage.get("count") or 0) + 1
        await self.ctx.storage.put("count", count)
        return count


GREETING: str = env.GREETING
