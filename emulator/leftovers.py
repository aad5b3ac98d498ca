"""Files beside a worker: those that the config's rules take along, and those that a deploy leaves behind."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from emulator.config import Config
from emulator.errors import Problem
from emulator.places import near

_MOST = 1_000
_NOT_LOOKED_INTO = ("__pycache__", "node_modules", "python_modules")


def taken(found: Config) -> list[Path]:
    """The files that rules of the config's own take along; the worker may have read them while it was loaded."""
    if not found.bundle.rules:
        return []
    root = found.module_root
    return [file for file in _files(root) if found.bundle.is_taken_by_own_rule(file.relative_to(root).as_posix())]


def left_behind(found: Config, folder: Path, name: str) -> str | None:
    """Why the file or folder of this name is not taken along, beside a module in `folder` or in the module root."""
    if not name.strip("./") or Path(name).is_absolute():
        return None
    for beside in (folder, found.module_root):
        path = Path(os.path.normpath(beside / name))
        if path.is_file():
            return _why(found, path)
        if path.is_dir():
            return _why_in(found, path)
    return None


def modules(found: Config, files: tuple[Path, ...]) -> Iterator[Problem]:
    """Modules of the worker that are not taken along."""
    for file in files:
        why = _why(found, file) if file != found.main else None
        if why is not None:
            yield Problem(path="", message=f"this module is not bundled: {why}", file=near(file, found.root))


def module_root(found: Config) -> Iterator[Problem]:
    """What must not lie in the folder of the modules, since all of it is taken along, or a deploy refused."""
    root = found.module_root
    if root != found.root and (root / "python_modules").is_dir():
        text = f"{near(root, found.root)}/python_modules keeps a deploy from going on; delete it"
        yield Problem(path="main", message=text, file=found.path.name)
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        if (folder / "pyvenv.cfg").is_file() or folder.name == "node_modules":
            text = (
                f"all modules and texts in {near(folder, found.root)} are bundled, since it lies beside the main module"
            )
            yield Problem(
                path="main", message=f"{text}; move the worker into a folder of its own", file=found.path.name
            )


def _why(found: Config, file: Path) -> str | None:
    if not file.is_relative_to(found.module_root):
        return f"it does not lie in {near(found.module_root, found.root)}, the folder of the main module"
    return found.bundle.why_not(file.relative_to(found.module_root).as_posix())


def _why_in(found: Config, folder: Path) -> str | None:
    """The first file of a folder that is left behind, and how many there are. Assets go another way."""
    public = found.assets.directory if found.assets is not None else None
    if public is not None and folder.is_relative_to(public):
        return None
    left = [(file, why) for file in _files(folder) if (why := _why(found, file)) is not None]
    if not left:
        return None
    (first, why), *more = left
    others = f" and {len(more)} more" if more else ""
    return f"{first.relative_to(folder).as_posix()}{others} in it: {why}"


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file() and not set(path.parts) & set(_NOT_LOOKED_INTO))
    return sorted(itertools.islice(found, _MOST))
