"""Saved files → reload, a few milliseconds after the save."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from watchfiles import Change, awatch

log = logging.getLogger("emulator")

# What the platform bundles with a worker, so what a worker may have read when it was loaded.
_SUFFIXES = (".py", ".html", ".txt", ".sql", ".bin", ".wasm")
_NOT_WATCHED = ("node_modules", "__pycache__", "python_modules", "site-packages", "venv")
_MANY = 2_000

# The library's own defaults wait 50 ms; a save is one or two events within a millisecond.
_DEBOUNCE_MS = 10
_STEP_MS = 1


async def watch(
    roots: Callable[[], Iterable[Path]], files: Callable[[], Iterable[Path]], reload: Callable[[], Awaitable[None]]
) -> None:
    """
    Call `reload` once for each burst of saves: of code under the roots, or of one of the files.

    Both are asked anew each time, since a reload may bring new ones. Never ends by itself.
    """
    while True:
        folders = _folders(roots(), files())
        stop = asyncio.Event()
        names = {str(file) for file in files()}
        async for changes in awatch(
            *folders,
            watch_filter=lambda change, path, names=names: _matters(change, path, names),  # type: ignore[misc]
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            recursive=False,
            stop_event=stop,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            if any(path in names or path.endswith(_SUFFIXES) for _, path in changes):
                await reload()
            if _folders(roots(), files()) != folders or {str(file) for file in files()} != names:
                break


def _matters(change: Change, path: str, names: set[str]) -> bool:
    name = os.path.basename(path)  # noqa: PTH119 - called for every event of a busy folder
    if path in names:
        return True
    if name.startswith("."):
        return False
    return path.endswith(_SUFFIXES) or (change is Change.added and os.path.isdir(path))  # noqa: PTH112


def _folders(roots: Iterable[Path], files: Iterable[Path]) -> list[Path]:
    """The folders to watch, each by itself: a virtual environment beside the code would cost thousands."""
    found = {file.parent for file in files if file.parent.is_dir()}
    for root in roots:
        for folder in _walk(root):
            found.add(folder)
            if len(found) > _MANY:
                log.warning("more than %d folders under %s; saves in the rest are not noticed", _MANY, root)
                return sorted(found)
    return sorted(found)


def _walk(root: Path) -> Iterator[Path]:
    for folder, inner, _ in os.walk(root):
        inner[:] = [name for name in inner if not name.startswith(".") and name not in _NOT_WATCHED]
        yield Path(folder)
