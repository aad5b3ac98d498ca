"""The patterns of `_headers` and `_redirects`: a path, perhaps with a host, with * and :names in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

_NAME = re.compile(r":[A-Za-z]\w*")
_PARTS = re.compile(r"\*|:[A-Za-z]\w*")
_URL = re.compile(r"https://([^/]+)(/.*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Pattern:
    """What a rule applies to. `names` are those of its placeholders; `*` is called splat."""

    path: str
    host: str | None = None
    names: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_exact(self) -> bool:
        return not self.names

    def match(self, host: str, path: str) -> Mapping[str, str] | None:
        """What the placeholders stand for; None when it does not apply."""
        found: dict[str, str] = {}
        if self.host is not None:
            host_found = self._host_regex.fullmatch(host.lower())
            if host_found is None:
                return None
            found |= host_found.groupdict()
        path_found = self._path_regex.fullmatch(path)
        return None if path_found is None else found | path_found.groupdict()

    @cached_property
    def _host_regex(self) -> re.Pattern[str]:
        return _regex(self.host or "", "[^/.]+")

    @cached_property
    def _path_regex(self) -> re.Pattern[str]:
        return _regex(self.path, "[^/]+")


def parse(text: str) -> Pattern | None:
    """A path that begins with /, or a URL with https; None for anything else."""
    names = tuple(name.lstrip(":").replace("*", "splat") for name in _PARTS.findall(text.removeprefix("https:")))
    if text.startswith("/"):
        return Pattern(text, names=names)
    found = _URL.fullmatch(text)
    return None if found is None else Pattern(found[2] or "/", found[1].lower(), names)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with the placeholders' values in it; those that nobody knows stay."""
    return _NAME.sub(lambda name: values.get(name[0][1:], name[0]), text)


def _regex(pattern: str, one: str) -> re.Pattern[str]:
    """A placeholder that comes twice must stand for the same text."""
    regex, end, seen = "", 0, set[str]()
    for part in _PARTS.finditer(pattern):
        name = "splat" if part[0] == "*" else part[0][1:]
        regex += re.escape(pattern[end : part.start()])
        regex += f"(?P={name})" if name in seen else f"(?P<{name}>{'.*' if part[0] == '*' else one})"
        seen.add(name)
        end = part.end()
    return re.compile(regex + re.escape(pattern[end:]), re.DOTALL)
