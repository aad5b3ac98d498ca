"""Calls methods of another worker, and hands it requests."""

from workers import Request, Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.url.endswith("/raw"):
            return Response(await (await self.env.BACK.fetch(request)).text())
        total = await self.env.BACK.add(20, 22)
        try:
            await self.env.ADMIN.delete("all")
        except Exception as error:
            return Response.json({"total": total, "refused": str(error).strip().splitlines()[-1]})
        return Response("deleted", status=500)
