"""Workflows in both of their styles as a user would write them; it is checked strictly, never run."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from workers import WorkflowEntrypoint
from workers.workflows import NonRetryableError, StepConfig, WorkflowEvent, WorkflowStep, WorkflowTimeoutError

PATIENT: StepConfig = {"retries": {"limit": 10, "delay": "1 minute", "backoff": "exponential"}, "timeout": "1 hour"}


class Trip(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep) -> dict[str, Any]:
        async def give_back(output: Any, error: Exception) -> None:
            print(output, error)

        @step.do(config=PATIENT, rollback=give_back, rollback_config={"retries": {"limit": 1}})
        async def seat() -> str:
            return str(event["payload"]["to"])

        @step.do()
        async def room(seat: str, ctx: Any) -> int:
            if ctx["attempt"] > 3:
                raise NonRetryableError("full")
            return len(seat)

        @step.do("pay", concurrent=True)
        def pay() -> None: ...

        number, _ = await asyncio.gather(room(), pay())
        try:
            sent = await step.wait_for_event("the parcel", "sent", timeout=timedelta(days=1))
        except WorkflowTimeoutError:
            await step.sleep_until("tomorrow", datetime.now(UTC) + timedelta(days=1))
            return {"room": number + 1, "started": event.timestamp.isoformat(), "id": event.instanceId}
        return {"room": number, "sent": sent.payload}


class Older(WorkflowEntrypoint):
    """At dates before 2026-02-25 a step names the steps it depends on."""

    async def run(self, event: WorkflowEvent, step: WorkflowStep) -> int:
        @step.do("first")
        async def first() -> int:
            return 1

        @step.do("second", depends=[first], concurrent=True, config=PATIENT)
        async def second(one: int) -> int:
            return one + 1

        @step.do("third", [first, second])
        async def third(one: int, two: int) -> int:
            return one + two

        return await third()
