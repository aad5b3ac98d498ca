"""The syntax of `.dev.vars` and `.env` files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_ENTRY = re.compile(r"(?:export[ \t]+)?([\w.-]+)(?:[ \t]*=[ \t]*|:[ \t]+)", re.ASCII)
_QUOTED = {
    '"': re.compile(r'"((?:\\.|[^"\\])*)"[ \t]*(?:#[^\n]*)?(?=\n|$)', re.DOTALL),
    "'": re.compile(r"'((?:\\'|[^'])*)'[ \t]*(?:#[^\n]*)?(?=\n|$)"),
    "`": re.compile(r"`((?:\\`|[^`])*)`[ \t]*(?:#[^\n]*)?(?=\n|$)"),
}
_ESCAPES = {"\\n": "\n", "\\r": "\r"}
_REFERENCE = re.compile(r"\\\$|\$\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|\$([A-Za-z_]\w*)", re.ASCII)


@dataclass(frozen=True)
class Line:
    """One entry, or a line that is none: then `name` is empty and `value` is what stands there."""

    number: int
    name: str
    value: str


def parse(text: str) -> Iterator[Line]:
    """Each entry of a file, in order; values in quotes may have several lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    at = 0
    while at < len(text):
        end = _end_of_line(text, at)
        start = at + len(text[at:end]) - len(text[at:end].lstrip())
        line = text[start:end].strip()
        if line and not line.startswith("#"):
            entry, end = _entry(text, start, end)
            yield entry
        at = end + 1


def values(text: str) -> dict[str, str]:
    """What a file sets; of two entries for a name the later counts."""
    return {line.name: line.value for line in parse(text) if line.name}


def expand(found: Mapping[str, str]) -> dict[str, str]:
    """
    Put values in the place of $NAME, ${NAME} and ${NAME:-otherwise}; what is not there is empty, and \\$ is a plain $.
    """
    return {name: _expanded(value, found, (name,)) for name, value in found.items()}


def _entry(text: str, start: int, end: int) -> tuple[Line, int]:
    """The entry at a place and where it ends."""
    number = text.count("\n", 0, start) + 1
    match = _ENTRY.match(text, start, end)
    if match is None:
        return Line(number, "", text[start:end].strip()), end
    quoted = _QUOTED.get(text[match.end() : match.end() + 1])
    whole = quoted.match(text, match.end()) if quoted else None
    if whole is None:
        return Line(number, match[1], _bare(text[match.end() : end])), end
    value = whole[1]
    if whole[0].startswith('"'):
        value = re.sub(r"\\[nr]", lambda escape: _ESCAPES[escape[0]], value)
    return Line(number, match[1], value), whole.end()


def _bare(text: str) -> str:
    """A value without quotes: it ends at the line's end, or before a # that follows a blank."""
    return re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _expanded(value: str, found: Mapping[str, str], within: tuple[str, ...]) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match[0] == "\\$":
            return "$"
        name = match[1] or match[3]
        # A name that leads back to itself is empty rather than endless.
        inner = "" if name in within else _expanded(found.get(name, ""), found, (*within, name))
        return inner or _expanded(match[2] or "", found, within)

    return _REFERENCE.sub(replaced, value)
