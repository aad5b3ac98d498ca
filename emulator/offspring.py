"""The processes that a process has started, and those that they have: Linux only, which tells in /proc."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
# Of /proc/PID/stat, counted from the field behind the name.
_STATE, _SESSION, _STARTED = 0, 3, 19


@dataclass(frozen=True)
class Offspring:
    """A process below another one. A pid is given again to others, so that its start is part of what it is."""

    pid: int
    started: str
    command: str

    def kill(self) -> bool:
        """End it; whether there was something to end, and it was ours to end: one that has changed its user is not."""
        found = _stat(self.pid)
        if not found or found[_STARTED] != self.started or found[_STATE] in "ZX":
            return False
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, signal.SIGKILL)
            return True
        return False


def offspring(pid: int) -> list[Offspring]:
    """All below a process that are of its session; one that has left it (`setsid`) means to stay."""
    found = _stat(pid)
    return list(_below(pid, found[_SESSION])) if found else []


def _below(pid: int, session: str) -> Iterator[Offspring]:
    for thread in (_PROC / str(pid) / "task").glob("*/children"):
        for child in map(int, _text(thread).split()):
            found = _stat(child)
            if found and found[_SESSION] == session:
                command = _text(_PROC / str(child) / "cmdline").replace("\0", " ").strip()
                yield Offspring(child, found[_STARTED], command)
                yield from _below(child, session)


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold anything."""
    return _text(_PROC / str(pid) / "stat").rpartition(")")[2].split()


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
