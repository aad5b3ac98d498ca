"""What generations call: each frame that asks for something goes to the part that answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.assets import Folders
from emulator.bindings import assets, queues, services
from emulator.bindings.loans import Loans
from emulator.calls import Answer
from emulator.dispatch import Callee
from emulator.errors import EmulatorError, WorkflowError
from emulator.generation import Generation
from emulator.handlers.queue import Broker
from emulator.models import Outcome
from emulator.runtime import values
from emulator.store import Store
from emulator.wire import Frame
from emulator.worker import Worker
from emulator.workflows.binding import call_instance, call_workflow
from emulator.workflows.engine import Engine


@dataclass(frozen=True, kw_only=True)
class Switchboard:
    """Answers the calls of bindings and the questions of steps. A write is on disk before its answer leaves."""

    workers: Sequence[Worker]
    engine: Engine
    broker: Broker
    store: Store
    folders: Folders
    dispatch: Callable[[Callee, Any], Awaitable[Outcome]]
    loans: Loans = field(default_factory=Loans)

    async def answer(self, generation: Generation, frame: Frame) -> Answer | None:
        """The answer's head and body; None when it has been given in pieces."""
        match frame.head["target"]:
            case "step":
                return await self.engine.answer(generation, frame)
            case "service":
                return await services.answer(self.worker_named, self.dispatch, generation, frame, self.loans)
            case "stub":
                return await services.answer_stub(self.dispatch, generation, frame, self.loans)
            case "assets":
                owner = self.worker_named(generation.worker) or self.workers[0]
                return assets.answer(self.folders, owner.latest, frame)
            case target:
                return await self._answer_call(target, frame)

    def worker_named(self, name: str) -> Worker | None:
        return next((worker for worker in self.workers if worker.name == name), None)

    def worker_of_workflow(self, workflow: str) -> Worker | None:
        """Who runs a workflow."""
        for worker in self.workers:
            if any(each.name == workflow for each in worker.config.own_workflows):
                return worker
        return None

    async def _answer_call(self, target: str, frame: Frame) -> Answer:
        try:
            result = await self._call(target, frame)
            await self.store.durable()
        except WorkflowError as error:
            return {"error": {"kind": "WorkflowError", "code": error.code, "message": error.message}}, b""
        except (EmulatorError, TypeError, ValueError) as error:
            return {"error": {"kind": type(error).__name__, "message": str(error)}}, b""
        return {}, values.encode(result).encode()

    async def _call(self, target: str, frame: Frame) -> Any:
        match target:
            case "workflow":
                self._refuse_unserved(frame.head["workflow"])
                return await call_workflow(self.engine, frame)
            case "instance":
                self._refuse_unserved(frame.head["workflow"])
                return await call_instance(self.engine, frame)
            case "queue":
                arguments = values.decode(frame.body, naive=False)
                head = frame.head
                return await queues.call(self.broker, head["queue"], head["method"], arguments, head["content_type"])
            case _:
                raise TypeError(f'there is no binding of the kind "{target}"')

    def _refuse_unserved(self, workflow: str) -> None:
        if self.worker_of_workflow(workflow) is None:
            bound = [each for worker in self.workers for each in worker.config.workflows if each.name == workflow]
            script = bound[0].script_name if bound else "?"
            raise WorkflowError(
                "workflow.not_found",
                f'the workflow "{workflow}" belongs to the worker "{script}", which is not served here;'
                " start the emulator with a -c for each of the two",
            )
