"""One of everything that is recorded: steps, a retry, a sleep, an event, a time-out, a pause, a restart, a queue."""

import os

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


def note(*words):
    """One line, one write: it is there even when the process is killed right after it."""
    file = os.open(os.environ["KILL_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (" ".join(map(str, words)) + "\n").encode())
    os.close(file)


class Journey(WorkflowEntrypoint):
    async def run(self, event, step):
        instance = event["instanceId"]
        first = await self.leg(step, instance, "first")
        flaky = await self.leg(step, instance, "flaky", failures=1)
        await step.sleep("rest", 30)
        word = await step.wait_for_event("word", "word", timeout="10 minutes")
        note("event", instance, word["payload"])
        try:
            await step.wait_for_event("silence", "never", timeout=20)
        except Exception:
            note("silence", instance, "-")
        return [first, flaky, await self.leg(step, instance, "last")]

    async def leg(self, step, instance, name, failures=0):
        @step.do(name, config={"retries": {"limit": 20, "delay": 5, "backoff": "constant"}})
        async def leg(ctx):
            note("exec", instance, name)
            if ctx["attempt"] <= failures:
                raise ValueError("not yet")
            return name

        result = await leg()
        note("ack", instance, name)
        return result


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        verb, id = request.url.rsplit("/", 2)[1:]
        if verb == "create":
            await self.env.JOURNEY.create_batch([{"id": id}])
        elif verb == "send":
            await self.env.PARCELS.send(id)
        elif verb == "status":
            return Response.json(await (await self.env.JOURNEY.get(id)).status())
        else:
            instance = await self.env.JOURNEY.get(id)
            await (instance.send_event(type="word", payload=id) if verb == "event" else getattr(instance, verb)())
        return Response.json({"done": verb})

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            note("parcel", message.body, message.attempts)
