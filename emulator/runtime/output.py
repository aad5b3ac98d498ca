"""What the user's code prints and logs, marked with the invocation that made it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple, TextIO

Say = Callable[[int, str, str], None]

_LONGEST_LINE = 64_000
_TRACE = "Traceback (most recent call last):\n"


class Speaker(NamedTuple):
    """On whose behalf code runs: the number of the conversation, and how its session passes on what is printed."""

    number: int
    say: Say | None


speaker: ContextVar[Speaker] = ContextVar("speaker", default=Speaker(0, None))  # noqa: B039 - a tuple does not change
"""Who speaks now; nobody in particular while a module is imported."""


class MarkedOutput(io.TextIOBase):
    """Stands in for `sys.stdout` or `sys.stderr`: whole lines go to whoever speaks, or else to `otherwise`."""

    def __init__(self, stream: str, otherwise: Say) -> None:
        self.real: TextIO | None = None
        self._stream = stream
        self._otherwise = otherwise
        self._open_lines: dict[Speaker, str] = {}

    def write(self, text: str) -> int:
        by = speaker.get()
        whole, newline, rest = (self._open_lines.pop(by, "") + text).rpartition("\n")
        # A traceback that was written at once crosses in one piece: only then can it be shown shorter.
        if newline and _TRACE in whole and len(whole) <= _LONGEST_LINE:
            self._say(by, whole)
        elif newline:
            for line in whole.split("\n"):
                self._say(by, line)
        if len(rest) > _LONGEST_LINE:
            self._say(by, rest)
        elif rest:
            self._open_lines[by] = rest
        return len(text)

    def finish(self, by: Speaker) -> None:
        """Pass on what an invocation left without a newline."""
        rest = self._open_lines.pop(by, "")
        if rest:
            self._say(by, rest)

    def _say(self, by: Speaker, line: str) -> None:
        say = by.say or self._otherwise
        say(by.number, self._stream, _capped(line))

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        if self.real is None:
            raise io.UnsupportedOperation("fileno")
        return self.real.fileno()

    @property
    def buffer(self) -> io.RawIOBase:
        return _Raw(self)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "replace"


class _Raw(io.RawIOBase):
    """The `buffer` of a stand-in: bytes become its text."""

    def __init__(self, output: MarkedOutput) -> None:
        self._output = output

    def write(self, content: Any) -> int:
        self._output.write(bytes(content).decode("utf-8", "replace"))
        return len(content)

    def writable(self) -> bool:
        return True


class Outputs:
    """The stand-ins for the process's two outputs. Without `otherwise`, what no worker prints goes where it went."""

    def __init__(self, otherwise: Say | None = None) -> None:
        self._out = MarkedOutput("out", otherwise or self._to_real)
        self._error = MarkedOutput("error", otherwise or self._to_real)
        self.stand_in()

    def stand_in(self) -> None:
        """Take the place of the real ones; again, where somebody has put others there."""
        if sys.stdout is not self._out:
            self._out.real, sys.stdout = sys.stdout, self._out
        if sys.stderr is not self._error:
            self._error.real, sys.stderr = sys.stderr, self._error

    def put_back(self) -> None:
        """The real ones again, unless somebody has put others there."""
        if sys.stdout is self._out and self._out.real is not None:
            sys.stdout = self._out.real
        if sys.stderr is self._error and self._error.real is not None:
            sys.stderr = self._error.real

    def finish(self, by: Speaker) -> None:
        """Pass on the unfinished lines of an invocation that is over."""
        self._out.finish(by)
        self._error.finish(by)

    def _to_real(self, number: int, stream: str, line: str) -> None:
        print(line, file=(self._error if stream == "error" else self._out).real)


def _capped(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + " [cut]"
