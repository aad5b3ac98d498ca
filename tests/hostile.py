"""What handlers may do to harm the emulator, one row each, and how to see that it did not."""

from __future__ import annotations

import http.client
import itertools
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dev import Dev, eventually

WORKER = Path(__file__).parent / "workers" / "hostile"
HANDLERS = ("fetch", "scheduled", "queue", "step")
REST = "/cdn-cgi/client/v4/accounts/local"
OPTIONS = ("--no-reload", "--no-crons", "--block-limit", "2", "--memory-limit", "200MB")

# How it ends: the handler goes on as if nothing were, it fails, its process is replaced, or it is found hanging first.
LIVES, FAILS, DIES, HANGS, FAILS_OR_DIES = "lives", "fails", "dies", "hangs", "fails or dies"


@dataclass(frozen=True)
class Harm:
    """A row of the table: what a handler does, how that ends, what is said of it, and in which handlers it is done."""

    name: str
    ends: str
    words: str = ""
    handlers: tuple[str, ...] = HANDLERS


HARMS = (
    Harm("sleeps", HANGS),
    Harm("spins", HANGS),
    Harm("spins in C", HANGS),
    Harm("blocks in finally", HANGS),
    Harm("takes memory in large pieces", FAILS, "MemoryError"),
    # What is left may not do for the loop.
    Harm("takes memory in small pieces", FAILS_OR_DIES),
    Harm("os._exit(0)", DIES, "it exited with code 0"),
    # A step's body is a task, out of which these two end the loop.
    Harm("sys.exit()", FAILS_OR_DIES, "SystemExit: 3"),
    Harm("KeyboardInterrupt", FAILS_OR_DIES, "KeyboardInterrupt"),
    Harm("kill -9", DIES, "the machine may have run out of memory"),
    Harm("os.abort()", DIES, "killed by SIGABRT"),
    Harm("null read", DIES, "killed by SIGSEGV"),
    Harm("recursion", FAILS, "RecursionError"),
    # Newer Pythons know how much stack C code has used.
    Harm("recursion in C", FAILS_OR_DIES),
    Harm("stops the loop", DIES),
    Harm("cancels all tasks", DIES),
    Harm("closes the loop", FAILS_OR_DIES),
    Harm("closes all files", DIES),
    Harm("closes our socket", DIES),
    Harm("leaves things behind", LIVES),
    Harm("prints much", LIVES, "a line of a hundred letters"),
    Harm("prints a long line", LIVES, "[cut]"),
    Harm("prints controls", LIVES, "\\x1b[31mred"),
    Harm("writes to the descriptor", LIVES, "straight"),
    Harm("patches the library", LIVES),
    Harm("moves", LIVES),
    Harm("raises what has no text", FAILS, "Mute"),
    Harm("raises ten megabytes", FAILS, "ValueError: mmm"),
    Harm("raises a circle", FAILS, "ValueError: first"),
    Harm("header with a line break", FAILS, "line break", ("fetch",)),
    Harm("header with NUL", FAILS, "", ("fetch",)),
    Harm("header that is a number", LIVES, "", ("fetch",)),
    Harm("status 99", FAILS, "99", ("fetch",)),
    Harm("status 1000", FAILS, "1000", ("fetch",)),
    Harm("no response", FAILS, "must return a Response, got int", ("fetch",)),
    Harm("length that lies", FAILS, "content-length 9, and its body has 1 bytes", ("fetch",)),
)


class Hostile:
    """The worker that does them, served; `does` has one done and says what is wrong with how that ended."""

    def __init__(self, dev: Dev) -> None:
        self.dev = dev
        self.seconds_to_come_back: list[float] = []
        self._numbers = itertools.count(1)

    def does(self, harm: Harm, handler: str) -> list[str]:
        """What is not as it should be; nothing, if all is well."""
        before = len(self.dev.lines)
        pid = self.pid()
        wrong = getattr(self, f"_in_{handler}")(harm)
        wrong += self._back(harm, handler)
        wrong += self._said(harm, before)
        is_same = pid == self.pid()
        if is_same and harm.ends in (DIES, HANGS):
            wrong.append("the process is still the same")
        if not is_same and harm.ends in (LIVES, FAILS):
            wrong.append("the process is another one")
        return wrong

    def pid(self) -> str:
        return str(self.dev.until("/pid", lambda answer: answer.status == 200).text)

    def status(self, workflow: str, id: str) -> dict[str, Any]:
        """An instance's status, when it has come to its end."""
        path = f"{REST}/workflows/{workflow}/instances/{id}"
        ended = ("complete", "errored", "paused", "terminated")
        found: dict[str, Any] = self.dev.until(path, lambda answer: answer.json["result"]["status"] in ended).json
        return dict(found["result"])

    def status_now(self, workflow: str, id: str) -> str:
        return str(self.dev.get(f"{REST}/workflows/{workflow}/instances/{id}").json["result"]["status"])

    def create(self, workflow: str, id: str, name: str = "") -> None:
        self.dev.post(f"{REST}/workflows/{workflow}/instances", {"instance_id": id, "params": name})

    def notes(self, *words: str) -> list[str]:
        """The lines that the worker has written which begin so."""
        try:
            lines = (self.dev.folder / "notes.log").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if line.startswith(" ".join(words))]

    def end_what_is_left(self) -> None:
        """What a worker has started stays, where it is the worker's process that was killed."""
        for line in self.notes("child"):
            with suppress(ProcessLookupError):
                os.kill(int(line.split()[1]), signal.SIGKILL)

    def _in_fetch(self, harm: Harm) -> list[str]:
        answer = self.dev.get(f"/harm?name={quote(harm.name)}")
        expected = {LIVES: (200,), FAILS: (500,), FAILS_OR_DIES: (500, 503)}.get(harm.ends, (503,))
        wrong = [] if answer.status in expected else [f"it was answered {answer.status}: {answer.text[:200]}"]
        if len(answer.body) > 200_000:
            wrong.append(f"the page has {len(answer.body)} bytes")
        if harm.ends in (DIES, HANGS) and "process ended" not in answer.text:
            wrong.append(f"the answer does not say what happened: {answer.text[:200]}")
        if harm.ends is FAILS and harm.words not in answer.text:
            wrong.append(f"the answer has no {harm.words!r}: {answer.text[:200]}")
        return wrong

    def _in_scheduled(self, harm: Harm) -> list[str]:
        answer = self.dev.get(f"/cdn-cgi/local/scheduled?cron={quote(harm.name)}")
        is_ok = (answer.status == 200) is (harm.ends is LIVES)
        return [] if is_ok else [f"the tick was answered {answer.status}: {answer.text[:200]}"]

    def _in_queue(self, harm: Harm) -> list[str]:
        before = len(self.notes("taken", harm.name))
        self.dev.post("/cdn-cgi/local/queues/harms/messages", {"body": harm.name})
        came = eventually(lambda: len(self.notes("taken", harm.name)) > before)
        return [] if came else ["the message did not come again"]

    def _in_step(self, harm: Harm) -> list[str]:
        id = f"i{next(self._numbers)}"
        before = len(self.notes("before", harm.name))
        self.create("harmed", id, harm.name)
        status = self.status("harmed", id)
        expected = ("complete", "1" if harm.ends is LIVES else "2")
        found = (status["status"], status["output"])
        wrong = [] if found == expected else [f"the instance is {found[0]}, its output {found[1]}, {status['error']}"]
        if len(self.notes("before", harm.name)) != before + 1:
            wrong.append("a finished step ran again")
        return wrong

    def _back(self, harm: Harm, handler: str) -> list[str]:
        """Other routes answer again, within two seconds of the end of the process."""
        began = time.monotonic()
        answer = self.dev.until("/", lambda answer: answer.status == 200, 3)
        took = time.monotonic() - began
        self.seconds_to_come_back.append(took)
        return (
            [] if answer.status == 200 and took < 2 else [f"another route answered {answer.status} after {took:.1f} s"]
        )

    def _said(self, harm: Harm, before: int) -> list[str]:
        """The terminal says what has happened, in lines that do no harm themselves."""
        words = [harm.words] if harm.words else []
        words += {DIES: ["starting it again"], HANGS: ["has blocked", "it did not answer for"]}.get(harm.ends, [])
        missing = [each for each in words if not eventually(lambda each=each: self._has(each, before))]
        wrong = [f"the terminal does not say {each!r}" for each in missing]
        if harm.ends is HANGS and not any("entry.py:" in line for line in self.dev.lines[before:] if "blocked" in line):
            wrong.append("the terminal does not name the place")
        if any("\x1b" in line or "\x00" in line or len(line) > 70_000 for line in self.dev.lines[before:]):
            wrong.append("control characters, or a line without end, came to the terminal")
        return wrong

    def _has(self, words: str, before: int) -> bool:
        return any(words in line for line in self.dev.lines[before:])


@contextmanager
def hostile(folder: Path, *options: str) -> Iterator[Hostile]:
    """The worker, served from a copy in a folder."""
    shutil.copytree(WORKER, folder, dirs_exist_ok=True)
    with Dev(folder, *OPTIONS, *options) as dev:
        served = Hostile(dev)
        try:
            yield served
        finally:
            served.end_what_is_left()


class Control:
    """One connection to the emulator's own routes, and how long they take to answer."""

    paths = ("/cdn-cgi/local/health", f"{REST}/workflows")

    def __init__(self, dev: Dev) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=10)
        self.seconds: list[float] = []

    def ask(self) -> None:
        for path in self.paths:
            began = time.perf_counter()
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}")
            self.seconds.append(time.perf_counter() - began)

    def close(self) -> None:
        self._connection.close()
