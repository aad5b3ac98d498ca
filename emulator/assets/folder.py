"""The folder of the assets: what of it may be served, read anew for each request, so that a save counts at once."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from emulator.assets import headers, ignore, redirects
from emulator.config import Config

log = logging.getLogger("emulator")

LARGEST = 25 << 20

_NOT_SERVED = (headers.FILE, redirects.FILE, "wrangler.json", "wrangler.jsonc", "wrangler.toml")
_OPEN_DOT = ".well-known"


class _Rules(Protocol):
    @property
    def problems(self) -> tuple[str, ...]: ...


R = TypeVar("R", bound=_Rules)


class Folder:
    """
    The files under a root, by decoded paths that begin with /. The root may be missing still.

    `hidden` are files and folders that are never served, wherever they are: the state, the config, its secrets.
    """

    def __init__(self, root: Path, hidden: Collection[Path] = (), known: dict[Path, Any] | None = None) -> None:
        self.root = root
        self._real = root.resolve()
        self._hidden = [each.resolve() for each in hidden]
        self._known = {} if known is None else known

    def exists(self, path: str) -> bool:
        """Whether a file may be served under this path."""
        return self._file(path) is not None and path.strip("/") not in self.rules(ignore.FILE, ignore.parse)

    def read(self, path: str) -> bytes | None:
        """What is in a file; None when it is gone, cannot be read, or is larger than what can be deployed."""
        found = self._file(path)
        with suppress(OSError):
            return None if found is None else found.read_bytes()
        return None

    def rules(self, name: str, parse: Callable[[str], R]) -> R:
        """The rules in a file of the root; parsed, and complained about, once for each version of it."""
        path = self._real / name
        try:
            found = path.stat()
            version = (found.st_mtime_ns, found.st_size, found.st_ino)
            known = self._known.get(path)
            if known is not None and known[0] == version:
                return known[1]  # type: ignore[no-any-return]
            rules = parse(path.read_text("utf-8", "replace"))
        except OSError:
            return parse("")
        for problem in rules.problems:
            log.warning("%s", problem)
        self._known[path] = version, rules
        return rules

    def _file(self, path: str) -> Path | None:
        """The real file of a path: inside of the root, spelled as it is on disk, and nothing that is to be hidden."""
        parts = path.split("/")[1:]
        if not parts or not all(map(_may_be_served, parts)) or parts[-1] in _NOT_SERVED:
            return None
        try:
            real = self._real.joinpath(*parts).resolve(strict=True)
            if not self._is_open(real) or not self._is_spelled_so(parts):
                return None
            found = real.stat()
        except (OSError, ValueError, RuntimeError):
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        if found.st_size > LARGEST:
            self._say_too_large(real)
            return None
        return real

    def _is_open(self, real: Path) -> bool:
        """A link must not lead out of the root, nor to what is hidden in it."""
        if not real.is_relative_to(self._real) or any(real.is_relative_to(each) for each in self._hidden):
            return False
        inner = real.relative_to(self._real).parts
        return all(map(_may_be_served, inner)) and inner[-1] not in _NOT_SERVED

    def _is_spelled_so(self, parts: list[str]) -> bool:
        """Some file systems find a file under other spellings too; on the platform there is one."""
        folder = self._real
        for part in parts:
            if part not in os.listdir(folder):  # noqa: PTH208 - names are all that is asked for
                return False
            folder /= part
        return True

    def _say_too_large(self, real: Path) -> None:
        if real not in self._known:
            self._known[real] = "too large"
            log.warning("%s is larger than 25 MiB, which a deploy refuses; it is not served", real)


class Folders:
    """The folders of all workers here; the state is in none of them, wherever it is."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._known: dict[Path, Any] = {}

    def of(self, config: Config) -> Folder:
        """The assets of a config, without all that must not be seen."""
        root = config.assets.directory if config.assets is not None else None
        return Folder(root or config.root, (self._state, *config.files), self._known)


def _may_be_served(name: str) -> bool:
    """Names that begin with a dot, and files of secrets, are nobody's business; `.well-known` is everybody's."""
    if name == _OPEN_DOT:
        return True
    has_odd_letters = any(letter in name for letter in ("\\", "\0", "/", ":"))
    return bool(name) and not has_odd_letters and not name.startswith(".") and not name.lower().endswith(".vars")
