"""The files of a worker that its main module can reach by imports, read from disk."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from emulator.errors import EmulatorError

_MOST = 500


def reachable(main: Path, root: Path) -> dict[Path, str]:
    """Each file below `root` with its text, `main` first. A file that is no Python ends the way through it."""
    found: dict[Path, str] = {}
    waiting = [main]
    while waiting and len(found) < _MOST:
        path = waiting.pop()
        if path not in found:
            found[path] = _text(path)
            waiting += [each for name in _imports(found[path]) for each in _files_of(name, path, root)]
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EmulatorError(f"{path} cannot be read: {error}") from error


def _imports(text: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)):
                yield module
                yield from (f"{module}.{each.name}" for each in node.names)
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                yield from (each.name for each in names)
            case _:
                pass


def _files_of(name: str, importer: Path, root: Path) -> Iterator[Path]:
    for folder in (root, importer.parent):
        place = folder.joinpath(*name.split("."))
        yield from (each for each in (place.with_suffix(".py"), place / "__init__.py") if each.is_file())
