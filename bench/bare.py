"""The measure of all HTTP figures: the routes of web_worker/ on bare uvicorn and starlette, in one process."""

import asyncio
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

MEBIBYTE = b"x" * 1024 * 1024
left: list[int] = []


async def mebibytes(count: int) -> AsyncIterator[bytes]:
    try:
        for _ in range(count * 16):
            yield MEBIBYTE[: 1 << 16]
    except BaseException:
        left.append(count)
        raise


async def hello(request: Request) -> Response:
    return PlainTextResponse("Hello World!")


async def echo(request: Request) -> Response:
    return JSONResponse(await request.json())


async def down(request: Request) -> Response:
    return Response(MEBIBYTE)


async def up(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


async def stream(request: Request) -> Response:
    return StreamingResponse(mebibytes(100))


async def gibibyte(request: Request) -> Response:
    return StreamingResponse(mebibytes(1024))


async def leavings(request: Request) -> Response:
    return PlainTextResponse(str(len(left)))


async def sink(request: Request) -> Response:
    return JSONResponse({"bytes": sum([len(piece) async for piece in request.stream()])})


async def slow(request: Request) -> Response:
    await asyncio.sleep(1)
    return PlainTextResponse("done")


app = Starlette(
    routes=[
        Route("/", hello),
        Route("/echo", echo, methods=["POST"]),
        Route("/down", down),
        Route("/up", up, methods=["POST"]),
        Route("/stream", stream),
        Route("/gibibyte", gibibyte),
        Route("/left", leavings),
        Route("/sink", sink, methods=["POST"]),
        Route("/slow", slow),
    ]
)

if __name__ == "__main__":
    # uvicorn takes the loop and the parser that the emulator takes: uvloop and httptools where they are installed.
    uvicorn.run(app, port=0, access_log=False, lifespan="off", server_header=False, date_header=False)
