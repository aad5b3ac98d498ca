"""A worker: what it answers to requests, what it does every hour, and a workflow that survives restarts."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from workers import Request, Response, WorkerEntrypoint, WorkflowEntrypoint

if TYPE_CHECKING:  # names for the editor; the platform's own `workers` package has no such types
    from workers.workflows import WorkflowEvent, WorkflowStep


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        """GET / starts the workflow; GET /?id=… says how far it is."""
        query = dict(parse_qsl(urlsplit(request.url).query))
        if "id" in query:
            instance = await self.env.HELLO.get(query["id"])
            return Response.json(await instance.status())
        instance = await self.env.HELLO.create(params={"who": "world"})
        return Response.json({"id": instance.id, "see": f"/?id={instance.id}"})

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:
        """Every hour, as wrangler.toml says. The platform passes no env here; it is self.env."""
        print(f"{self.env.GREETING}, it is time for {controller.cron}")


class Hello(WorkflowEntrypoint):
    async def run(self, event: "WorkflowEvent", step: "WorkflowStep") -> str:
        """What a step returned is on disk; after a restart it is not run again."""

        @step.do("greet")
        async def greet() -> str:
            return f"{self.env.GREETING}, {event['payload']['who']}"

        greeting = await greet()
        await step.sleep("take a breath", "5 seconds")
        return f"{greeting}. And goodbye."
