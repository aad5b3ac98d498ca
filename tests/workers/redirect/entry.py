"""Sends the browser elsewhere, and answers with statuses that have no body."""

from urllib.parse import urlsplit

from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        url = urlsplit(request.url)
        match url.path:
            case "/old":
                return Response.redirect(f"{url.scheme}://{url.netloc}/new", 301)
            case "/empty":
                return Response(None, status=204)
            case "/same":
                return Response(None, status=304, headers={"etag": '"1"'})
            case _:
                return Response(url.path, headers={"x-method": request.method.value})
