"""Does something by the clock."""

from typing import Any

from workers import Response, WorkerEntrypoint

ticks: list[list[Any]] = []


class Default(WorkerEntrypoint):
    async def fetch(self) -> Response:
        return Response.json(ticks)

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:
        ticks.append([controller.cron, controller.scheduledTime])
