"""A third of the instances is in a step, a third asleep, a third waits for an event that never comes."""

import asyncio
import os
import time
from pathlib import Path

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

GO = Path(os.environ["KILL_LOG"]).with_name("go")


def note(*words):
    """One line, one write: it is there even when the process is killed right after it."""
    file = os.open(os.environ["KILL_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (" ".join(map(str, words)) + "\n").encode())
    os.close(file)


class Journey(WorkflowEntrypoint):
    async def run(self, event, step):
        self.id, self.step = event["instanceId"], step
        bell = event["payload"]["bell"]
        await self.leg("first")
        match event["payload"]["number"] % 3:
            case 0:
                await self.leg("middle", held=True)
            case 1:
                await self.nap(bell)
            case _:
                await self.wait(bell)
        await self.leg("last")
        note("end", self.id)

    async def leg(self, name, held=False):
        @self.step.do(name)
        async def body():
            note("exec", self.id, name)
            while held and not GO.exists():  # noqa: ASYNC110 - it is another process that says go
                await asyncio.sleep(0.05)

        await body()
        note("ack", self.id, name)

    async def nap(self, bell):
        try:
            await self.step.sleep_until("middle", bell)
        except Exception:
            note("late", self.id)

    async def wait(self, bell):
        try:
            await self.step.wait_for_event("middle", "never", timeout=max(1, int(bell - time.time() * 1000)))
        except Exception:
            note("silence", self.id)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        """`/BELL/FIRST/COUNT`: so many instances, called after their numbers; the bell rings at BELL, in ms."""
        bell, first, count = map(int, request.url.rsplit("/", 3)[1:])
        batch = [
            {"id": str(number), "params": {"number": number, "bell": bell}} for number in range(first, first + count)
        ]
        return Response.json({"made": len(await self.env.JOURNEY.create_batch(batch))})
