"""Makes instances of three steps, each with a result of some size, that are over as soon as they can be."""

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do()
        async def reserve():
            return {"number": event["payload"]["number"], "note": "x" * 200}

        @step.do()
        async def charge(reserve):
            return {**reserve, "paid": True}

        @step.do()
        async def ship(charge):
            return {**charge, "shipped": True}

        await reserve()
        await charge()
        return await ship()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        """`/FIRST/COUNT`: so many instances, called after their numbers."""
        first, count = map(int, request.url.rsplit("/", 2)[1:])
        batch = [{"id": str(number), "params": {"number": number}} for number in range(first, first + count)]
        return Response.json({"made": len(await self.env.ORDER.create_batch(batch))})
