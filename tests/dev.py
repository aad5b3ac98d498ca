"""A real `emulator dev` in a process of its own, as somebody at a terminal would start and use it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from support import CONFIG, Answer

PROJECT = Path(__file__).parent.parent
PATIENCE = 10


class Dev:
    """Starts with `with Dev(folder) as dev:`, is ready inside, and is gone afterwards with all its children."""

    def __init__(self, folder, *options, code=None, config="", ready=True, environment=None):
        self.folder = folder
        self.lines = []
        self._options = options
        self._ready = ready
        self._environment = environment or {}
        self._news = threading.Condition()
        if code is not None:
            self.save("wrangler.toml", CONFIG + config)
            self.save("entry.py", code)

    def command(self):
        config = self.folder / "wrangler.toml"
        return [sys.executable, "-m", "emulator", "dev", "-c", config, "--port", "0", *map(str, self._options)]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(PROJECT), **self._environment},
            cwd=self.folder,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if self._ready:
            line = self.wait_for("Ready on ")
            self.url = line[line.index("http://") :].split()[0].rstrip('"')
            self.port = int(self.url.rpartition(":")[2])
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.kill()
        self._reader.join(PATIENCE)
        self.process.stdout.close()

    def _read(self):
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self._news.notify_all()

    # The terminal

    @property
    def text(self):
        """All that was printed so far."""
        return "\n".join(self.lines)

    def wait_for(self, words, seconds=PATIENCE):
        """The first line with these words in it."""
        with self._news:
            self._news.wait_for(lambda: any(words in line for line in self.lines), seconds)
            found = next((line for line in self.lines if words in line), None)
        assert found is not None, f"no line with {words!r} within {seconds} s:\n{self.text}"
        return found

    # The editor

    def save(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    # The browser

    def request(self, method, path, body=None, headers=None, host="127.0.0.1"):
        connection = http.client.HTTPConnection(host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            given = [(name.lower(), value) for name, value in response.getheaders()]
            return Answer(response.status, given, response.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path, body=None, **headers):
        """JSON, unless the body is bytes."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if not isinstance(body, bytes):
            body, given = json.dumps(body).encode(), {"content-type": "application/json", **given}
        return self.request("POST", path, body, given)

    def until(self, path, is_so, seconds=PATIENCE):
        """Ask until the answer is so; returns it, or the last one."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.get(path)
            if is_so(answer) or time.monotonic() > deadline:
                return answer
            time.sleep(0.01)

    def later(self, method, path, *arguments, **options):
        """A request in the background; call the result for its answer, or for the error it ended with."""
        found = []

        def ask():
            try:
                found.append(self.request(method, path, *arguments, **options))
            except OSError as error:
                found.append(error)
            except http.client.HTTPException as error:
                found.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()

        def answer(seconds=PATIENCE):
            thread.join(seconds)
            return found[0] if found else None

        return answer

    # The end

    def children(self):
        """The pids of the processes it has started and that still run."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in found]

    def stop(self, number=signal.SIGTERM):
        """Ask it to end; returns the exit code, the seconds it took, and which children it left behind."""
        children = self.children()
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        took = time.monotonic() - began
        return code, took, [pid for pid in children if is_running(pid)]

    def kill(self, *, also=()):
        """kill -9, of these children in the same moment too."""
        for pid in (*also, self.process.pid):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


def eventually(is_so, seconds=PATIENCE):
    """Look until it is so; whether it came to be."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_running(pid):
    """Whether a process is there and is no zombie that only waits to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def command(folder, *arguments, environment=None, given=""):
    """`emulator …` run to its end: (exit code, stdout, stderr)."""
    done = subprocess.run(
        [sys.executable, "-m", "emulator", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **(environment or {})},
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout, done.stderr
