"""A Starlette application: lifespan, streaming, static files, a mounted application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from workers import asgi


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
    yield {"opened": "yes"}


async def numbers() -> AsyncIterator[str]:
    for number in range(3):
        yield f"{number}\n"
        await asyncio.sleep(0)


async def stream(request: Request) -> StreamingResponse:
    return StreamingResponse(numbers(), media_type="text/plain")


def state(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.state.opened)


app = Starlette(
    routes=[
        Route("/stream", stream),
        Route("/state", state),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ],
    lifespan=lifespan,
)
Default = asgi.entrypoint(app)
