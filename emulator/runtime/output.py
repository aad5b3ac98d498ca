"""What the user's code prints and logs, marked with the invocation that made it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextvars import ContextVar

speaker: ContextVar[int] = ContextVar("speaker", default=0)
"""The conversation on whose behalf code runs now; 0 is the worker's own module body."""

_LONGEST_LINE = 64_000


class MarkedOutput(io.TextIOBase):
    """Stands in for `sys.stdout` or `sys.stderr`: whole lines go to `send(speaker, stream, text)`."""

    def __init__(self, stream: str, real: io.TextIOBase | None, send: Callable[[int, str, str], None]) -> None:
        self._stream = stream
        self._real = real
        self._send = send
        self._open_lines: dict[int, str] = {}

    def write(self, text: str) -> int:
        by = speaker.get()
        whole, newline, rest = (self._open_lines.pop(by, "") + text).rpartition("\n")
        if newline:
            for line in whole.split("\n"):
                self._send(by, self._stream, _capped(line))
        if len(rest) > _LONGEST_LINE:
            self._send(by, self._stream, _capped(rest))
        elif rest:
            self._open_lines[by] = rest
        return len(text)

    def finish(self, by: int) -> None:
        """Send what an invocation left without a newline."""
        rest = self._open_lines.pop(by, "")
        if rest:
            self._send(by, self._stream, rest)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        if self._real is None:
            raise io.UnsupportedOperation("fileno")
        return self._real.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "replace"


def capture(send: Callable[[int, str, str], None]) -> tuple[MarkedOutput, MarkedOutput]:
    """Put marked outputs in the place of the process's own."""
    outputs = (MarkedOutput("out", sys.__stdout__, send), MarkedOutput("error", sys.__stderr__, send))  # type: ignore[arg-type]
    sys.stdout, sys.stderr = outputs  # type: ignore[assignment]
    return outputs


def _capped(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + " [cut]"
