"""A worker that does next to nothing, so that what is measured is the way to it and back."""

import asyncio
from urllib.parse import urlsplit

from workers import Response, WorkerEntrypoint

MEBIBYTE = b"x" * 1024 * 1024
left = []


async def mebibytes(count):
    try:
        for _ in range(count * 16):
            yield MEBIBYTE[: 1 << 16]
    except BaseException:
        left.append(count)
        raise


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        match urlsplit(request.url).path:
            case "/":
                return Response("Hello World!")
            case "/echo":
                return Response.json(await request.json())
            case "/down":
                return Response(MEBIBYTE)
            case "/up":
                return Response.json({"bytes": len(await request.bytes())})
            case "/stream":
                return Response(mebibytes(100))
            case "/gibibyte":
                return Response(mebibytes(1024))
            case "/left":
                return Response(str(len(left)))
            case "/sink":
                size = 0
                async for piece in request.body:
                    size += len(piece.to_bytes())
                return Response.json({"bytes": size})
            case "/slow":
                await asyncio.sleep(1)
                return Response("done")
        return Response("not found", status=404)
