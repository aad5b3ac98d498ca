"""Streams both ways, and reads a file that is bundled next to it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from workers import Request, Response, WorkerEntrypoint

WORDS = (Path(__file__).parent / "words.txt").read_text().split()


async def count() -> AsyncIterator[str]:
    for word in WORDS:
        yield f"data: {word}\n\n"
        await asyncio.sleep(0)


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.method == "POST":
            size = 0
            async for piece in request.body:
                size += len(piece.to_bytes())
            return Response(str(size))
        if request.method == "PUT":
            return Response(request.body, headers={"content-type": "application/octet-stream"})
        return Response(count(), headers={"content-type": "text/event-stream"})
