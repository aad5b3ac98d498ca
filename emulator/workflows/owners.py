"""Who runs a workflow, and how passes are held: what the emulator tells the engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from emulator.generation import Generation

STEP_LIMIT = 10_000


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who runs a workflow: the class, the generation its worker has now, and the workflow's limits."""

    class_name: str
    script: str
    generation: Generation | None
    step_limit: int = STEP_LIMIT

    @property
    def living(self) -> Generation | None:
        """The generation, while its process lives."""
        return self.generation if self.generation is not None and self.generation.alive else None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """
    How passes are held.

    A pass that waits longer than `hot_window` is given up and run again when its time has come; zero does so at every
    wait. No more than `most_running` passes run at once; the rest is queued.
    """

    hot_window: timedelta = timedelta(seconds=1)
    most_running: int | None = None
