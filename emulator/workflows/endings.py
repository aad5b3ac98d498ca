"""How instances end, and who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from emulator.clock import Clock
from emulator.errors import WorkflowError
from emulator.models import Failure, Instance, Status
from emulator.store import Store
from emulator.workflows.retention import expiry


class Endings:
    """Records ends; `expires` is called when one of them begins the time for which an instance is kept."""

    def __init__(self, store: Store, clock: Clock, expires: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._expires = expires
        self._awaited: dict[int, asyncio.Future[asyncio.Future[None] | None]] = {}

    def record(
        self,
        instance: Instance,
        status: Status,
        *,
        epoch: int | None = None,
        output: str | None = None,
        error: Failure | None = None,
    ) -> None:
        """The instance is over. With an epoch, only if that is still the current one; raises Superseded otherwise."""
        now = self._clock.now()
        expires_at = expiry(instance, status, at=now)
        cut_short = Failure(name="Canceled", message=f"the instance was {status} during this attempt")
        with self._store.transaction():
            self._store.instances.change(
                instance.key,
                epoch=epoch,
                at=now,
                status=status,
                ended_at=now,
                wake_at=None,
                ending=None,
                expires_at=expires_at,
                output=output,
                error=error,
            )
            self._store.steps.end_open_attempts(instance.key, at=now, error=cut_short)
        if expires_at is not None:
            self._expires()
        self.release(instance)

    async def wait(self, instance: Instance) -> None:
        """
        Return when the instance has ended, or will not end in this life of it.

        What was written in this turn is on disk by then, and so is the end. Raises StoreError where one of them was
        refused, and what `refuse` was given.
        """
        awaited = self._awaited.setdefault(instance.key, asyncio.get_running_loop().create_future())
        await self._store.durable()
        commit = await asyncio.shield(awaited)
        if commit is not None:
            await asyncio.shield(commit)

    def release(self, instance: Instance) -> None:
        """Whoever waits for the instance waits no longer."""
        awaited = self._awaited.pop(instance.key, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(self._store.commit)

    def refuse(self, instance: Instance, error: WorkflowError) -> None:
        """It will not end before somebody sees to it: whoever waits for the instance is told."""
        awaited = self._awaited.pop(instance.key, None)
        if awaited is not None and not awaited.done():
            awaited.set_exception(error)
            # Whoever waited may have gone away; that is no error.
            awaited.exception()

    def close(self) -> None:
        """Nobody will end any more."""
        for awaited in self._awaited.values():
            awaited.cancel()
