"""Paths as a URL writes them and as a folder has them. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

_SLASHES = re.compile("/+")
# What a browser leaves as it is in a part of a path.
_AS_IT_IS = "!~*'()"


def decoded(path: str) -> str:
    """The path with each part decoded, where it can be, and with single slashes."""
    return _SLASHES.sub("/", "/".join(map(_decoded, path.split("/"))))


def encoded(path: str) -> str:
    """The one right way to write a decoded path."""
    return "/".join(quote(part, safe=_AS_IT_IS) for part in path.split("/"))


def glob(pattern: str, path: str) -> bool:
    """Whether a path matches a pattern in which * stands for any characters."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), path, re.DOTALL) is not None


def _decoded(part: str) -> str:
    try:
        return unquote_to_bytes(part.encode("latin-1", "replace")).decode("utf-8")
    except UnicodeDecodeError:
        return part
