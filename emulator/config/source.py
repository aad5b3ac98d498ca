"""A config file as it was read: TOML, JSON or JSON with comments, and the line of each key once somebody asks."""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from emulator.config.lines import json_lines, toml_lines
from emulator.config.report import Complaint, Way, spelled
from emulator.errors import ConfigError, Problem

# The longer mark of UTF-32 begins with the one of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32 (little-endian)",
    codecs.BOM_UTF32_BE: "UTF-32 (big-endian)",
    codecs.BOM_UTF16_LE: "UTF-16 (little-endian)",
    codecs.BOM_UTF16_BE: "UTF-16 (big-endian)",
}
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
# As tomllib says it, whose words are for those who write parsers.
_TWICE = re.compile(r"cannot (?:(?P<closed>mutate immutable namespace)|declare) \((?P<keys>.*)\)(?: twice)?")
_KEY = re.compile(r"'([^']*)'")
_STRING = r'"(?:\\.|[^"\\\n])*"'
_COMMENT = re.compile(rf"{_STRING}|(//[^\n]*|/\*.*?\*/)", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|(,)(?=\s*[}}\]])")


@dataclass(frozen=True)
class Source:
    """One file with what it says."""

    path: Path
    text: str
    data: Mapping[str, Any]

    @property
    def is_toml(self) -> bool:
        return self.path.suffix == ".toml"

    @cached_property
    def _lines(self) -> dict[Way, int]:
        return toml_lines(self.text) if self.is_toml else json_lines(self.text)

    def line(self, way: Way) -> int | None:
        """The line of a key; of the nearest table around it, if it is not there."""
        while way and way not in self._lines:
            way = way[:-1]
        return self._lines.get(way)

    def problems(self, complaints: Iterable[Complaint]) -> tuple[Problem, ...]:
        """Complaints with file and line, in the order of the file."""
        found = [
            Problem(path=spelled(each.way), message=each.message, file=self.path.name, line=self.line(each.way))
            for each in complaints
        ]
        return tuple(sorted(found, key=lambda problem: problem.line or 0))


def read(path: Path) -> Source:
    """Read a config. Raises ConfigError where it cannot be read or is not what its name says."""
    text = read_text(path)
    parse = {".toml": _toml, ".json": _json, ".jsonc": _json}.get(path.suffix)
    if parse is None:
        _refuse(path, "a config is a file that ends in .toml, .json or .jsonc")
    return Source(path, text, parse(path, text))


def read_text(path: Path) -> str:
    """A text in UTF-8, without the mark some editors put first. Raises ConfigError."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        _refuse(path, f"cannot be read: {(error.strerror or str(error)).lower()}")
    for mark, name in _MARKS.items():
        if raw.startswith(mark):
            _refuse(path, f"expected UTF-8, got {name}; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        _refuse(path, f"expected UTF-8; byte 0x{raw[error.start]:02x} is not part of any character there", line)


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        message = _why(error)
        place = _PLACE.search(message)
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        where = f", column {place[2]}" if place and place[2] else ""
        message = _PLACE.sub("", message)
        _refuse(path, f"not valid TOML: {_said_twice(message, text, line) or message + where}", line)


def _said_twice(message: str, text: str, line: int) -> str | None:
    """What to do where a table begins that is there already; None for any other mistake."""
    found = _TWICE.fullmatch(message)
    if found is None:
        return None
    before, way = text.split("\n")[: line - 1], tuple(_KEY.findall(found["keys"]))
    lines = toml_lines("\n".join(before))
    while way and way not in lines:
        way = way[:-1]
    there = f"{spelled(way)} stands on line {lines[way]} already" if way else "it stands further up already"
    if found["closed"] or (way and not before[lines[way] - 1].lstrip().startswith("[")):
        return f"{there}, with =, and a [table] cannot add to it; write all of it in one of the two ways"
    return f"{there}, and a [table] is written once; move these lines there"


def _json(path: Path, text: str) -> dict[str, Any]:
    try:
        found = json.loads(_plain_json(text), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        _refuse(path, f"not valid JSON: {_lower(error.msg)}, column {error.colno}", error.lineno)
    except (ValueError, RecursionError) as error:
        _refuse(path, f"not valid JSON: {_why(error)}")
    if not isinstance(found, dict):
        _refuse(path, "expected an object { … } around everything", 1)
    return found


def _plain_json(text: str) -> str:
    """Comments and last commas turned into blanks, so that every place stays where it is."""
    without = _COMMENT.sub(lambda found: _blank(found[0]) if found[1] else found[0], text)
    return _LAST_COMMA.sub(lambda found: " " if found[1] else found[0], without)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number there")


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else _lower(str(error))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _refuse(path: Path, message: str, line: int | None = None) -> NoReturn:
    raise ConfigError([Problem(path="", message=message, file=path.name, line=line)])
