"""Offers methods to another worker."""

from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        return Response(f"back got {request.method}")

    def add(self, one: int, two: int) -> int:
        return one + two


class Admin(WorkerEntrypoint):
    async def delete(self, what: str) -> None:
        role = self.ctx.props["role"]  # type: ignore[attr-defined]
        raise PermissionError(f"a {role} may not delete {what}")
