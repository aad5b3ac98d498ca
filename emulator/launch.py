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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.errors import EmulatorError

_RUNTIME = Path(__file__).parent / "runtime" / "__main__.py"
_VENVS = (".venv-workers", ".venv")
_ASKED_FOR = 0.2


def interpreter_for(project: Path, asked: str | None = None) -> str:
    """The interpreter for a project: `--python`, else its `.venv-workers` or `.venv`, else our own."""
    if asked:
        return asked
    for venv in _VENVS:
        for relative in ("bin/python", "Scripts/python.exe"):
            candidate = project / venv / relative
            if candidate.exists():
                return str(candidate)
    return sys.executable


@dataclass
class Launched:
    """A process of the user's interpreter: the socket to it, and what is needed to end it."""

    process: subprocess.Popen[bytes]
    socket: socket.socket
    lifeline: int
    stack_file: Path
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
        """How the process ended, in words."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.5)
        code = self.process.poll()
        self._clean_up()
        if self.reason:
            return self.reason
        if code is None:
            return "it closed its connection"
        if code < 0:
            return f"killed by {_signal_name(-code)}"
        return f"it exited with code {code}"

    def stack(self) -> str:
        """Where it hung, innermost frame first, as the timer in the process wrote it down; empty when it did not."""
        with contextlib.suppress(OSError):
            return self.stack_file.read_text("utf-8", "replace")
        return ""

    def _clean_up(self) -> None:
        if self.lifeline >= 0:
            os.close(self.lifeline)
            self.lifeline = -1
        self.stack_file.unlink(missing_ok=True)


def launch_for(project: Path, asked: str | None = None) -> Launched:
    """Start the interpreter for a project. Raises EmulatorError if it cannot be started."""
    interpreter = interpreter_for(project, asked)
    try:
        return launch(interpreter, project)
    except OSError as error:
        raise EmulatorError(f"{interpreter} cannot be started: {error.strerror}; give another with --python") from error


def launch(interpreter: str, folder: Path) -> Launched:
    """Start a process that waits for `load`, with the worker's folder as its working directory."""
    ours, theirs = socket.socketpair()
    reader, lifeline = os.pipe()
    number, stack_file = tempfile.mkstemp(prefix="emulator-stack-")
    os.close(number)
    handles, inheriting = _handed_over(theirs, reader)
    try:
        # -B: bytecode beside the user's files would be the user's to clean up.
        process = subprocess.Popen(
            [interpreter, "-B", str(_RUNTIME), *map(str, handles), stack_file],
            cwd=folder,
            stdin=None if _is_terminal() else subprocess.DEVNULL,
            **inheriting,
        )
    finally:
        theirs.close()
        os.close(reader)
    return Launched(process, ours, lifeline, Path(stack_file))


if sys.platform == "win32":
    import msvcrt

    def _handed_over(connection: socket.socket, reader: int) -> tuple[tuple[int, int], dict[str, Any]]:
        """What the process is told of its two ends, and how it comes by them: Windows marks each handle itself."""
        handle = msvcrt.get_osfhandle(reader)
        connection.set_inheritable(True)
        os.set_handle_inheritable(handle, True)
        return (connection.fileno(), handle), {"close_fds": False}

else:

    def _handed_over(connection: socket.socket, reader: int) -> tuple[tuple[int, int], dict[str, Any]]:
        """What the process is told of its two ends, and how it comes by them."""
        handles = connection.fileno(), reader
        return handles, {"pass_fds": handles}


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
