"""A FastAPI application: path, query, body, env by a dependency, files, a background task, a web socket."""

from typing import Any

import asgi
from fastapi import BackgroundTasks, FastAPI, WebSocket
from pydantic import BaseModel
from pyodide.ffi import run_sync
from workers import Request, Response, WorkerEntrypoint

app = FastAPI()
done: list[str] = []


class Item(BaseModel):
    name: str
    price: float


@app.get("/")
async def root(env: Any = asgi.env) -> dict[str, str]:
    return {"message": env.MESSAGE}


@app.get("/sync/{number}")
def sync(number: int, times: int = 2) -> dict[str, int]:
    return {"number": number * times}


@app.get("/send")
def send(env: Any = asgi.env) -> dict[str, bool]:
    run_sync(env.ORDERS.send({"n": 1}))
    return {"sent": True}


@app.post("/items", status_code=201)
async def create(item: Item, tasks: BackgroundTasks) -> Item:
    tasks.add_task(done.append, item.name)
    return item


@app.get("/done")
async def finished() -> list[str]:
    return done


@app.websocket("/ws")
async def talk(socket: WebSocket) -> None:
    await socket.accept()
    name = await socket.receive_text()
    await socket.send_json({"hello": name})
    await socket.close(3001, "enough")


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.headers.get("Upgrade") == "websocket":
            return await asgi.websocket(app, request, self.env)
        return await asgi.fetch(app, request.js_object, self.env)
