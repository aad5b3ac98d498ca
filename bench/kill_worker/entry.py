"""Leaves a line for each step that begins and each result that was handed over, for a checker outside to read."""

import asyncio
import json
import os

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

# Legs one after another, and legs side by side.
STRETCHES = [*((number,) for number in range(12)), (12, 13), (14, 15), (16, 17, 18), (19,)]
TRIES = {"retries": {"limit": 20, "delay": 5, "backoff": "constant"}}


def note(kind, instance, step, attempt=0):
    """One line, one write: it is there even when the process is killed right after it."""
    file = os.open(os.environ["KILL_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{kind} {instance} {step} {attempt}\n".encode())
    os.close(file)


class Journey(WorkflowEntrypoint):
    async def run(self, event, step):
        instance = event["instanceId"]
        total = 0
        for stretch in STRETCHES:
            total += sum(await asyncio.gather(*(self.leg(instance, step, number) for number in stretch)))
            if stretch[0] % 7 == 3:
                await step.sleep(f"rest {stretch[0]}", 20 + stretch[0])
            if 10 in stretch:
                word = await step.wait_for_event("word", "word", timeout="10 minutes")
                note("event", instance, word["payload"])
        return total

    async def leg(self, instance, step, number):
        # Every third leg has a config of its own: it asks before it begins, where the others have begun by then.
        @step.do(f"leg {number}", config=TRIES if number % 3 == 0 else None)
        async def leg(ctx):
            note("exec", instance, number, ctx["attempt"])
            return number

        result = await leg()
        note("ack", instance, number)
        return result


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = request.url.partition("?")[0].rpartition("/")[2]
        if path == "create":
            made = await self.env.JOURNEY.create()
            # Sent before the wait: it must be kept until the instance gets there.
            await made.send_event({"type": "word", "payload": "go"})
            return Response.json({"id": made.id})
        instance = await self.env.JOURNEY.get(path)
        return Response(json.dumps(await instance.status()))
