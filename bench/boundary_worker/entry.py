"""One of everything that is recorded: steps, a retry, a sleep, an event, a time-out, an undoing, a tick, a queue."""

import os
import signal
from pathlib import Path

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint


def note(*words):
    """One line, one write: it is there even when the process is killed right after it."""
    file = os.open(os.environ["KILL_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (" ".join(map(str, words)) + "\n").encode())
    os.close(file)
    die_in(words[0])


def die_in(kind):
    """Where the life is to end in this code: this process, or the emulator's, at the n-th line of a kind."""
    if os.environ.get("DIE_AT", "").endswith(f"in {kind}"):
        with Path(os.environ["KILL_LOG"]).open() as lines:
            times = sum(line.startswith(f"{kind} ") for line in lines)
        if times == int(os.environ["DIE_AFTER"]):
            is_own = os.environ["DIE_AT"].startswith("the worker")
            os.kill(os.getpid() if is_own else os.getppid(), signal.SIGKILL)


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
        @step.do(
            name,
            config={"retries": {"limit": 20, "delay": 5, "backoff": "constant"}},
            rollback=lambda: note("undo", instance, name),
        )
        async def leg(ctx):
            note("exec", instance, name)
            if ctx["attempt"] <= failures:
                raise ValueError("not yet")
            return name

        result = await leg()
        note("ack", instance, name)
        return result


class Ticker(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("tick")
        async def tick():
            note("tick", event["schedule"]["scheduledTime"], "-")

        await tick()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        verb, id = request.url.rsplit("/", 2)[1:]
        if verb == "create":
            await self.env.JOURNEY.create_batch([{"id": id}])
        elif verb == "send":
            await self.env.PARCELS.send(id)
        elif verb == "status":
            return Response.json(await (await self.env.JOURNEY.get(id)).status())
        elif verb == "event":
            await (await self.env.JOURNEY.get(id)).send_event(type="word", payload=id)
        elif verb == "undo":
            await (await self.env.JOURNEY.get(id)).terminate(rollback=True)
        else:
            await getattr(await self.env.JOURNEY.get(id), verb)()
        return Response.json({"done": verb})

    async def scheduled(self, controller, env, ctx):
        pass

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            note("parcel", message.body, message.attempts)
