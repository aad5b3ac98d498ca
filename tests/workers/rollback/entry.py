"""A workflow whose steps depend on each other, and are undone when a later one fails."""

from typing import Any

from workers import Request, Response, WorkerEntrypoint, WorkflowEntrypoint
from workers.workflows import NonRetryableError, WorkflowEvent, WorkflowStep

undone: list[str] = []


class Trip(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep) -> str:
        def give_back(output: Any) -> None:
            undone.append(f"{output} given back")

        @step.do("flight", rollback=give_back)
        async def flight() -> str:
            return f"seat to {event.payload['to']}"

        @step.do("hotel", rollback=give_back)
        async def hotel(flight: str) -> str:
            return f"room after {flight}"

        room: str = await hotel()
        await step.sleep("think about it", "1 hour")

        @step.do()
        async def pay() -> str:
            if event.payload["broke"]:
                raise NonRetryableError("no money")
            return "paid"

        return f"{room}, {await pay()}"


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.method == "GET":
            return Response.json(undone)
        trip = await self.env.TRIP.create(params=await request.json())
        return Response.json({"id": trip.id})
