"""The headers of an e-mail. Pure, standard library only; not by the email package, which is slow to import."""

from __future__ import annotations

import re

_HEADER = re.compile(r"[!-9;-~]+[ \t]*:")
_FOLDED = re.compile(r"\n[ \t]+")


def headers_of(raw: bytes) -> list[tuple[str, str]]:
    """The headers of a message, names in lower case, folded lines joined. Raises ValueError for what are none."""
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("utf-8", "replace").rstrip("\n")
    lines = _FOLDED.sub(" ", head).split("\n")
    wrong = next((line for line in lines if not _HEADER.match(line)), None)
    if wrong is not None:
        raise ValueError(f"{wrong[:80]!r} is no header of a message; write `Name: value`, before the first empty line")
    return [(name.rstrip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
