"""The figures of bodies that are large, and of handlers that are slow: what they hold in memory, and when they end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from client import get
from report import Bar, Row, compared
from servers import Server, Stage, running
from turns import Size, by_turns, medians

MEBIBYTE = b"x" * 1024 * 1024
_HUNDRED = 100
_UPLOADS = 50
_HANDLERS = 200
_SLOW_SECONDS = 3.0
_LOOK_EVERY = 0.05


async def large(stage: Stage, size: Size) -> list[Row]:
    """Bodies of 100 MiB and of a gibibyte: memory stays flat, because nothing is read further than it is passed on."""
    with running(stage.ours("web_worker"), stage.bare()) as servers:
        for server in servers:
            # What the first large body leaves in the allocator is idle memory, too.
            await _download(server)
            await _upload(server)
        down = medians(await by_turns(size.crowds, servers, lambda server: _grown(server, _download)))
        up = medians(await by_turns(size.crowds, servers, lambda server: _grown(server, _upload)))
        # Bare never hears of it: nobody closes the generator, and both figures would wait for that.
        slow = await by_turns(1, servers[:1], _slow_reader)
        many = await by_turns(1, servers[:1], _many_uploads)
    return [
        *compared("100 MiB streamed down, memory over idle", "MB", down, bar=Bar(limit=32)),
        *compared("100 MiB streamed up, memory over idle", "MB", up, bar=Bar(limit=32)),
        *compared("1 GiB to a slow reader, memory over idle", "MB", _part(slow, 0), bar=Bar(limit=16)),
        *compared("its reader leaves, the handler hears of it", "ms", _part(slow, 1), bar=Bar(limit=1000)),
        *compared("50 uploads of 100 MiB at once, emulator's memory", "MB", medians(many), bar=Bar(limit=32)),
    ]


async def slow(stage: Stage, size: Size) -> list[Row]:
    """Two hundred handlers that each take a second, all at once."""

    async def all_of_them(server: Server) -> float:
        began = time.perf_counter()
        await asyncio.gather(*(server.client.ask(get("/slow")) for _ in range(_HANDLERS)))
        return time.perf_counter() - began

    with running(stage.ours("web_worker"), stage.bare()) as servers:
        taken = await by_turns(size.crowds, servers, all_of_them)
    return compared(f"{_HANDLERS} handlers of 1 s at once", "s", medians(taken), bar=Bar(limit=1.5))


async def _grown(server: Server, doing: Callable[[Server], object]) -> float:
    """How many megabytes all its processes together had more at the most."""
    async with _watched(server.resident) as most:
        await doing(server)  # type: ignore[misc]
    return most()


@asynccontextmanager
async def _watched(memory: Callable[[], float]) -> AsyncIterator[Callable[[], float]]:
    idle = memory()
    most = idle

    async def look() -> None:
        nonlocal most
        while True:
            most = max(most, memory())
            await asyncio.sleep(_LOOK_EVERY)

    looking = asyncio.create_task(look())
    try:
        yield lambda: max(most, memory()) - idle
    finally:
        looking.cancel()


async def _download(server: Server) -> None:
    reader, writer = await _asked(server, b"GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    size = 0
    while piece := await reader.read(1 << 18):
        size += len(piece)
    writer.close()
    if size < _HUNDRED * len(MEBIBYTE):
        raise RuntimeError(f"only {size} bytes of 100 MiB came")


async def _upload(server: Server) -> None:
    head = f"POST /sink HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {_HUNDRED * len(MEBIBYTE)}"
    reader, writer = await _asked(server, f"{head}\r\n\r\n".encode())
    for _ in range(_HUNDRED):
        writer.write(MEBIBYTE)
        await writer.drain()
    answer = await reader.read()
    writer.close()
    if str(_HUNDRED * len(MEBIBYTE)).encode() not in answer:
        raise RuntimeError(f"the upload was answered {answer[:300]!r}")


async def _slow_reader(server: Server) -> tuple[float, float]:
    """Megabytes over idle while somebody reads a little of a gibibyte; milliseconds from leaving to being heard."""
    async with _watched(server.resident) as most:
        reader, writer = await _asked(server, b"GET /gibibyte HTTP/1.1\r\nHost: localhost\r\n\r\n")
        until = time.perf_counter() + _SLOW_SECONDS
        while time.perf_counter() < until:
            await reader.read(1 << 14)
            await asyncio.sleep(0.01)
        writer.transport.abort()
        left = time.perf_counter()
        while await _count_of_left(server) == 0:  # noqa: ASYNC110 - it is another process that we ask
            await asyncio.sleep(0.002)
        return most(), (time.perf_counter() - left) * 1000


async def _count_of_left(server: Server) -> int:
    return int((await server.client.ask(get("/left"))).body)


async def _many_uploads(server: Server) -> float:
    """What the emulator itself has more; what the worker holds is the worker's business."""
    async with _watched(server.own_resident) as most:
        await asyncio.gather(*(_upload(server) for _ in range(_UPLOADS)))
    return most()


async def _asked(server: Server, head: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 16)
    writer.write(head)
    return reader, writer


def _part(taken: dict[str, list[tuple[float, float]]], index: int) -> dict[str, float]:
    return {name: figures[0][index] for name, figures in taken.items() if figures}
