"""The servers that are measured: how each is started, when it is ready, what it holds in memory, how it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from math import nan
from pathlib import Path

from client import Client

HERE = Path(__file__).parent
REPOSITORY = HERE.parent

_READY = re.compile(rb"(?:Ready|running) on http://(?:127\.0\.0\.1|localhost):(\d+)")
_QUIET = {"WRANGLER_SEND_METRICS": "false", "NO_COLOR": "1", "CI": "1"}
_READY_SECONDS = 60.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Command:
    """How a server is started."""

    name: str
    arguments: list[str]
    folder: Path
    log: Path
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    """Where all of it plays: a temporary folder with a copy of each worker, and perhaps a wrangler."""

    folder: Path
    wrangler: str | None

    def sample(self) -> Command:
        """The emulator with the repository's own worker."""
        return self._emulator(REPOSITORY)

    def ours(self, worker: str) -> Command:
        """The emulator with one of the workers here, and a new state."""
        return self._emulator(self._copy(worker))

    def bare(self) -> Command:
        """uvicorn and starlette by themselves."""
        return self._command("bare", [sys.executable, str(HERE / "bare.py")], self._empty())

    def theirs(self) -> list[Command]:
        """`wrangler dev` with the JavaScript worker and a new state; none where there is no wrangler."""
        if self.wrangler is None:
            return []
        arguments = [self.wrangler, "dev", "--ip", "127.0.0.1", "--port", "0", "--inspector-port", "0"]
        return [self._command("wrangler", arguments, self._copy("js_worker"), **_QUIET)]

    def _emulator(self, project: Path) -> Command:
        config, state = project / "wrangler.toml", self._empty()
        arguments = ["-m", "emulator", "dev", "--port", "0", "-c", str(config), "--persist-to", str(state)]
        return self._command("ours", [sys.executable, *arguments], project)

    def _command(self, name: str, arguments: list[str], folder: Path, **variables: str) -> Command:
        log = self._empty() / "log"
        return Command(name=name, arguments=arguments, folder=folder, log=log, variables=variables)

    def _copy(self, worker: str) -> Path:
        return shutil.copytree(HERE / worker, self._empty(), dirs_exist_ok=True)

    def _empty(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))


class Server:
    """One life of a server, ready."""

    def __init__(self, command: Command) -> None:
        self.command, self.name = command, command.name
        began = time.perf_counter()
        self._process = _launched(command)
        try:
            port = self._port_when_ready(began + _READY_SECONDS)
        except BaseException:
            _end(self._process)
            raise
        self.seconds_to_ready = time.perf_counter() - began
        self.port = port
        self.client = Client(port)

    def megabytes(self) -> float:
        """The memory of all its processes; what they share counts once. Not a number where there is no /proc."""
        kilobytes = sum(map(_kilobytes, _tree(self._process.pid)))
        return kilobytes / 1024 if kilobytes else nan

    def resident(self) -> float:
        """Megabytes that all its processes have in memory: quick to ask, and what they share counts for each."""
        return sum(map(_resident, _tree(self._process.pid))) / 1024

    def own_resident(self) -> float:
        """The same of the process that was started, without those below it."""
        return _resident(self._process.pid) / 1024

    def stop(self) -> None:
        self.client.close()
        _end(self._process)

    def _port_when_ready(self, deadline: float) -> int:
        while time.perf_counter() < deadline and self._process.poll() is None:
            if found := _READY.search(self.command.log.read_bytes()):
                return int(found[1])
            time.sleep(0.001)
        said = self.command.log.read_text("utf-8", "replace")[-2000:]
        raise RuntimeError(f"{self.name} never became ready; it said:\n{said}")


@contextmanager
def running(*commands: Command) -> Iterator[list[Server]]:
    """All of them, ready; ended in any case."""
    with ExitStack() as stack:
        servers = []
        for command in commands:
            server = Server(command)
            stack.callback(server.stop)
            servers.append(server)
        yield servers


def _launched(command: Command) -> subprocess.Popen[bytes]:
    # It prints into a file. A pipe would have to be read while figures are taken, or the server would stand still.
    with command.log.open("wb") as log:
        return subprocess.Popen(
            command.arguments,
            cwd=command.folder,
            env={**os.environ, **command.variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; then make it, and those below it that are left."""
    _, *below = _tree(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    process.kill()
    process.wait()
    for pid in below:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in thread.read_text().split():
                yield from _tree(int(child))


def _kilobytes(pid: int) -> int:
    """The proportional share where the kernel tells it, else what is resident."""
    return _told(pid, "smaps_rollup", "Pss:") or _resident(pid)


def _resident(pid: int) -> int:
    return _told(pid, "status", "VmRSS:")


def _told(pid: int, name: str, key: str) -> int:
    """A line of a file in /proc; 0 where there is none."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1])
    return 0
