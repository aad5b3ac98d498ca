"""Small workers with one workflow, and a way to let worker code use its binding."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Callable
from typing import Any

from support import Emulated, Handle

from emulator.workflows.engine import Wanted

ORDER = """
[[workflows]]
name = "order"
binding = "ORDER"
class_name = "Order"
"""

HEAD = """
import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from js import Object
from pyodide.ffi import to_js
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint
from workers.workflows import NonRetryableError

FOLDER = Path(__file__).parent

def note(text):
    with (FOLDER / "notes.txt").open("a") as file:
        file.write(text + "\\n")
"""

# The request's body is run as worker code; what it returns, or raises, is the answer.
ACT = """
import textwrap

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        found = {}
        exec("async def act(env):\\n" + textwrap.indent(await request.text(), "    "), globals(), found)
        try:
            return Response.json({"value": await found["act"](self.env)})
        except Exception as error:
            return Response.json({
                "error": type(error).__name__,
                "code": getattr(error, "code", None),
                "message": getattr(error, "message", str(error)),
                "text": str(error),
            })
"""


def worker(body: str, *, name: str = "Order") -> str:
    """A worker whose workflow runs this body, and whose `fetch` runs what it is sent."""
    run = textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8)
    return f"{HEAD}\nclass {name}(WorkflowEntrypoint):\n    async def run(self, event, step):\n{run}\n{ACT}"


async def started(
    emu: Emulated, body: str, params: Any = None, *, id: str | None = None, config: str = ORDER
) -> Handle:
    """An emulator with that workflow, and an instance of it."""
    await emu.start(worker(body), config=config)
    return await emu.create("order", params, id)


async def act(emu: Emulated, code: str) -> Any:
    """Run code in the worker, with `env`. Returns {"value"} or {"error", "code", "message", "text"}."""
    return (await emu.post("/", textwrap.dedent(code).encode())).json


def notes(emu: Emulated) -> list[str]:
    """What the worker's code has noted, also in passes that were cut off."""
    file = emu.folder / "notes.txt"
    return file.read_text().split("\n")[:-1] if file.exists() else []


async def caught(emu: Emulated, until: Callable[[Handle], bool], params: Any = None, id: str | None = None) -> Handle:
    """An instance caught in the middle: created, and left alone as soon as something is true of it."""
    instance = await emu.emulator.engine.create("order", Wanted(id=id))
    handle = Handle(emu, "order", instance.id)
    await eventually(lambda: until(handle))
    return handle


async def eventually(is_true: Callable[[], bool]) -> None:
    """Let the loop turn until something is true."""
    for _ in range(5_000):
        if is_true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")
