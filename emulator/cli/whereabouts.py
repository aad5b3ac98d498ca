"""Where the emulator that serves a folder listens: its lock says it, and signposts in its other projects lead there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from emulator.cli.options import module

STATE = ".emulator"
_SIGNPOST = "served-from"
_PARTICULARS = 1


@dataclass(frozen=True)
class Place:
    """Where an emulator listens; without an `ip` on all addresses of this machine."""

    port: int
    ip: str | None = None


def noted(folder: Path) -> Place | None:
    """Where the emulator that serves the project of this folder listens, if one runs."""
    for each in (folder, *folder.parents):
        lock, sign = each / STATE / "lock", each / STATE / _SIGNPOST
        if lock.is_file() or sign.is_file():
            is_ours = each == folder or not _lies_below(project_of(folder), each)
            return (_place_in(lock) or _place_behind(sign)) if is_ours else None
    return None


def project_of(folder: Path) -> Path | None:
    """The config that a folder belongs to. Looked for only where it matters: it takes a while to import."""
    found: Path | None = module("emulator.config.find").find(folder)
    return found


@contextmanager
def signposts(folders: Iterable[Path], state: Path) -> Iterator[None]:
    """Signposts to this process and its state folder, while it serves."""
    text = json.dumps({"pid": os.getpid(), "state": str(state.resolve())})
    with ExitStack() as stack:
        for each in folders:
            if each / STATE != state.resolve() and _place_behind(each / STATE / _SIGNPOST) is None:
                # They are a convenience: a folder that cannot be written has none.
                with suppress(OSError):
                    stack.callback(_take_down, each / STATE, text, is_ours=_put_up(each / STATE, text))
        yield


def _lies_below(config: Path | None, folder: Path) -> bool:
    """Whether the config is that of another project, within the folder."""
    return config is not None and folder.resolve() in config.parent.parents


def _put_up(folder: Path, text: str) -> bool:
    """Write a signpost. Whether the folder was made for it."""
    is_new = not folder.exists()
    folder.mkdir(exist_ok=True, mode=0o700)
    if is_new:
        (folder / ".gitignore").write_text("*\n", "utf-8")
    (folder / _SIGNPOST).write_text(text, "utf-8")
    return is_new


def _take_down(folder: Path, text: str, *, is_ours: bool) -> None:
    with suppress(OSError):
        if (folder / _SIGNPOST).read_text("utf-8") != text:
            return
        (folder / _SIGNPOST).unlink()
        if is_ours and [each.name for each in folder.iterdir()] == [".gitignore"]:
            (folder / ".gitignore").unlink()
            folder.rmdir()


def _place_behind(sign: Path) -> Place | None:
    """Where the emulator listens that a signpost leads to, if it still is the one that put it up."""
    try:
        told = json.loads(sign.read_bytes())
        return _place_in(Path(told["state"]) / "lock", pid=told["pid"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _place_in(lock: Path, pid: int | None = None) -> Place | None:
    """The place in a lock that somebody holds; if a pid is given, only where it is that process."""
    try:
        with lock.open("rb") as file:
            file.seek(_PARTICULARS)
            told = json.loads(file.read(200))
            port = told.get("port")
            is_meant = pid is None or told.get("pid") == pid
            is_there = isinstance(port, int) and is_meant and _is_held(file.fileno())
            return Place(port, told.get("ip")) if is_there else None
    except (OSError, ValueError, AttributeError):
        return None


if sys.platform == "win32":

    def _is_held(file: int) -> bool:
        # What cannot be told apart here shows when nobody answers.
        return True

else:
    import fcntl

    def _is_held(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False
