"""The sample's workflows. Stop the server in the middle of one, start it again: it goes on where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workers import WorkflowEntrypoint

if TYPE_CHECKING:  # names for the editor; the platform's own `workers` package has no such types
    from workers.workflows import StepConfig, WorkflowEvent, WorkflowStep

PATIENT: StepConfig = {
    "retries": {"limit": 4, "delay": "1 second", "backoff": "exponential"},
    "timeout": "30 seconds",
}


class MyWorkflow(WorkflowEntrypoint):
    """One order, from the counter to the table."""

    async def run(self, event: WorkflowEvent, step: WorkflowStep) -> dict[str, Any]:
        wish = event["payload"]

        @step.do()
        async def order() -> dict[str, Any]:
            return {"item": wish.get("item", "a pot of tea"), "shop": self.env.SHOP}

        # A flaky payment service: the first two attempts fail, the third, three seconds later, works.
        @step.do(config=PATIENT)
        async def payment(ctx: Any) -> dict[str, Any]:
            if ctx["attempt"] < 3:
                raise ConnectionError("the bank does not answer")
            return {"paid": True, "attempts": ctx["attempt"]}

        # A parameter named like a step receives that step's recorded result.
        @step.do()
        async def receipt(order: dict[str, Any], payment: dict[str, Any]) -> str:
            return f"{order['shop']}: {order['item']}, paid at attempt {payment['attempts']}"

        await order()
        await payment()
        await step.sleep("let it steep", "3 seconds")

        served_by = "the house"
        if wish.get("approve"):
            approval = await step.wait_for_event("a waiter", "approval", timeout="1 hour")
            served_by = (approval["payload"] or {}).get("by", "somebody")

        return {"receipt": await receipt(), "served_by": served_by}


class Countdown(WorkflowEntrypoint):
    """Steps and sleeps in a loop: a step is known by its name, so each has its own."""

    async def run(self, event: WorkflowEvent, step: WorkflowStep) -> str:
        for left in range(int(event["payload"].get("seconds", 5)), 0, -1):
            await self.say(step, left)
            await step.sleep(f"after {left}", "1 second")
        return "lift-off"

    async def say(self, step: WorkflowStep, left: int) -> str:
        @step.do(f"say {left}")
        async def said() -> str:
            return f"{left}…"

        return await said()
