"""Saved files → reload, a few milliseconds after the save."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
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


# The kernel's time stamps may be a tick behind the clock.
_TICK_SECONDS = 0.01
# The first save of a burst is loaded at once, the rest of it together: thousands of files make few reloads.
_BURST_SECONDS = 0.1
_LOOK_EVERY = 0.3
# Many editors empty a file before they write it anew. One that stays empty is meant to be.
_HALF_SAVED_SECONDS = 0.25
_HALF_SAVED_EVERY = 0.005

Changes = AsyncIterator[Collection[tuple[Change, str]]]
Reload = Callable[[Collection[str]], Awaitable[None]]
"""Loads anew, and is told the files that were saved."""


class Reloads:
    """One reload at a time: a save while the last one is still being loaded starts anew."""

    def __init__(self, reload: Reload, *, since: float) -> None:
        self._reload = reload
        self._since = since
        self._under_way: asyncio.Task[None] | None = None
        self._last = float("-inf")
        self._saved: set[str] = set()

    def begin(self, saved: Iterable[str], then: Callable[[], None]) -> None:
        """Reload what was saved, and call `then` at the end of it."""
        if self._under_way is not None:
            self._under_way.cancel()
        self._since = time.time()
        self._saved |= set(saved)
        self._under_way = asyncio.create_task(self._run(then))

    def catch_up(self, folders: Iterable[Path], names: set[str], then: Callable[[], None]) -> None:
        """Reload if a file was saved since the last time; while a watch is being set up nobody is told of saves."""
        missed = [path for path in _watched(folders, names) if _saved_at(path) > self._since - _TICK_SECONDS]
        if missed:
            self.begin(map(str, missed), then)

    def end(self) -> None:
        if self._under_way is not None:
            self._under_way.cancel()

    async def _run(self, then: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        if (early := self._last + _BURST_SECONDS - loop.time()) > 0:
            await asyncio.sleep(early)
        await _whole(self._saved)
        self._last = loop.time()
        saved = frozenset(self._saved)
        try:
            await self._reload(saved)
        except Exception:
            log.exception("the reload failed")
        # Not where a newer save ends this: what was saved first is a part of that reload.
        self._saved -= saved
        then()


async def watch(
    roots: Callable[[], Iterable[Path]],
    files: Callable[[], Iterable[Path]],
    reload: Reload,
    *,
    since: float,
) -> None:
    """
    Call `reload` with the files of each burst of saves: of code under the roots, or of one of the files.

    Both are asked anew each time, since a reload may bring new ones. `since` is when they were read first. Never ends
    by itself.
    """
    reloads = Reloads(reload, since=since)
    changes = _told
    try:
        while True:
            try:
                await _watch_these(_folders(roots(), files()), roots, files, reloads, changes)
            except FileNotFoundError:
                # It was there a moment ago.
                await asyncio.sleep(_LOOK_EVERY)
            except (OSError, RuntimeError) as error:
                log.warning("the system does not tell of saves (%s); they are looked for, which takes longer", error)
                changes = _looked_for
    finally:
        reloads.end()


async def _watch_these(
    folders: list[Path],
    roots: Callable[[], Iterable[Path]],
    files: Callable[[], Iterable[Path]],
    reloads: Reloads,
    changes: Callable[[list[Path], set[str], asyncio.Event], Changes],
) -> None:
    """Watch these folders until others are to be watched."""
    stop = asyncio.Event()
    names = {str(file) for file in files()}
    watched = set(map(str, folders))

    def look_again() -> None:
        if _folders(roots(), files()) != folders or {str(file) for file in files()} != names:
            stop.set()

    # Called in the next turn of the loop; the library listens from this turn on.
    asyncio.get_running_loop().call_soon(reloads.catch_up, folders, names, look_again)
    returning = asyncio.create_task(_until_one_is_back([root for root in roots() if not root.is_dir()], stop))
    try:
        async for changed in changes(folders, names, stop):
            saved = [path for _, path in changed if path in names or path.endswith(_SUFFIXES)]
            if saved:
                reloads.begin(saved, look_again)
            else:
                look_again()
            if any(change is Change.deleted and path in watched for change, path in changed):
                # Another folder of this name would not be watched.
                stop.set()
    finally:
        returning.cancel()


async def _until_one_is_back(missing: list[Path], stop: asyncio.Event) -> None:
    """A folder that is not there cannot be watched, only waited for."""
    while missing and not any(root.is_dir() for root in missing):  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(_LOOK_EVERY)
    if missing:
        stop.set()


async def _told(folders: list[Path], names: set[str], stop: asyncio.Event) -> Changes:
    """Changes as the system tells of them. Raises OSError or RuntimeError when it will not."""
    watched = set(map(str, folders))
    async for changes in awatch(
        *folders,
        watch_filter=lambda change, path: _matters(change, path, names) or path in watched,
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        recursive=False,
        stop_event=stop,
        ignore_permission_denied=True,
    ):
        yield changes


async def _looked_for(folders: list[Path], names: set[str], stop: asyncio.Event) -> Changes:
    """Changes between one look and the next."""
    before = _looked_at(folders, names)
    while not stop.is_set():
        await asyncio.sleep(_LOOK_EVERY)
        now = _looked_at(folders, names)
        changed = {path for path, _ in before.items() ^ now.items()}
        before = now
        if changed:
            yield {(Change.modified if path in now else Change.deleted, path) for path in changed}


def _looked_at(folders: Iterable[Path], names: set[str]) -> dict[str, float]:
    """When each file was saved, and each folder that is there changed."""
    found = {str(path): _saved_at(path) for path in (*folders, *_watched(folders, names))}
    return {path: saved for path, saved in found.items() if saved}


def _watched(folders: Iterable[Path], names: set[str]) -> Iterator[Path]:
    for folder in folders:
        with contextlib.suppress(OSError):
            yield from (path for path in folder.iterdir() if _is_code(path) or str(path) in names)


def _is_code(path: Path) -> bool:
    return path.name.endswith(_SUFFIXES) and not path.name.startswith(".")


async def _whole(saved: Collection[str]) -> None:
    """Return when none of the files is empty, or none is going to be written."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _HALF_SAVED_SECONDS
    while any(map(_is_empty, saved)) and loop.time() < until:  # noqa: ASYNC110 - the next save begins anew anyway
        await asyncio.sleep(_HALF_SAVED_EVERY)


def _is_empty(path: str) -> bool:
    try:
        return os.stat(path).st_size == 0  # noqa: PTH116 - called for every file of a burst
    except OSError:
        return False


def _saved_at(path: Path) -> float:
    """When it was written or moved here; 0 for what is gone."""
    try:
        found = path.stat()
    except OSError:
        return 0.0
    return max(found.st_mtime, found.st_ctime)


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
