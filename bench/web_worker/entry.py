"""A worker that does next to nothing, so that what is measured is the way to it and back."""

from urllib.parse import urlsplit

from workers import Response, WorkerEntrypoint

MEBIBYTE = b"x" * 1024 * 1024


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
        return Response("not found", status=404)
