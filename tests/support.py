"""One friendly helper: a worker on disk, its emulator, and a clock that only the test moves."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from emulator.clock import ManualClock
from emulator.errors import EmulatorError, WorkerError
from emulator.launch import Allowance
from emulator.models import Instance, StepKind, Tick
from emulator.processes import InProcess, Processes
from emulator.runtime import values
from emulator.server import Emulator, Options
from emulator.terminal import Terminal
from emulator.workflows.engine import Wanted
from emulator.workflows.status import status_of

CONFIG = """
name = "test-worker"
main = "entry.py"
compatibility_date = "2026-06-01"
compatibility_flags = ["python_workers"]
"""

HELLO = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
"""


@dataclass
class Answer:
    """What a browser got."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


@dataclass
class Handle:
    """An instance as a test sees it: read anew each time."""

    emulated: Emulated
    workflow: str
    id: str

    @property
    def row(self) -> Instance:
        return self.emulated.emulator.engine.get(self.workflow, self.id)

    @property
    def status(self) -> str:
        return str(self.row.status)

    @property
    def shown(self) -> dict[str, Any]:
        return status_of(self.row, self.emulated.emulator.engine.steps(self.row))

    @property
    def output(self) -> Any:
        return self.shown["output"]

    @property
    def error(self) -> Any:
        return self.shown.get("error")

    @property
    def steps(self) -> dict[str, str]:
        """Each step's label with its state."""
        return {step.label: str(step.state) for step in self.emulated.emulator.engine.steps(self.row)}

    async def ask(self, method: str, **options: Any) -> None:
        """pause, resume, terminate, restart, delete."""
        await getattr(self.emulated.emulator.engine, method)(self.workflow, self.id, **options)
        await self.emulated.settle()

    async def restart_from(self, name: str, count: int = 1, kind: StepKind = StepKind.DO) -> None:
        await self.ask("restart", from_step=(kind, name, count))

    async def send(self, event_type: str, payload: Any = None) -> None:
        engine = self.emulated.emulator.engine
        await engine.send_event(self.workflow, self.id, event_type=event_type, payload=values.encode(payload))
        await self.emulated.settle()


class Emulated:
    """An emulator in this process, without a port, on a folder of its own."""

    def __init__(self, folder: Path, *, processes: bool = False, **options: Any) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.out = io.StringIO()
        self._processes = processes
        self.allowance = Allowance()
        self.options = options
        self._emulator: Emulator | None = None
        self.config = CONFIG
        self.configs = ["wrangler.toml"]
        self.save("wrangler.toml", CONFIG)

    @property
    def emulator(self) -> Emulator:
        assert self._emulator is not None, "start() it first"
        return self._emulator

    @property
    def lines(self) -> str:
        """All that the terminal showed."""
        self.emulator.terminal.flush()
        return self.out.getvalue()

    def save(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def configure(self, more: str) -> None:
        """Add to the config."""
        self.config += more
        self.save("wrangler.toml", self.config)

    async def start(self, code: str | None = None, *, config: str = "") -> Emulated:
        if config:
            self.configure(config)
        if code is not None:
            self.save("entry.py", code)
        options = Options(configs=tuple(self.folder / name for name in self.configs), **self.options)
        start = Processes(allowance=self.allowance).start if self._processes else InProcess().start
        self._emulator = Emulator(options, start, Terminal(self.out), self.clock)
        await self._emulator.boot()
        await self.settle()
        return self

    async def stop(self) -> None:
        if self._emulator is not None:
            emulator, self._emulator = self._emulator, None
            await emulator.stop()
            await _a_moment()

    async def restart(self) -> None:
        """A new emulator on the same folder."""
        await self.stop()
        await self.start()

    async def crash(self) -> None:
        """The emulator is gone from one instruction to the next; what was not committed yet is lost."""
        emulator, self._emulator = self.emulator, None
        store = emulator.store
        store._waiting = None
        store._db.rollback()
        store._db.close()
        store.lock.release()
        store.close = lambda: None  # type: ignore[method-assign]
        await emulator.engine.close()
        await emulator.stop()
        await _a_moment()

    async def reload(self, code: str | None = None) -> None:
        """Save and reload, as the watcher would."""
        if code is not None:
            self.save("entry.py", code)
        await self.emulator.reload(self.emulator.workers[0])
        await self.settle()

    async def settle(self) -> None:
        await self.emulator.quiet.settle()

    async def advance(self, **time: float) -> None:
        await self.emulator.timekeeper.advance(timedelta(**time))

    async def create(self, workflow: str, params: Any = None, id: str | None = None) -> Handle:
        text = values.encode({} if params is None else params)
        instance = await self.emulator.engine.create(workflow, Wanted(id=id, params=text))
        await self.settle()
        return Handle(self, workflow, instance.id)

    async def tick(self, cron: str = "* * * * *") -> str:
        worker = self.emulator.workers[0]
        return (await self.emulator.tick(worker, Tick(cron=cron, time=self.clock.now()))).outcome

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.request("GET", path, **options)

    async def post(self, path: str, body: bytes | Any = b"", **options: Any) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.request("POST", path, body=content, **options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | AsyncIterator[bytes] | None = None,
    ) -> Answer:
        """One browser request through the worker's own routes."""
        target, _, query = path.partition("?")
        given = {"host": "127.0.0.1:8787", **(headers or {})}
        if isinstance(body, bytes):
            given["content-length"] = str(len(body))
        elif body is not None:
            given["transfer-encoding"] = "chunked"
        scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": target,
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 50000),
        }
        return await _exchange(self.emulator.fetch_route(_explain), scope, _pieces(body))


async def _a_moment() -> None:
    """The worker's end of a channel hears a few turns later that it was closed, and gives the standard streams back."""
    for _ in range(5):
        await asyncio.sleep(0)


async def _pieces(body: bytes | AsyncIterator[bytes] | None) -> AsyncIterator[dict[str, Any]]:
    if body is None or isinstance(body, bytes):
        yield {"type": "http.request", "body": body or b"", "more_body": False}
    else:
        async for piece in body:
            yield {"type": "http.request", "body": piece, "more_body": True}
        yield {"type": "http.request", "body": b"", "more_body": False}
    await asyncio.Event().wait()


async def _exchange(app: Any, scope: dict[str, Any], pieces: AsyncIterator[dict[str, Any]]) -> Answer:
    answer = Answer(0, [], b"")

    async def receive() -> dict[str, Any]:
        return await anext(pieces)

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


async def _explain(scope: Any, send: Any, error: EmulatorError) -> None:
    """The bare error, where the server would render a page."""
    text = error.trace if isinstance(error, WorkerError) and error.trace else str(error)
    status = 503 if type(error).__name__ == "WorkerGone" else 500
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})
