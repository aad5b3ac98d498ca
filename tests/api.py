"""The emulator's own routes as a client asks them, in this process, behind the guard or without it."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import unquote

from support import Answer

from emulator.api.explorer import PREFIXES
from emulator.api.local import local_app
from emulator.api.rest import PREFIX
from emulator.guard import origins

ACCOUNT = f"{PREFIX}/accounts/local"
EXPLORER = PREFIXES[0]
INSTANCES = "/workflows/order/instances"

FLOW = """
[[workflows]]
name = "order"
binding = "ORDER"
class_name = "Order"

[[queues.producers]]
queue = "orders"
binding = "ORDERS"
"""

CODE = """
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("charge", config={"retries": {"limit": 3, "delay": "1 second"}})
        async def charge(ctx):
            if ctx["attempt"] < 2:
                raise ValueError("boom")
            return {"paid": 3}

        await charge()
        await step.sleep("rest", "1 minute")
        sent = await step.wait_for_event("approval", "approve", timeout="1 hour")
        return {"by": sent["payload"]}
"""


class Api:
    """A client of the routes under /cdn-cgi/."""

    def __init__(self, emu, prefix=ACCOUNT, *, guarded=False):
        self._app = local_app(emu.emulator)
        if guarded:
            self._app = origins(self._app, hosts=frozenset, strict_host=False)
        self.prefix = prefix

    async def ask(self, method, path, body=None, headers=None):
        """One request; a body that is no bytes is sent as JSON."""
        target, _, query = (path if path.startswith("/cdn-cgi") else self.prefix + path).partition("?")
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"host": "127.0.0.1:8787", **({"content-type": "application/json"} if content else {})}
        given |= headers or {}
        if content:
            given["content-length"] = str(len(content))
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(target),
            "raw_path": target.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 8787),
        }
        answer, pieces = Answer(0, [], b""), [{"type": "http.request", "body": content, "more_body": False}]

        async def receive():
            if pieces:
                return pieces.pop()
            return await asyncio.Event().wait()

        async def send(message):
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
            else:
                answer.body += message.get("body", b"")

        await self._app(scope, receive, send)
        return answer

    async def get(self, path, **headers):
        return await self.ask("GET", path, headers=headers)

    async def result(self, method, path, body=None):
        """The result of what must go well."""
        answer = await self.ask(method, path, body)
        assert 200 == answer.status, answer.text
        assert answer.json["success"]
        return answer.json["result"]

    async def error(self, method, path, body=None, headers=None):
        """The HTTP status and the code of what must not, and why."""
        answer = await self.ask(method, path, body, headers)
        told = answer.json
        assert (False, None, []) == (told["success"], told["result"], told["messages"])
        (error,) = told["errors"]
        return answer.status, error["code"], error.get("error_chain", [error])[0]["message"]
