"""Makes instances that take a step, sleep until one and the same moment and take another."""

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


class Sleeper(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do()
        async def lie_down():
            return event["payload"]["number"]

        @step.do()
        async def get_up(lie_down):
            return lie_down

        await lie_down()
        await step.sleep_until("the bell", event["payload"]["bell"])
        return await get_up()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        """`/BELL/FIRST/COUNT`: so many instances, called after their numbers; the bell rings at BELL, in ms."""
        bell, first, count = map(int, request.url.rsplit("/", 3)[1:])
        numbers = range(first, first + count)
        batch = [{"id": str(number), "params": {"number": number, "bell": bell}} for number in numbers]
        return Response.json({"made": len(await self.env.SLEEPER.create_batch(batch))})
