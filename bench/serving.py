"""The figures of a server that serves: start, save, answer, memory."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from pathlib import Path

from client import Client, get, post
from report import Bar, Row, compared
from servers import Command, Server, Stage, running
from turns import Size, by_turns, medians, p95s

_THINK_SECONDS = 0.5
_JSON = b'{"item": "tea", "cups": [1, 2, 3], "note": null}'


async def ready(stage: Stage, size: Size) -> list[Row]:
    """From the start of the process to the line that says so. The first start fills caches and does not count."""
    commands = [stage.sample(), *stage.theirs()]

    async def start(command: Command) -> float:
        with running(command) as (server,):
            return server.seconds_to_ready

    await by_turns(1, commands, start)
    taken = await by_turns(size.starts, commands, start)
    return compared("process start to `Ready on`", "s", medians(taken), bar=Bar(limit=0.5))


async def reload(stage: Stage, size: Size) -> list[Row]:
    """From a save to the first answer with the new text, for which keep-alive connections poll."""
    markers = (f"v{number}" for number in count(1))

    async def save(server: Server) -> float:
        await asyncio.sleep(_THINK_SECONDS)
        marker = next(markers)
        began = time.perf_counter()
        _mark(server.command.folder, marker)
        return await _seen(server.client, marker, began) * 1000

    with running(stage.ours("worker"), *stage.theirs()) as servers:
        await by_turns(2, servers, save)
        taken = await by_turns(size.saves, servers, save)
    return [
        *compared("save to first new answer, p50", "ms", medians(taken), bar=Bar(limit=60)),
        *compared("save to first new answer, p95", "ms", p95s(taken), bar=Bar(limit=150)),
    ]


async def _seen(client: Client, marker: str, began: float) -> float:
    """Seconds until the marker is seen, less half the time from poll to poll: so late, on average, a poll comes."""
    polls, seen = 0, b""
    while seen != marker.encode():
        await asyncio.sleep(0.001)
        seen = await _poll(client)
        polls += 1
    took = time.perf_counter() - began
    return took - took / polls / 2


async def _poll(client: Client) -> bytes:
    try:
        return (await client.ask(get("/marker"))).body
    except ConnectionError:
        return b""


def _mark(folder: Path, marker: str) -> None:
    """Save the worker with another marker."""
    source = next(path for path in (folder / "entry.py", folder / "src" / "index.js") if path.exists())
    before, assignment, after = source.read_text().partition('MARKER = "')
    source.write_text(before + assignment + marker + after[after.index('"') :])


async def hello(stage: Stage, size: Size) -> list[Row]:
    """The smallest fetch there is."""
    with running(stage.ours("web_worker"), stage.bare(), *stage.theirs()) as servers:
        taken = await _rates(servers, size, get("/"), connections=16)
    return compared("hello, 16 connections", "/s", taken, bar=Bar(limit=1 / 3, of_peer=True))


async def bodies(stage: Stage, size: Size) -> list[Row]:
    """JSON there and back; a mebibyte either way."""
    echo = post("/echo", _JSON, "application/json")
    up = post("/up", b"x" * 1024 * 1024, "application/octet-stream")
    with running(stage.ours("web_worker"), stage.bare()) as servers:
        return [
            *compared("JSON echo, 16 connections", "/s", await _rates(servers, size, echo, connections=16)),
            *compared("1 MiB down, 4 connections", "/s", await _rates(servers, size, get("/down"), connections=4)),
            *compared("1 MiB up, 4 connections", "/s", await _rates(servers, size, up, connections=4)),
        ]


async def _rates(servers: list[Server], size: Size, request: bytes, *, connections: int) -> dict[str, float]:
    async def rate(server: Server) -> float:
        return await server.client.rate(request, connections=connections, seconds=size.seconds)

    await by_turns(1, servers, rate)
    return medians(await by_turns(size.rounds, servers, rate))


async def memory(stage: Stage, size: Size) -> list[Row]:
    """All processes together, when they have been idle for two seconds."""

    async def idle(command: Command) -> float:
        with running(command) as (server,):
            await asyncio.sleep(2)
            return server.megabytes()

    taken = await by_turns(size.crowds, [stage.sample(), *stage.theirs()], idle)
    return compared("idle memory, all processes", "MB", medians(taken), bar=Bar(limit=120))
