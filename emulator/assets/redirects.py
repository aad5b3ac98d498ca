"""`_redirects`: a rule a line, `from to [status]`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from emulator.assets import patterns
from emulator.assets.patterns import Pattern

FILE = "_redirects"

_STATUSES = (200, 301, 302, 303, 307, 308)
_USUAL = 302
_MOST_STATIC, _MOST_DYNAMIC, _LONGEST = 2_000, 100, 2_000
_COMMENT = re.compile(r"(^|\s)#.*")
_BACK_TO_INDEX = re.compile(r".*/index(\.html)?")
_SLASHES = re.compile(r"[/\\]+")


@dataclass(frozen=True)
class Rule:
    """Where a path leads to, and how: 200 is another file's content under this path."""

    source: Pattern
    target: str
    status: int


@dataclass(frozen=True)
class Redirects:
    """
    The rules of a file: exact ones, by their path, come first, the rest in their order.

    `problems` are the lines left out.
    """

    exact: Mapping[str, Sequence[Rule]] = field(default_factory=dict)
    dynamic: tuple[Rule, ...] = ()
    problems: tuple[str, ...] = ()

    def match(self, host: str, path: str) -> tuple[str, int] | None:
        """The target and the status for a path."""
        for rule in (*self.exact.get(path, ()), *self.dynamic):
            values = rule.source.match(host, path)
            if values is not None:
                return _within(patterns.filled(rule.target, values)), rule.status
        return None


class _Reading:
    """The rules so far, while the lines are read."""

    def __init__(self, *, html: bool) -> None:
        self.html = html
        self.exact: dict[Pattern, Rule] = {}
        self.dynamic: dict[Pattern, Rule] = {}

    def add(self, line: str) -> str | None:
        """Take a line; what is wrong with it otherwise."""
        rule = _rule(line, html=self.html)
        if isinstance(rule, str):
            return rule
        if rule.source in self.exact or rule.source in self.dynamic:
            return "this path has a rule already; the first one counts"
        # Once a rule has a placeholder, order counts for all that follow.
        is_exact = rule.source.is_exact and not self.dynamic
        rules, most = (self.exact, _MOST_STATIC) if is_exact else (self.dynamic, _MOST_DYNAMIC)
        if len(rules) >= most:
            return f"more than {most} {'static' if is_exact else 'dynamic'} rules"
        rules[rule.source] = rule
        return None


def parse(text: str, *, html: bool = True) -> Redirects:
    """The rules of a file; `html`: paths of HTML files are made pretty, so some rules would go round in circles."""
    reading = _Reading(html=html)
    problems = tuple(f"{FILE}:{number}: {why}; left out" for number, why in _problems(text, reading))
    return Redirects(_by_path(reading.exact.values()), tuple(reading.dynamic.values()), problems)


def location(target: str, query: str) -> str:
    """The target as a browser is told it: it keeps the query of the request unless it has one of its own."""
    url = urlsplit(target)
    if not query or url.query:
        return target
    before, mark, fragment = target.partition("#")
    return f"{before}?{query}{mark}{fragment}"


def _by_path(rules: Iterable[Rule]) -> Mapping[str, Sequence[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        found.setdefault(rule.source.path, []).append(rule)
    return found


def _problems(text: str, reading: _Reading) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        line = _COMMENT.sub("", line).strip()
        why = reading.add(line) if line else None
        if why is not None:
            yield number, why


def _rule(line: str, *, html: bool) -> Rule | str:
    if len(line) > _LONGEST:
        return f"longer than {_LONGEST} characters"
    parts = line.split()
    if len(parts) not in (2, 3):
        return f"expected a path, a target and perhaps a status, got {len(parts)} words"
    source, target, status = patterns.parse(parts[0]), parts[1], _status(*parts[2:])
    if source is None:
        return f"expected a path that begins with /, or a URL with https://, got {parts[0]}"
    if status is None:
        return f"expected one of the statuses {', '.join(map(str, _STATUSES))}, got {parts[2]}"
    return _wrong(source, target, status, html=html) or Rule(source, target, status)


def _wrong(source: Pattern, target: str, status: int, *, html: bool) -> str | None:
    is_here = target.startswith("/")
    if not is_here and not target.startswith(("http://", "https://")):
        return f"expected a target that begins with /, http:// or https://, got {target}"
    if status == 200 and not is_here:
        return "a rewrite, status 200, stays within the assets; give a target that begins with /"
    if html and is_here and source.path.endswith(("/", "/*")) and _BACK_TO_INDEX.fullmatch(target):
        return "would go round in circles, since index.html is served under its folder's path"
    return None


def _status(text: str = str(_USUAL)) -> int | None:
    return int(text) if text.isdecimal() and int(text) in _STATUSES else None


def _within(target: str) -> str:
    """A target that begins with two slashes would name another host."""
    return _SLASHES.sub("/", target, count=1) if target.startswith(("/", "\\")) else target
