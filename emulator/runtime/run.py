"""One pass of a workflow in the user's process: `run` is called once, and what it did undone where it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.runtime import exports, values
from emulator.runtime.traces import StepError, revive
from emulator.runtime.workflow import WorkflowStep
from emulator.sdk.workers.rpc import JsDict


@dataclass(frozen=True, kw_only=True)
class Run:
    """
    A workflow from `make` and the `step` that its `run` receives.

    `warn` takes a line for the terminal; `is_over` tells whether the process is to end.
    """

    make: Callable[[], Any]
    step: WorkflowStep
    warn: Callable[[str], None]
    is_over: Callable[[], bool]

    async def finish(self, event: bytes, ending: dict[str, Any] | None) -> bytes:
        """
        What `run` returned, encoded. Raises what it raised, once the steps are undone.

        With an `ending`, the error that an instance is terminated with, they are undone whatever comes of `run`.
        """
        try:
            body, error = await self._through(event)
            if ending is not None:
                error = revive(ending)
            if error is not None:
                await self.step.roll_back(error)
        finally:
            left = self.step.leave()
            for label in left if not self.is_over() else ():
                self.warn(f"step {label} was still running when run() ended; it was cancelled")
        if error is not None and ending is None:
            raise error
        return body

    async def _through(self, event: bytes) -> tuple[bytes, Exception | None]:
        """Once through the worker's `run`: what it returned, or what it raised."""
        try:
            workflow = self.make()
            received = values.decode(event, mapping=JsDict)
            result = await exports.awaited(exports.relaxed(workflow.run, received, self.step))
        except asyncio.CancelledError:
            if self.step.is_left or self.is_over():
                raise
            return b"", StepError("CancelledError", "run() was cancelled by code of the worker's own")
        except Exception as error:
            return b"", error
        return _kept(result)


def _kept(result: Any) -> tuple[bytes, Exception | None]:
    """What `run` returned, encoded, or why it cannot be kept."""
    try:
        body = values.encode(result).encode()
    except TypeError as error:
        return b"", TypeError(f"run() returned a value that cannot be kept: {error}")
    if values.is_too_large(body, values.LARGEST_OUTPUT):
        return b"", ValueError("run() returned a value that cannot be kept: it is larger than 2 MiB")
    return body, None
