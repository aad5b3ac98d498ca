"""As workers were written before there were classes."""

from typing import Any

from js import Response
from workers import handler


@handler
async def on_fetch(request: Any, env: Any, ctx: Any) -> Response:
    ctx.waitUntil(later())
    return Response.new(f"{request.method.value} {env.NAME}", headers={"x-legacy": "yes"})


async def later() -> None:
    print("later")
