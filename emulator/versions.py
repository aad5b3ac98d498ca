"""The versions of each workflow's code that were loaded since the start: one for each save that changed it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

_NAMESPACE = uuid.UUID("5f0c8cf4-3f6f-4f0e-9d2b-9b1f0b6d8a10")
_MOST = 50


@dataclass(frozen=True, kw_only=True)
class Version:
    """What was loaded; its id follows from the code, so that it is the same after a restart."""

    id: str
    class_name: str
    created_at: datetime
    modified_at: datetime
    main: Path | None = None
    sources: Mapping[Path, str] = field(default_factory=dict)


class Versions:
    """The versions of all workflows. `started_at` stands for those that were never loaded."""

    def __init__(self, started_at: datetime) -> None:
        self.started_at = started_at
        self._known: dict[str, list[Version]] = {}

    def note(self, workflow: str, class_name: str, *, main: Path, files: Iterable[Path], at: datetime) -> None:
        """This code is served from now on; `main` is where the class stands."""
        sources = {path: text for path in sorted({main, *files}) if (text := _read(path)) is not None}
        id = _id_of(workflow, class_name, sources)
        known = self._known.setdefault(workflow, [])
        if known and known[-1].id == id:
            return
        before = next((each for each in known if each.id == id), None)
        if before is not None:
            known.remove(before)
            known.append(replace(before, modified_at=at))
            return
        known.append(Version(id=id, class_name=class_name, created_at=at, modified_at=at, main=main, sources=sources))
        del known[:-_MOST]

    def of(self, workflow: str, class_name: str) -> list[Version]:
        """The newest first; there is always one."""
        return self._known.get(workflow, [])[::-1] or [self._unloaded(workflow, class_name)]

    def at(self, workflow: str, class_name: str, moment: datetime) -> Version:
        """The one that was served at a moment; the oldest known for a moment before all of them."""
        known = self.of(workflow, class_name)
        return next((each for each in known if each.modified_at <= moment), known[-1])

    def _unloaded(self, workflow: str, class_name: str) -> Version:
        return Version(
            id=_id_of(workflow, class_name, {}),
            class_name=class_name,
            created_at=self.started_at,
            modified_at=self.started_at,
        )


def id_of(*names: str) -> str:
    """A UUID that follows from names, as the platform's API has one for each workflow."""
    return str(uuid.uuid5(_NAMESPACE, "\0".join(names)))


def _id_of(workflow: str, class_name: str, sources: Mapping[Path, str]) -> str:
    digest = hashlib.sha256()
    for path, text in sources.items():
        digest.update(f"{path.name}\0{text}\0".encode("utf-8", "surrogatepass"))
    return id_of("version", workflow, class_name, digest.hexdigest())


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
