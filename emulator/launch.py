"""Start the user's interpreter with our runtime in it. Imports little: it is the first thing a start-up does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from emulator.errors import EmulatorError

_RUNTIME = Path(__file__).parent / "runtime" / "__main__.py"
_VENVS = (".venv-workers", ".venv")
_ASKED_FOR = 0.2
_LAST_MOMENT = 0.05


def interpreter_for(project: Path, asked: str | None = None) -> str:
    """The interpreter for a project: `--python`, else its `.venv-workers` or `.venv`, else our own."""
    if asked:
        # A path is one from where the command was given, and the process starts in the worker's folder. Links stay
        # links: a virtual environment's Python knows by its place what it belongs to.
        is_path = os.path.dirname(asked)  # noqa: PTH120 - a Path would forget the dot of ./python
        return str(Path(asked).absolute()) if is_path else asked
    for venv in _VENVS:
        for relative in ("bin/python", "Scripts/python.exe"):
            candidate = project / venv / relative
            if candidate.exists():
                return str(candidate)
    return sys.executable


def passed_over(project: Path) -> Path | None:
    """The project's virtual environment, where a worker in this process does not run in it."""
    found = Path(interpreter_for(project))
    folder = found.parent.parent
    return None if str(found) == sys.executable or folder.resolve() == Path(sys.prefix).resolve() else folder


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What the user's process may take: bytes of memory, and seconds without an answer; None is without a limit."""

    memory: int | None = 4 << 30
    seconds: float | None = 30.0


@dataclass
class Launched:
    """A process of the user's interpreter: the socket to it, and what is needed to end it."""

    process: subprocess.Popen[bytes]
    socket: socket.socket
    lifeline: int
    stack_file: IO[bytes]
    allowance: Allowance
    reason: str = field(default="")

    def kill(self, reason: str = "") -> None:
        self.reason = self.reason or reason
        with contextlib.suppress(OSError):
            self.process.kill()

    async def end(self) -> None:
        """Wait for a process that was asked to stop; kill it when it does not."""
        deadline = time.monotonic() + _ASKED_FOR
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.kill("it did not stop when asked to")
            await asyncio.sleep(0.005)
        self._clean_up()

    def epitaph(self) -> str:
        """How the process ended, in words. One that has only closed its connection is ended, for it is of no use."""
        # The loop stands still meanwhile: connections are closed a moment before the process can be waited for.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_LAST_MOMENT)
        code = self.process.poll()
        if code is None:
            self.process.kill()
            self.process.wait()
        self._clean_up()
        if self.reason:
            return self.reason
        if code is None:
            return "it closed its connection"
        return _cause(code)

    def stack(self) -> str:
        """
        Where it hung, innermost frame first, as the timer in the process wrote it down since the last look.

        Empty when it did not. The two processes share the place in the file where the next one writes.
        """
        if self.stack_file.closed:
            return ""
        self.stack_file.seek(0)
        found = self.stack_file.read().decode("utf-8", "replace")
        self.stack_file.seek(0)
        self.stack_file.truncate()
        return found

    def _clean_up(self) -> None:
        if self.lifeline >= 0:
            os.close(self.lifeline)
            self.lifeline = -1
        self.stack_file.close()


def launch_for(project: Path, asked: str | None = None, allowance: Allowance = Allowance()) -> Launched:
    """Start the interpreter for a project. Raises EmulatorError if it cannot be started."""
    interpreter = interpreter_for(project, asked)
    try:
        return launch(interpreter, project, allowance)
    except OSError as error:
        raise EmulatorError(f"{interpreter} cannot be started: {error.strerror}; give another with --python") from error


def launch(interpreter: str, folder: Path, allowance: Allowance) -> Launched:
    """Start a process that waits for `load`, with the worker's folder as its working directory."""
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        connection, other = socket.socketpair()
        ours.enter_context(connection)
        theirs.enter_context(other)
        reader, lifeline = os.pipe()
        theirs.callback(os.close, reader)
        ours.callback(os.close, lifeline)
        # It has no name, so that nothing is left of it however the two processes end.
        stack_file = ours.enter_context(tempfile.TemporaryFile(buffering=0))
        handles, inheriting = _handed_over(other, reader, stack_file.fileno())
        # -B: bytecode beside the user's files would be the user's to clean up.
        command = [interpreter, "-B", str(_RUNTIME), *map(str, handles), str(allowance.memory or 0)]
        process = _start(command, folder, inheriting)
        ours.pop_all()
    return Launched(process, connection, lifeline, stack_file, allowance)


def _start(command: list[str], folder: Path, inheriting: dict[str, Any]) -> subprocess.Popen[bytes]:
    stdin = None if _is_terminal() else subprocess.DEVNULL
    with _without_interrupts():
        return subprocess.Popen(command, cwd=folder, stdin=stdin, **inheriting)


if sys.platform == "win32":
    import msvcrt

    def _handed_over(connection: socket.socket, *descriptors: int) -> tuple[tuple[int, ...], dict[str, Any]]:
        """What the process is told of its ends, and how it comes by them: Windows marks each handle itself."""
        handles = [msvcrt.get_osfhandle(each) for each in descriptors]
        connection.set_inheritable(True)
        for handle in handles:
            os.set_handle_inheritable(handle, True)
        return (connection.fileno(), *handles), {"close_fds": False}

    def _without_interrupts() -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

else:

    def _handed_over(connection: socket.socket, *descriptors: int) -> tuple[tuple[int, ...], dict[str, Any]]:
        """What the process is told of its ends, and how it comes by them."""
        handles = connection.fileno(), *descriptors
        return handles, {"pass_fds": handles}

    @contextlib.contextmanager
    def _without_interrupts() -> Iterator[None]:
        """
        What is started in here does not hear of Ctrl-C until it asks for it.

        Ctrl-C in the terminal reaches both processes, and a bare interpreter answers it with a traceback.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _cause(code: int) -> str:
    if code >= 0:
        return f"it exited with code {code}"
    told = f"killed by {_signal_name(-code)}"
    # Not by us, who give a reason. It is what the system does when memory runs short, and there is no way to tell.
    return f"{told}; the machine may have run out of memory" if told.endswith("SIGKILL") else told


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
