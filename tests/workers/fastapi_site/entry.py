"""A FastAPI site: templates, session cookies, CORS, an upload, events of the server, what its lifespan opens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import asgi
from fastapi import FastAPI, File, Form, HTTPException, Request, Response, UploadFile
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import StreamingResponse
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, Field
from starlette.middleware.sessions import SessionMiddleware


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, list[str]]]:
    opened = ["shop"]
    yield {"opened": opened}
    opened.clear()


class Order(BaseModel):
    sku: str = Field(pattern="^[a-z]+$")
    count: int = Field(default=1, ge=1)


app = FastAPI(lifespan=lifespan)
app.add_middleware(SessionMiddleware, secret_key="not a secret, a test")
app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"], allow_methods=["PUT"])
templates = Jinja2Templates(directory=Path(__file__).parent / "templates")


@app.get("/pages/{name}")
async def page(request: Request, name: str) -> Response:
    visits = request.session["visits"] = request.session.get("visits", 0) + 1
    return templates.TemplateResponse(request, "page.html", {"name": name, "visits": visits})


@app.post("/photos")
async def upload(title: Annotated[str, Form()], photo: Annotated[UploadFile, File()]) -> dict[str, Any]:
    return {"title": title, "name": photo.filename, "type": photo.content_type, "size": len(await photo.read())}


@app.get("/ticks")
async def ticks() -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        for number in range(3):
            yield f"id: {number}\ndata: tick\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.put("/orders")
async def order(request: Request, wanted: Order) -> dict[str, Any]:
    if wanted.count > 99:
        raise HTTPException(409, "so many there are not")
    return {"from": request.state.opened, **wanted.model_dump()}


Default = asgi.entrypoint(app)
