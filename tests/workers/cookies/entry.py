"""Sets several cookies, and reads them back."""

from http.cookies import SimpleCookie

from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        sent = SimpleCookie(request.headers.get("Cookie", ""))
        visits = int(sent["visits"].value) + 1 if "visits" in sent else 1
        headers = [("Set-Cookie", f"visits={visits}; Path=/; HttpOnly"), ("Set-Cookie", "theme=dark")]
        return Response(f"visit {visits}", headers=headers)
