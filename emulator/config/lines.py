"""
Which line each key of a config stands on, for TOML and JSON alike.

Only texts that the real parser has accepted come here, so it is enough to tell keys from values. It is asked for only
when there is something to complain about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from emulator.config.report import Way

# A comment, a string of any kind, a date or time, a bare word or number, a sign; the two languages do not clash.
_TOKENS = r'''
    (?P<skip> \#[^\n]* | //[^\n]* | /\*.*?\*/ | \s+ )
  | (?P<text> """(?:\\.|[^\\])*?"{3,5} | \'\'\'.*?\'{3,5} | "(?:\\.|[^"\\\n])*" | \'[^\'\n]*\' )
  | (?P<word> (?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d[\d:.+\-Zz]* | [A-Za-z0-9_+\-]+ )
  | (?P<sign> . )
'''


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


class _Reader:
    """Goes through the tokens once and notes the line of each key. `lengths` are those of the lists of tables."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.lines: dict[Way, int] = {}
        self.lengths: dict[Way, int] = {}

    def next_is(self, sign: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].text == sign

    def take(self, sign: str = "") -> _Token | None:
        """The next token, or only if it is this sign."""
        if self.at >= len(self.tokens) or (sign and not self.next_is(sign)):
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def statements(self) -> None:
        """TOML: headers, and keys with values below them."""
        here: Way = ()
        while self.at < len(self.tokens):
            if self.take("["):
                here = self.header()
            else:
                self.pair(here)

    def header(self) -> Way:
        is_list = self.take("[") is not None
        line = self.tokens[self.at].line
        way = self.key(())
        self.take("]")
        if is_list:
            self.take("]")
            self.lines.setdefault(way, line)
            self.lengths[way] = self.lengths.get(way, 0) + 1
            way = (*way, self.lengths[way] - 1)
        self.lines[way] = line
        return way

    def key(self, way: Way) -> Way:
        """A dotted key, below a way; a list on the way stands for its last table."""
        while True:
            token = self.take()
            if token is None:
                return way
            if way in self.lengths:
                way = (*way, self.lengths[way] - 1)
            way = (*way, _name(token))
            self.lines.setdefault(way, token.line)
            if not self.take("."):
                return way

    def pair(self, here: Way) -> None:
        way = self.key(here)
        self.take("=") or self.take(":")
        self.value(way)

    def value(self, way: Way) -> None:
        if self.take("{"):
            self.inline_table(way)
        elif self.take("["):
            self.items(way)
        else:
            self.take()
            while self.take("."):
                self.take()

    def inline_table(self, way: Way) -> None:
        while self.at < len(self.tokens) and not self.take("}"):
            if not self.take(","):
                self.pair(way)

    def items(self, way: Way) -> None:
        count = 0
        while self.at < len(self.tokens) and not self.take("]"):
            if not self.take(","):
                self.lines[(*way, count)] = self.tokens[self.at].line
                self.value((*way, count))
                count += 1


def toml_lines(text: str) -> dict[Way, int]:
    """The line of every key and list item of a valid TOML text."""
    reader = _Reader(list(_tokens(text)))
    reader.statements()
    return reader.lines


def json_lines(text: str) -> dict[Way, int]:
    """The same of a valid JSON text, with comments or without."""
    reader = _Reader(list(_tokens(text)))
    reader.value(())
    return reader.lines


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in re.finditer(_TOKENS, text, re.VERBOSE | re.DOTALL):
        kind, found = match.lastgroup or "", match.group()
        if kind != "skip":
            yield _Token(kind, found, line)
        line += found.count("\n")


def _name(token: _Token) -> str:
    if token.kind != "text":
        return token.text
    if token.text.startswith('"'):
        try:
            return str(json.loads(token.text))
        except ValueError:
            pass
    return token.text[1:-1]
