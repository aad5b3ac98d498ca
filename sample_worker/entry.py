"""The sample worker: a tea shop with one of everything. Open /demo to see it at work."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from workers import Request, Response, WorkerEntrypoint
from workflows import Countdown, MyWorkflow

__all__ = ["Countdown", "Default", "MyWorkflow"]

_HTML = {"content-type": "text/html; charset=utf-8"}
_ROUTES = "GET /, GET /countdown, POST /events, POST /enqueue, GET /demo"


class Default(WorkerEntrypoint):
    """What happens on a request, on a tick of the cron, on a batch of messages."""

    async def fetch(self, request: Request) -> Response:
        url = urlsplit(request.url)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        match request.method, url.path:
            case "GET", "/":
                params = {"item": query.get("item", "a pot of tea"), "approve": query.get("approve") == "true"}
                return await show_or_create(self.env.MY_WORKFLOW, query, params)
            case "GET", "/countdown":
                return await show_or_create(self.env.COUNTDOWN, query, {"seconds": 5})
            case "POST", "/events":
                return await send_event(self.env.MY_WORKFLOW, query, await read(request))
            case "POST", "/enqueue":
                return await self.enqueue(await read(request))
            case "GET", "/demo":
                page = Path(__file__).parent / "demo.html"
                return Response(page.read_text("utf-8"), headers=_HTML)
            case _:
                return problem(404, f"no route for {request.method} {url.path}; there are {_ROUTES}")

    async def enqueue(self, params: Any) -> Response:
        """The message carries the id of the instance to make, so that whoever asked can look for it."""
        message = {"id": str(uuid.uuid4()), "params": wish_of(params)}
        await self.env.ORDERS.send(message)
        return Response.json({"id": message["id"], "queued": True}, status=202)

    async def queue(self, batch: Any, env: Any, ctx: Any) -> None:
        """One instance for each message. A message may come twice; `create_batch` leaves out ids that exist."""
        await self.env.MY_WORKFLOW.create_batch([order_of(message) for message in batch.messages])

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:
        """One instance for each tick."""
        params = {"item": "the house blend", "cron": controller.cron, "scheduledTime": controller.scheduledTime}
        instance = await self.env.MY_WORKFLOW.create(id=str(uuid.uuid4()), params=params)
        print(f"the cron {controller.cron} ordered {instance.id}")


async def show_or_create(workflow: Any, query: Mapping[str, str], params: dict[str, Any]) -> Response:
    """The status of the instance that `instanceId` names; without one, a new instance."""
    if "instanceId" not in query:
        instance = await workflow.create(id=str(uuid.uuid4()), params=params)
        return Response.json({"id": instance.id, "details": await instance.status()})
    try:
        instance = await workflow.get(query["instanceId"])
    except Exception as error:
        return refusal(error, query["instanceId"])
    return Response.json({"status": await instance.status()})


async def send_event(workflow: Any, query: Mapping[str, str], payload: Any) -> Response:
    """Hand an event to an instance; it is kept until the workflow waits for its type."""
    if not query.get("instanceId") or not query.get("type"):
        return problem(400, "say which instance and which event: POST /events?instanceId=ID&type=approval")
    try:
        instance = await workflow.get(query["instanceId"])
        await instance.send_event({"type": query["type"], "payload": payload})
    except Exception as error:
        return refusal(error, query["instanceId"])
    return Response.json({"id": instance.id, "sent": query["type"]})


def order_of(message: Any) -> dict[str, Any]:
    """The instance that a message asks for. One that names no id gets the message's own, the same at each delivery."""
    body = message.body
    if isinstance(body, dict) and "id" in body:
        return {"id": body["id"], "params": wish_of(body.get("params"))}
    return {"id": message.id, "params": wish_of(body)}


def wish_of(body: Any) -> dict[str, Any]:
    """Params for an order, from whatever somebody sent."""
    if isinstance(body, dict):
        return body
    return {"item": body} if body else {}


async def read(request: Request) -> Any:
    """The body: JSON if it is that, otherwise its text; None when there is none."""
    text = await request.text()
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def refusal(error: Exception, instance_id: str) -> Response:
    """What the workflow binding would not do. What is no refusal is a bug, and raised as one."""
    if "instance.not_found" in str(error):
        return problem(404, f'there is no instance "{instance_id}"')
    if "instance." in str(error) or "event." in str(error):
        return problem(409, str(error))
    raise error


def problem(status: int, message: str) -> Response:
    return Response.json({"error": message}, status=status)
