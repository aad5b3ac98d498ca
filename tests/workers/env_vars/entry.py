"""Reads variables of all kinds: of `self.env`, and of the importable `env`."""

from workers import Request, Response, WorkerEntrypoint, env

GREETING: str = env.GREETING


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        limits = self.env.LIMITS
        return Response.json(
            {
                "greeting": GREETING,
                "debug": self.env.DEBUG,
                "limit": limits.requests,
                "cache": getattr(self.env, "CACHE", None),
                "colo": request.cf.colo,
                "secret": len(self.env.API_KEY),
            }
        )
