"""Where something stands, as people read it: paths near the folder they are in, the line that hangs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def near(path: str | Path, root: Path) -> str:
    """The path from a folder on, where it is inside."""
    path = Path(path)
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def where_it_hangs(stack: str, roots: Sequence[str]) -> str:
    """` at file:line` from a dump whose innermost frame comes first; the user's own frame if there is one."""
    frames = [line.strip().removeprefix("File ") for line in stack.splitlines() if line.startswith("  File ")]
    own = [frame for frame in frames if any(root in frame for root in roots) and "site-packages" not in frame]
    found = (own or frames)[:1]
    if not found:
        return ""
    file, _, rest = found[0].partition(", line ")
    quote = '"'
    return f" at {file.strip(quote)}:{rest.partition(' ')[0]}"
