"""One event, one line, one shape: what the terminal shows, as text or as JSON."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

from emulator.tracebacks import folded, with_public_names

_COLOURS = {"green": "32", "yellow": "33", "red": "31", "blue": "34", "dim": "2"}

# Workflow/id, and behind it what happens there. Of an id that somebody chose the end may be all that is its own.
_MADE_UP_ID = re.compile(r"^([^/]+/[0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?= [›↶] |$)")


class Terminal:
    """
    Writes lines to a stream; all lines of one turn of the loop in one write.

    Tracebacks are `whole` for programs and for who asks for it; else frames that are not the user's are counted.
    """

    def __init__(self, out: TextIO | None = None, *, as_json: bool = False, whole: bool = False) -> None:
        self._out = _forgiving(out or sys.stdout)
        self.as_json = as_json
        self._is_whole = as_json or whole
        self._is_seen = not as_json and self._out.isatty()
        self._coloured = self._is_seen and "NO_COLOR" not in os.environ
        self._has_prompt = self._is_behind_prompt = False
        self._lines: list[str] = []

    def event(
        self, label: str, title: str, result: str, milliseconds: float | None = None, *, colour: str = ""
    ) -> None:
        """`GET    /orders/7              200   12 ms`"""
        if self.as_json:
            self._json(event=label, title=title, result=result, milliseconds=milliseconds)
            return
        took = "" if milliseconds is None else f"{milliseconds:>6.0f} ms"
        text = f"{self._paint(label.ljust(6), 'dim')} {_safe(title):<28} {self._paint(_safe(result), colour)}{took}"
        self._line(text.rstrip())

    def output(self, mark: str, stream: str, text: str) -> None:
        """A line the user's code printed, or a traceback, marked with the invocation that made it."""
        for line in self._shown(text).split("\n"):
            if self.as_json:
                self._json(event="PRINT", title=mark, stream=stream, result=line)
            else:
                colour = "yellow" if stream == "error" else ""
                self._line(f"{self._paint(f'{mark} │', 'dim')} {self._paint(_safe(line), colour)}")

    def trace(self, text: str) -> None:
        """What went wrong, and where."""
        self.plain(self._shown(text), colour="red")

    def plain(self, text: str, *, colour: str = "") -> None:
        """Text as it is: the banner, an error's traceback."""
        if self.as_json:
            self._json(event="NOTE", result=text)
            return
        for line in text.splitlines():
            self._line(self._paint(_safe(line), colour))

    def ready(self, text: str, **facts: object) -> None:
        """It serves: a line for people; for machines an object that holds `facts` too."""
        if self.as_json:
            self._json(event="READY", result=text, **facts)
        else:
            self.plain(text, colour="green")

    def named(self, title: str) -> str:
        """`order/8f2e1c04 › charge`: of an id made up by itself the beginning, which is enough to know it by."""
        return title if self.as_json else _MADE_UP_ID.sub(r"\1", title)

    def prompt(self, is_there: bool, *, is_answered: bool = True) -> None:
        """A debugger asks on the same terminal, or does no more: lines begin below what it wrote and was typed."""
        self._has_prompt = is_there
        self._is_behind_prompt = is_there or not is_answered

    def clear(self, sequence: str) -> None:
        """Make a terminal empty."""
        self.flush()
        self._out.write(sequence)
        self._out.flush()

    def flush(self) -> None:
        """Write what has come together."""
        lines, self._lines = self._lines, []
        if not lines:
            return
        if self._is_behind_prompt and self._is_seen:
            lines.insert(0, "")
        self._is_behind_prompt = self._has_prompt
        try:
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()
        except OSError:
            # The terminal went away (a closed pipe); serving goes on.
            self._out = open(os.devnull, "w")  # noqa: SIM115, PTH123

    def _shown(self, text: str) -> str:
        public = with_public_names(text)
        return public if self._is_whole else folded(public)

    def _json(self, **fields: object) -> None:
        fields = {key: value for key, value in fields.items() if value is not None}
        self._line(json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **fields}))

    def _line(self, text: str) -> None:
        self._lines.append(text)
        if len(self._lines) > 1:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
        else:
            # A turn later: answers that are sent in this one do not wait for the terminal.
            loop.call_soon(loop.call_soon, self.flush)

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._coloured and colour else text


def _forgiving(out: TextIO) -> TextIO:
    """A redirected console may know few letters; those it lacks must not cost it whole lines."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="replace")
    return out


def _safe(text: str) -> str:
    """Control characters of a request or a worker must not reach the terminal as such."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)
