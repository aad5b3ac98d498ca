"""`.assetsignore`: which files of the folder are not served, in the syntax of .gitignore. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

FILE = ".assetsignore"

_TOKENS = re.compile(
    r"(?P<any>(?<![^/])\*\*(?:/|$))|(?P<star>\*+)|(?P<one>\?)|(?P<set>\[[!^]?\]?[^\]]*\])|\\?(?P<text>.)"
)


@dataclass(frozen=True)
class Rule:
    """One line: the paths it matches, and whether it takes them back."""

    regex: re.Pattern[str]
    takes_back: bool
    folders_only: bool


@dataclass(frozen=True)
class Ignored:
    """The rules of a file; the last one that matches counts."""

    rules: tuple[Rule, ...] = ()
    problems: tuple[str, ...] = ()

    def __contains__(self, path: str) -> bool:
        """Whether a path, relative to the folder, or a folder above it, is ignored."""
        parts = path.strip("/").split("/")
        return any(self._ignores("/".join(parts[:count]), count < len(parts)) for count in range(1, len(parts) + 1))

    def _ignores(self, path: str, is_folder: bool) -> bool:
        for rule in reversed(self.rules):
            if (is_folder or not rule.folders_only) and rule.regex.fullmatch(path):
                return not rule.takes_back
        return False


def parse(text: str) -> Ignored:
    """The rules of a file."""
    rules: list[Rule] = []
    problems: list[str] = []
    for number, pattern in _patterns(text):
        try:
            rules.append(_rule(pattern))
        except re.error as error:
            problems.append(f"{FILE}:{number}: {pattern} is no pattern: {error}; left out")
    return Ignored(tuple(rules), tuple(problems))


def _patterns(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        pattern = line.rstrip()
        if pattern and not pattern.startswith("#"):
            yield number, pattern


def _rule(pattern: str) -> Rule:
    """Raises re.error for a set that is none."""
    takes_back = pattern.startswith("!")
    pattern = pattern.removeprefix("!")
    inner = pattern.rstrip("/")
    # A slash at the front or in the middle ties the pattern to the folder; without one it matches at any depth.
    depth = "" if "/" in inner else "(?:.*/)?"
    return Rule(re.compile(depth + _regex(inner.removeprefix("/")), re.DOTALL), takes_back, pattern.endswith("/"))


def _regex(pattern: str) -> str:
    return "".join(map(_token, _TOKENS.finditer(pattern)))


def _token(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "any":
            return "(?:.*/)?" if token[0].endswith("/") else ".*"
        case "star":
            return "[^/]*"
        case "one":
            return "[^/]"
        case "set":
            inner = token[0][1:-1]
            negated = inner[:1] in ("!", "^")
            return f"[{'^' if negated else ''}{re.escape(inner[negated:]).replace(chr(92) + '-', '-')}]"
        case _:
            return re.escape(token["text"])
