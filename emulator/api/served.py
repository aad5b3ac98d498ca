"""The workflows that are served here, and what the API needs to know of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from emulator.api.envelope import NO_WORKFLOW, ApiError
from emulator.api.history import History
from emulator.config import Workflow
from emulator.models import Instance, Status
from emulator.server import Emulator
from emulator.store.listing import Listing
from emulator.versions import Version, id_of
from emulator.worker import Worker

COUNTED = (
    Status.QUEUED,
    Status.RUNNING,
    Status.PAUSED,
    Status.ERRORED,
    Status.TERMINATED,
    Status.COMPLETE,
    Status.WAITING_FOR_PAUSE,
    Status.WAITING,
)
_AT_ONCE = 500


@dataclass(frozen=True)
class Served:
    """A workflow with the worker that runs it."""

    emulator: Emulator
    worker: Worker
    workflow: Workflow

    @property
    def name(self) -> str:
        return self.workflow.name

    @property
    def id(self) -> str:
        return id_of("workflow", self.name)

    @property
    def versions(self) -> list[Version]:
        """The newest first."""
        return self.emulator.versions.of(self.name, self.workflow.class_name)

    def version_at(self, moment: datetime) -> str:
        """The id of the version that was served at a moment."""
        return self.emulator.versions.at(self.name, self.workflow.class_name, moment).id

    def counts(self) -> dict[str, int]:
        """Instances by status, of all statuses."""
        found = self.emulator.store.instances.count_by_status(self.name)
        return {str(status): found.get(status, 0) for status in COUNTED}

    def get(self, id: str) -> Instance:
        return self.emulator.engine.get(self.name, id)

    def history(self, id: str, *, attempts: bool = True) -> History:
        """All that is recorded of an instance, or without the attempts of its steps."""
        engine, instance = self.emulator.engine, self.get(id)
        made = engine.attempts(instance) if attempts else ()
        return History(instance=instance, steps=engine.steps(instance), attempts=made)

    def ids(self, status: Status | None = None) -> list[str]:
        """Some of the instances, oldest first: as many as are dealt with at once."""
        listing = Listing(workflow=self.name, status=status, oldest_first=True, limit=_AT_ONCE)
        return [instance.id for instance in self.emulator.store.instances.listed(listing)]


def all_served(emulator: Emulator) -> Iterable[Served]:
    """Every workflow whose worker is here, in the order of the configs."""
    for worker in emulator.workers:
        for workflow in worker.config.own_workflows:
            yield Served(emulator, worker, workflow)


def served(emulator: Emulator, name: str) -> Served:
    """One of them. Raises ApiError for a name that none has."""
    for each in all_served(emulator):
        if each.name == name:
            return each
    names = ", ".join(sorted(each.name for each in all_served(emulator))) or "none"
    raise ApiError(NO_WORKFLOW, f'there is no workflow "{name[:80]}" here; there are {names}')
