"""What a worker offers once it is loaded, or why it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.errors import WorkerError

Place = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Each handler and workflow class with its file and line; the files and packages that were imported."""

    handlers: Mapping[str, Place] = field(default_factory=dict)
    workflows: Mapping[str, Place] = field(default_factory=dict)
    entrypoints: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    packages: tuple[str, ...] = ()
    native: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[tuple[str, str, int], ...] = ()
    python: str = ""

    @classmethod
    def from_head(cls, head: Mapping[str, Any]) -> Loaded:
        """As the worker's process tells it."""
        return cls(
            handlers={name: (place[0], place[1]) for name, place in head["handlers"].items()},
            workflows={name: (place[0], place[1]) for name, place in head["workflows"].items()},
            entrypoints=tuple(head["entrypoints"]),
            files=tuple(map(Path, head["files"])),
            packages=tuple(head["packages"]),
            native=head["native"],
            warnings=tuple((text, file, line) for text, file, line in head["warnings"]),
            python=head["python"],
        )


class LoadFailed(WorkerError):
    """The worker could not be imported; `files` are those that were read before it failed."""

    def __init__(self, error: Mapping[str, Any], files: Sequence[str]) -> None:
        super().__init__(error["kind"], error["message"], error.get("trace", ""))
        self.place = error.get("place")
        self.files = tuple(map(Path, files))
