"""The figures of what goes on behind the answers: workflows and queues."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from client import Client, get
from report import Bar, Row, compared
from servers import Command, Server, Stage, running
from turns import Size, by_turns, in_time, medians, p95s

_SENT_AT_ONCE = 1_000


async def three_steps(stage: Stage, size: Size) -> list[Row]:
    """From asking for an instance of three trivial steps to a status that says complete."""

    async def trio(server: Server) -> float:
        return await _complete(server.client, "/create?kind=three", pause=0.001) * 1000

    with running(stage.ours("worker"), *stage.theirs()) as servers:
        await by_turns(5, servers, trio)
        taken = await by_turns(size.trios, servers, trio)
    return [
        *compared("3 steps, create to complete, p50", "ms", medians(taken), bar=Bar(limit=8)),
        *compared("3 steps, create to complete, p95", "ms", p95s(taken)),
    ]


async def many_steps(stage: Stage, size: Size) -> list[Row]:
    """Trivial steps in one instance, one after another."""

    async def run(server: Server) -> float:
        return size.steps / await _complete(server.client, f"/create?kind=steps&n={size.steps}", pause=0.01)

    with running(stage.ours("worker"), *stage.theirs()) as servers:
        taken = await by_turns(size.rounds, servers, run)
    return compared(f"{size.steps:,} steps in one instance", "/s", medians(taken), bar=Bar(limit=400))


async def _complete(client: Client, create: str, *, pause: float) -> float:
    """Seconds to create an instance and see it complete."""
    began = time.perf_counter()
    id = (await client.json(create))["id"]
    while (status := (await client.json(f"/?instanceId={id}"))["status"]) != "complete":
        if status in ("errored", "terminated", "unknown"):
            raise RuntimeError(f"instance {id} is {status}")
        await asyncio.sleep(pause)
    return time.perf_counter() - began


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """The figures of many instances on one server."""

    made: float
    asked: float
    megabytes: float


async def instances(stage: Stage, size: Size) -> list[Row]:
    """Many instances, 32 asked for at once. Each round has a new server and a new state, since instances are kept."""
    crowds: dict[str, list[Crowd]] = {}
    for _ in range(size.crowds):
        for command in (stage.ours("worker"), *stage.theirs()):
            crowds.setdefault(command.name, []).extend(await in_time(command.name, _crowd(command, size)))

    def middle(figure: Callable[[Crowd], float]) -> dict[str, float]:
        return medians({name: list(map(figure, taken)) for name, taken in crowds.items() if taken})

    return [
        *compared(f"{size.instances:,} instances of 3 steps", "/s", middle(lambda crowd: crowd.made)),
        *compared("status of one of them, 16 connections", "/s", middle(lambda crowd: crowd.asked)),
        *compared("memory after them, all processes", "MB", middle(lambda crowd: crowd.megabytes)),
    ]


async def _crowd(command: Command, size: Size) -> Crowd:
    with running(command) as (server,):
        began = time.perf_counter()
        made = await server.client.each(["/create?kind=three"] * size.instances, connections=32)
        await _counted(server.client, "completed", size.instances)
        took = time.perf_counter() - began
        status = get(f"/?instanceId={made[-1]['id']}")
        asked = await server.client.rate(status, connections=16, seconds=size.seconds)
        return Crowd(made=size.instances / took, asked=asked, megabytes=server.megabytes())


async def queue(stage: Stage, size: Size) -> list[Row]:
    """From the first send to the last message consumed; sent 100 at a time, consumed 100 at a time."""
    totals = count(size.messages, size.messages)

    async def drain(server: Server) -> float:
        began = time.perf_counter()
        for _ in range(size.messages // _SENT_AT_ONCE):
            await server.client.json(f"/send?count={_SENT_AT_ONCE}")
        await _counted(server.client, "consumed", next(totals))
        return size.messages / (time.perf_counter() - began)

    with running(stage.ours("worker")) as servers:
        taken = await by_turns(size.rounds, servers, drain)
    return compared(f"{size.messages:,} messages, sent and consumed", "/s", medians(taken), bar=Bar(limit=5_000))


async def _counted(client: Client, counter: str, wanted: int) -> None:
    """Return when the worker has counted so many."""
    while True:
        stats = await client.json("/stats")
        if stats[counter] >= wanted:
            return
        await asyncio.sleep(0.005)
