"""Requests, responses, forms and headers as a user would write them; it is checked strictly, never run."""

from collections.abc import AsyncIterator
from http import HTTPMethod, HTTPStatus
from typing import Any

from workers import (
    Blob,
    Context,
    File,
    FormData,
    Request,
    Response,
    WorkerEntrypoint,
    fetch,
    handler,
    patch_env,
    wait_until,
)


class Default(WorkerEntrypoint):
    def __init__(self, ctx: Context, env: Any) -> None:
        super().__init__(ctx, env)
        self.greeting: str = env.GREETING

    async def fetch(self, request: Request) -> Response:
        body = await request.json()
        country: str = request.cf.country if request.cf else "?"
        names = [name.lower() for name, value in request.headers.items() if value]
        cookies = request.headers.get_all("cookie") or []
        if request.method == HTTPMethod.DELETE or request.body_used:
            return Response(None, status=HTTPStatus.NO_CONTENT)
        wait_until(self.later(body["id"]))
        self.ctx.waitUntil(self.later(1))
        return Response.json({"country": country, "names": names, "cookies": cookies}, status=201, headers=[("a", "b")])

    async def later(self, number: int) -> None:
        with patch_env({"GREETING": "hi"}, LIMIT=number):
            await fetch("https://example.com/", method="POST", headers={"a": "b"}, body=b"x", redirect="manual")

    async def forms(self, request: Request) -> Response:
        form = await request.form_data()
        names: list[str] = list(form.keys())
        for photo in form.get_all("photo"):
            if isinstance(photo, File):
                names.append(f"{photo.name} {photo.size} {photo.last_modified}")
        sent = FormData({"names": ",".join(names)})
        sent.append("text", Blob(["a", b"b"], content_type="text/plain"), "a.txt")
        return Response(sent)

    async def pieces(self, request: Request) -> Response:
        async def made() -> AsyncIterator[str]:
            yield "data: 1\n\n"

        if request.body is None:
            return Response("nothing", 400, "Nothing At All", {"x-a": "b"})
        return Response(made(), headers={"content-type": "text/event-stream"})

    async def ask(self, request: Request) -> Response:
        answer = await fetch(Request("https://example.com/", method=HTTPMethod.PUT, headers={"a": "b"}, body="x"))
        if not answer.ok:
            return Response(await answer.text(), answer.status, headers=dict(answer.headers))
        again = await fetch(request.clone())
        content: bytes = await again.bytes()
        return Response.from_json(len(content)) if content else Response.redirect("https://example.com/", 303)


@handler
async def on_fetch(request: Request, env: Any, ctx: Context) -> Response:
    return Response(f"{request.url} {env.GREETING}")
