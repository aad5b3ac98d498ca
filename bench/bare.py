"""The measure of all HTTP figures: the routes of web_worker/ on bare uvicorn and starlette, in one process."""

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

MEBIBYTE = b"x" * 1024 * 1024


async def hello(request: Request) -> Response:
    return PlainTextResponse("Hello World!")


async def echo(request: Request) -> Response:
    return JSONResponse(await request.json())


async def down(request: Request) -> Response:
    return Response(MEBIBYTE)


async def up(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


app = Starlette(
    routes=[
        Route("/", hello),
        Route("/echo", echo, methods=["POST"]),
        Route("/down", down),
        Route("/up", up, methods=["POST"]),
    ]
)

if __name__ == "__main__":
    # uvicorn takes the loop and the parser that the emulator takes: uvloop and httptools where they are installed.
    uvicorn.run(app, port=0, access_log=False, lifespan="off", server_header=False, date_header=False)
