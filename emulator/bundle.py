"""Which files beside a worker the platform takes along: the config's `rules`, and those it has itself. Pure."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """Files of these globs are modules of this type. `fallthrough` lets the next rule of the type count as well."""

    type: str
    globs: tuple[str, ...]
    fallthrough: bool = False

    def takes(self, name: str) -> bool:
        return any(_pattern(glob).fullmatch(name) for glob in self.globs)


# The platform's own, after those of the config.
_OWN = (
    Rule("PythonModule", ("**/*.py",)),
    Rule("Text", ("**/*.txt", "**/*.html", "**/*.sql")),
    Rule("Data", ("**/*.bin",)),
    Rule("CompiledWasm", ("**/*.wasm",)),
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What the config says of it. `with_others` is `find_additional_modules`."""

    rules: tuple[Rule, ...] = ()
    with_others: bool = True

    def is_taken_by_own_rule(self, name: str) -> bool:
        return any(rule.takes(name) for rule in self._rules()[0] if rule in self.rules)

    def why_not(self, name: str) -> str | None:
        """Why a file, by its path within the module root with slashes, stays behind; None when it is taken along."""
        if not self.with_others:
            return "find_additional_modules = false in the config leaves every file but the main module behind"
        counted, ignored = self._rules()
        if any(rule.takes(name) for rule in counted):
            return None
        shadowed = next((rule for rule in ignored if rule.takes(name)), None)
        if shadowed is not None:
            return f"a rule of type {shadowed.type} before the one for it lacks fallthrough = true in the config"
        globs = ", ".join(glob for rule in counted for glob in rule.globs)
        return f"of the files beside the worker only {globs} are; add a rule for it to `rules` of the config"

    def _rules(self) -> tuple[list[Rule], list[Rule]]:
        """The rules that count, and those that an earlier one of their type keeps from counting."""
        counted: list[Rule] = []
        ignored: list[Rule] = []
        ended: set[str] = set()
        for rule in (*self.rules, *_OWN):
            (ignored if rule.type in ended else counted).append(rule)
            if not rule.fallthrough:
                ended.add(rule.type)
        return counted, ignored


# A whole segment of two stars or more with its slash; other stars; anything else.
_PIECE = re.compile(r"(?P<folders>(?:(?<=/)|^)\*{2,}(?:/|$))|(?P<stars>\*+)|(?P<plain>[^*]+)")


@functools.lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    """`**` between slashes is any number of folders, any other `*` is part of one name; nothing else is special."""
    return re.compile("".join(map(_piece, _PIECE.finditer(glob))))


def _piece(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "folders":
            return r"(?:[^/]*(?:/|$))*"
        case "stars":
            return r"[^/]*"
        case _:
            return re.escape(found[0])
