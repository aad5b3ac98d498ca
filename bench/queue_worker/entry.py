"""Leaves a line for each delivery that begins and each message that is settled, for a checker outside to read."""

import asyncio
import os

from workers import Response, WorkerEntrypoint

PAUSE = float(os.environ["BATCH_SECONDS"])
POISON_EVERY = 100


def note(kind, messages):
    """All lines in one write: they are there even when the process is killed right after it."""
    file = os.open(os.environ["KILL_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, "".join(f"{kind} {message.body} {message.attempts}\n" for message in messages).encode())
    os.close(file)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        first, last = map(int, request.url.rpartition("/")[2].split("-"))
        for start in range(first, last, 100):
            await self.env.PARCELS.send_batch([{"body": number} for number in range(start, min(start + 100, last))])
        return Response.json(last - first)

    async def queue(self, batch, env, ctx):
        note("got", batch.messages)
        await asyncio.sleep(PAUSE)
        poison = [message for message in batch.messages if message.body % POISON_EVERY == 0]
        for message in poison:
            message.retry()
        note("done", [message for message in batch.messages if message not in poison])
