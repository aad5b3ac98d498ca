"""A traceback as people read it: which frames are the user's own, and long runs of others counted in one line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

FRAME = re.compile(r'^[\s|+-]*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<name>.+))?$')

_NOT_USERS = re.compile(r"[/\\](?:site|dist)-packages[/\\]|[/\\]lib[/\\]python\d|Python\d+[/\\]Lib[/\\]|^<")
# At the head of a line stands the class of an exception.
_SDK = re.compile(r"^([\s|+-]*)emulator\.sdk\.(?=(?:workers|js|pyodide)\b)", re.MULTILINE)
_PACKAGE = re.compile(r"[/\\](?:site|dist)-packages[/\\]([^/\\]+?)(?:\.py)?(?:[/\\]|$)")
_OURS = str(Path(__file__).parent)
_MARGIN = re.compile(r"[\s|]*")
_FEWEST = 3


def is_users(filename: str) -> bool:
    """Whether a file is neither an installed package's, nor Python's own, nor the emulator's."""
    return _NOT_USERS.search(filename) is None and not filename.startswith(_OURS)


def with_public_names(text: str) -> str:
    """The text with classes of exceptions under the names by which a worker imports them."""
    return _SDK.sub(r"\1", text)


def folded(text: str) -> str:
    """
    The text with each long run of frames that are not the user's as one line, which counts and names them.

    Where no frame is the user's there is nothing to find by leaving the others out, and they stay.
    """
    parts = list(_parts(text.split("\n")))
    if not any(file and is_users(file) for file, _ in parts):
        return text
    lines: list[str] = []
    for are_others, run in groupby(parts, key=lambda part: bool(part[0]) and not is_users(part[0])):
        found = list(run)
        if are_others and len(found) >= _FEWEST:
            lines.append(_counted([file for file, _ in found], found[0][1][0]))
        else:
            lines += [line for _, part in found for line in part]
    return "\n".join(lines)


def _parts(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Each frame's file with its lines, and each line that is none of a frame's with no file."""
    frame: tuple[str, list[str]] | None = None
    depth = 0
    for line in lines:
        found = FRAME.match(line)
        if found is None and frame is not None and _depth(line) > depth:
            frame[1].append(line)
            continue
        if frame is not None:
            yield frame
        frame = (found["file"], [line]) if found else None
        if found:
            depth = _depth(line)
        else:
            yield "", [line]
    if frame is not None:
        yield frame


def _depth(line: str) -> int:
    return len(_margin(line)) if line.strip(" |") else 0


def _margin(line: str) -> str:
    found = _MARGIN.match(line)
    return found[0] if found else ""


def _counted(files: list[str], first: str) -> str:
    names = dict.fromkeys(_package(file) for file in files)
    return f"{_margin(first)}… {len(files)} frames of {', '.join(names)}"


def _package(file: str) -> str:
    if file.startswith(_OURS):
        return "emulator"
    found = _PACKAGE.search(file)
    return found[1] if found else "Python"
