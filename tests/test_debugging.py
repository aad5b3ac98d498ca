"""`breakpoint()` under `emulator dev`: pdb on the terminal it was started in, while all that waits stands still."""

import os
import re
import subprocess
import threading
import time

import pytest
from dev import PATIENCE, PROJECT, Dev

pty = pytest.importorskip("pty")
pytestmark = pytest.mark.slow

WORKER = """
import asyncio
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

class Held(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("look", config={"timeout": "1 second", "retries": {"limit": 0, "delay": 0}})
        async def look():
            kept = 41
            breakpoint()
            return kept + 1
        return await look()

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/stop"):
            secret = "inside"
            breakpoint()
            return Response(secret)
        if request.url.endswith("/create"):
            await self.env.HELD.create(id="one")
        if request.url.endswith("/status"):
            held = await self.env.HELD.get("one")
            return Response.json(await held.status())
        return Response("ok")
"""

WORKFLOW = '[[workflows]]\nname = "held"\nbinding = "HELD"\nclass_name = "Held"\n'


class Terminal(Dev):
    """The server on a pseudo-terminal, and somebody who types."""

    def __enter__(self):
        self._ours, theirs = pty.openpty()
        self._screen = b""
        # The first terminal that a new session opens becomes the one its Ctrl-C comes from.
        self.process = subprocess.Popen(
            ["sh", "-c", 'exec "$0" "$@" <"$TTY" >"$TTY" 2>&1', *self.command()],
            env={**os.environ, "PYTHONPATH": str(PROJECT), "TERM": "dumb", "TTY": os.ttyname(theirs)},
            cwd=self.folder,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.see("Ready on http")
        os.close(theirs)
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", self.screen)[1])
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.kill()
        self._reader.join(PATIENCE)
        os.close(self._ours)

    def _read(self):
        while True:
            try:
                piece = os.read(self._ours, 65536)
            except OSError:
                return
            if not piece:
                return
            with self._news:
                self._screen += piece
                self._news.notify_all()

    @property
    def screen(self):
        return self._screen.decode("utf-8", "replace")

    def see(self, words, seconds=PATIENCE):
        """Wait for words on what was not yet read; what stands before them is read then."""
        with self._news:
            there = self._news.wait_for(lambda: words in self.screen, seconds)
        assert there, f"{words!r} did not come:\n{self.screen}"

    def see_prompt(self, times=1):
        with self._news:
            there = self._news.wait_for(lambda: self.screen.count("(Pdb)") >= times, PATIENCE)
        assert there, f"no prompt:\n{self.screen}"
        # Nobody types at once; the emulator hears a moment after the prompt that the keys are pdb's now.
        time.sleep(0.3)

    def type(self, line):
        os.write(self._ours, line.encode() + b"\n")

    def press_ctrl_c(self):
        os.write(self._ours, b"\x03")


@pytest.fixture(params=[(), ("--in-process",)], ids=["processes", "in process"])
def terminal(request, tmp_path):
    with Terminal(tmp_path, "--no-reload", *request.param, code=WORKER, config=WORKFLOW) as running:
        yield running


@pytest.fixture
def apart(tmp_path):
    with Terminal(tmp_path, "--no-reload", code=WORKER, config=WORKFLOW) as running:
        yield running


def test_the_terminal_gets_pdb_in_a_request(terminal):
    """
    breakpoint() in fetch shows where it stands; names can be looked at and changed, and `c` answers the browser.
    """
    answer = terminal.later("GET", "/stop")
    terminal.see_prompt()
    terminal.see("fetch()")
    terminal.type("p 'the secret is ' + secret")
    terminal.see("the secret is inside")
    terminal.type("secret = 'changed'")
    terminal.see_prompt(3)
    terminal.type("c")

    assert "changed" == answer().text
    assert "ok" == terminal.get("/").text


def test_time_stands_still_at_a_prompt(terminal):
    """
    A step of one second that is held for three at the prompt does not fail, and nothing is said to have blocked.
    """
    apart = terminal.children()
    terminal.later("GET", "/create")
    terminal.see_prompt()
    began = time.monotonic()
    answered = []
    while time.monotonic() - began < 3:
        answered.append(terminal.get("/cdn-cgi/local/health").status if apart else 200)
        time.sleep(0.3)
    terminal.type("c")
    status = terminal.until("/status", lambda answer: answer.json["status"] != "running", 3).json

    assert {200} == set(answered)
    assert ("complete", 42) == (status["status"], status["output"])
    assert "has blocked" not in terminal.screen


def test_a_debugger_that_says_nothing_is_seen(tmp_path):
    """
    Where a silent process stands tells a debugger that it was not told of from a handler that blocks.
    """
    code = "import pdb, sys\n" + WORKER.replace(
        "            breakpoint()\n            return kept",
        "            pdb.Pdb(stdin=sys.__stdin__, stdout=sys.__stdout__).set_trace()\n            return kept",
    )
    with Terminal(tmp_path, "--no-reload", code=code, config=WORKFLOW) as terminal:
        terminal.later("GET", "/create")
        terminal.see_prompt()
        time.sleep(2)
        terminal.type("c")
        status = terminal.until("/status", lambda answer: answer.json["status"] != "running", 3).json

        assert ("complete", 42) == (status["status"], status["output"])
        assert "has blocked" not in terminal.screen


def test_a_step_is_timed_again_after_the_prompt(tmp_path):
    """
    What is left of a step's time counts on after `c`: the time-out is held up and not forgotten.
    """
    code = WORKER.replace(
        "            return kept + 1", "            await asyncio.sleep(30)\n            return kept + 1"
    )
    with Terminal(tmp_path, "--no-reload", code=code, config=WORKFLOW) as terminal:
        terminal.get("/create")
        terminal.see_prompt()
        time.sleep(1.3)
        terminal.type("c")
        status = terminal.until("/status", lambda answer: answer.json["status"] == "errored", 4).json

        assert "errored" == status["status"]


def test_ctrl_c_at_a_prompt_ends_everything(terminal):
    """
    At the prompt, too, Ctrl-C ends the emulator and the worker; no other prompt comes.
    """
    terminal.later("GET", "/stop")
    terminal.see_prompt()
    children = terminal.children()
    terminal.press_ctrl_c()
    code = terminal.process.wait(5)

    assert 0 == code
    assert 1 == terminal.screen.count("(Pdb)")
    assert "Interrupt" not in terminal.screen
    assert not [pid for pid in children if _is_there(pid)]


def test_ctrl_c_at_a_prompt_fails_no_step(terminal):
    """
    A step that is left so was no attempt: the next start begins it anew, though it may not be tried twice.
    """
    terminal.later("GET", "/create")
    terminal.see_prompt()
    terminal.press_ctrl_c()
    terminal.process.wait(5)
    terminal.save("entry.py", WORKER.replace("breakpoint()", "pass"))
    with Dev(terminal.folder, "--no-reload") as again:
        status = again.until("/status", lambda answer: answer.json["status"] != "running").json

    assert ("complete", 42) == (status["status"], status["output"])
    assert "was cancelled" not in terminal.screen


def test_quitting_the_debugger_fails_only_that_request(apart):
    """
    `q` ends the request with an error; the worker goes on.
    """
    answer = apart.later("GET", "/stop")
    apart.see_prompt()
    apart.type("q")

    assert 500 == answer().status
    assert "ok" == apart.get("/").text


def test_quitting_the_debugger_fails_the_attempt(apart):
    """
    `q` in a step is an exception like any other.
    """
    apart.later("GET", "/create")
    apart.see_prompt()
    apart.type("q")
    status = apart.until("/status", lambda answer: answer.json["status"] == "errored").json

    assert ("errored", "BdbQuit") == (status["status"], status["error"]["name"])


def test_ctrl_c_on_a_terminal_ends_everything(apart):
    """
    Ctrl-C reaches both processes; the emulator ends both, with exit code 0 and no traceback.
    """
    began = time.monotonic()
    apart.press_ctrl_c()
    code = apart.process.wait(5)

    assert 0 == code
    assert time.monotonic() - began < 1
    assert "Traceback" not in apart.screen


def _is_there(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
