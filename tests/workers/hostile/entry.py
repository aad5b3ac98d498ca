"""Does each harm that a handler can do, by name, in whichever handler it is asked to."""

import asyncio
import builtins
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

from workers import Response, WorkerEntrypoint, WorkflowEntrypoint
from workers.workflows import WorkflowStep

NOTES = Path(__file__).parent / "notes.log"
# One harm puts nothing in their place; the others need them.
_open, _sleep, _socket = builtins.open, time.sleep, socket.socket
kept: list[Any] = []
# Now, before somebody sets a mask under which nobody could read it.
NOTES.touch()


def note(*words: Any) -> None:
    with _open(NOTES, "a") as notes:
        notes.write(" ".join(map(str, words)) + "\n")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def mute() -> NoReturn:
    raise Mute


def long() -> NoReturn:
    raise ValueError("m" * 10_000_000)


def cyclic() -> NoReturn:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    raise first


def spin() -> None:
    while True:
        pass


def take_large() -> None:
    taken = []
    while True:
        taken.append(bytes(1 << 20))


def take_small() -> None:
    taken: list[Any] = []
    while True:
        taken.append(f"{len(taken):1000}")


def deep() -> Any:
    return deep()


def deep_in_c() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**9)
    inner: list[Any] = []
    for _ in range(10**6):
        inner = [inner]
    try:
        repr(inner)
    finally:
        sys.setrecursionlimit(limit)


def interrupt() -> NoReturn:
    raise KeyboardInterrupt


def cancel_all() -> None:
    for task in asyncio.all_tasks():
        task.cancel()


def close_our_socket() -> None:
    for name in list(Path("/proc/self/fd").iterdir()):
        try:
            found = _socket(fileno=os.dup(int(name.name)))
            found.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


async def blocks_in_finally() -> None:
    try:
        raise ValueError("and then")
    finally:
        _sleep(60)


def leave_things() -> None:
    kept.append(asyncio.ensure_future(asyncio.sleep(3600)))
    threading.Thread(target=_sleep, args=(3600,), daemon=False).start()
    child = subprocess.Popen(["sleep", "3600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    note("child", child.pid)


def patch() -> None:
    time.time = time.sleep = json.dumps = builtins.open = None  # type: ignore[assignment]
    socket.socket = None  # type: ignore[assignment,misc]


def move() -> None:
    os.chdir("/")
    os.umask(0o777)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.clear()


def print_much() -> None:
    for _ in range(10_000):
        print("a line of a hundred letters, like any other, and quite as good as those that come before it ...")


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def endless() -> AsyncIterator[bytes]:
    note("begins")
    try:
        while True:
            yield b"x" * 65536
    finally:
        note("left")


async def swallows() -> None:
    note("begins")
    while True:
        try:
            await asyncio.sleep(3600)
        except BaseException:
            note("swallowed")


HARMS: dict[str, Callable[[], Any]] = {
    # blocks
    "sleeps": lambda: _sleep(60),
    "spins": spin,
    "spins in C": lambda: sum(range(10**12)),
    "blocks in finally": blocks_in_finally,
    # memory
    "takes memory in large pieces": take_large,
    "takes memory in small pieces": take_small,
    # ends
    "os._exit(0)": lambda: os._exit(0),
    "sys.exit()": lambda: sys.exit(3),
    "KeyboardInterrupt": interrupt,
    "kill -9": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "os.abort()": os.abort,
    "null read": lambda: ctypes.string_at(0),
    "recursion": deep,
    "recursion in C": deep_in_c,
    # the loop, and what it stands on
    "stops the loop": lambda: asyncio.get_running_loop().stop(),
    "cancels all tasks": cancel_all,
    "closes the loop": lambda: asyncio.get_running_loop().close(),
    "closes all files": lambda: os.closerange(3, 256),
    "closes our socket": close_our_socket,
    # what it leaves, prints and changes
    "leaves things behind": leave_things,
    "prints much": print_much,
    "prints a long line": lambda: print("y" * 10_000_000),
    "prints controls": lambda: print("\x1b[31mred \ud800 \x00 </script>"),
    "writes to the descriptor": lambda: os.write(1, b"straight \xff\n"),
    "patches the library": patch,
    "moves": move,
    # raises
    "raises what has no text": mute,
    "raises ten megabytes": long,
    "raises a circle": cyclic,
    # answers
    "header with a line break": lambda: Response("x", headers={"a": "b\r\nc: d"}),
    "header with NUL": lambda: Response("x", headers={"a": "b\x00"}),
    "header that is a number": lambda: Response("x", headers={"a": 7}),
    "status 99": lambda: Response("x", status=99),
    "status 1000": lambda: Response("x", status=1000),
    "no response": lambda: 7,
    "length that lies": lambda: Response("x", headers={"content-length": "9"}),
    "streamed length that lies": lambda: Response(pieces(b"abc", b"def"), headers={"content-length": "9"}),
    "endless body": lambda: Response(endless()),
    "swallows its end": swallows,
}


async def harm(name: str) -> Any:
    found = HARMS[name]()
    if asyncio.iscoroutine(found):
        found = await found
    # What has been done to the loop shows when somebody waits.
    await asyncio.sleep(0)
    return found


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Response:
        url = urlsplit(request.url)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/harm":
                found = await harm(asked["name"])
                return Response("done") if found is None or (isinstance(found, int) and found > 7) else found
            case "/answer":
                await (await self.env.BYSTANDER.get(asked["id"])).send_event({"type": "answer", "payload": 1})
                return Response("ok")
            case "/pid":
                return Response(str(os.getpid()))
            case _:
                return Response("ok")

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:
        await harm(controller.cron)

    async def queue(self, batch: Any, env: Any, ctx: Any) -> None:
        for message in batch.messages:
            if message.attempts == 1:
                await harm(message.body)
            note("taken", message.body)


class Harmed(WorkflowEntrypoint):
    async def run(self, event: Any, step: WorkflowStep) -> Any:
        @step.do("before")
        async def before() -> str:
            note("before", event["payload"])
            return "done"

        @step.do("harm", config={"retries": {"limit": 2, "delay": "1 second", "backoff": "constant"}})
        async def harmed(ctx: Any) -> int:
            if ctx["attempt"] == 1:
                await harm(event["payload"])
            return int(ctx["attempt"])

        await before()
        return await harmed()


class Bystander(WorkflowEntrypoint):
    async def run(self, event: Any, step: WorkflowStep) -> Any:
        @step.do("before")
        async def before() -> str:
            note("before", "bystander")
            return "done"

        await before()
        await step.wait_for_event("answer", "answer", timeout="1 hour")
        return "complete"


async def many(step: WorkflowStep, count: int) -> int:
    async def one() -> int:
        return 1

    return sum(await asyncio.gather(*(step.do(f"step-{number}")(one)() for number in range(count))))


class Odd(WorkflowEntrypoint):
    async def run(self, event: Any, step: WorkflowStep) -> Any:
        match event["payload"]:
            case "ends the process each time":
                os._exit(0)
            case "returns what cannot be kept":
                return threading.Lock()
            case "as many steps as there may be":
                return await many(step, 100)
            case _:
                return await many(step, 101)
