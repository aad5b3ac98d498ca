"""The REST API's operations on queues' subscriptions to events of other products: there are none here."""

from __future__ import annotations

from emulator.api import shapes
from emulator.api.envelope import BODY, FIXED_BY_CONFIG, NO_SUBSCRIPTION, ApiError, Reply
from emulator.api.operation import Call, Operation
from emulator.api.pages import info


async def list_subscriptions(call: Call) -> Reply:
    page, per_page = call.query.get("page", 1), call.query.get("per_page", 20)
    return Reply([], info(page=page, per_page=per_page, count=0, total=0))


async def create_subscription(call: Call) -> Reply:
    raise ApiError(FIXED_BY_CONFIG, "no events of other products are emulated; send the queue a message yourself")


async def no_subscription(call: Call) -> Reply:
    raise ApiError(NO_SUBSCRIPTION, "there are no subscriptions here; no events of other products are emulated")


_ALL = "/event_subscriptions/subscriptions"
_QUERY = {"page": shapes.PAGE, "per_page": shapes.PER_PAGE, "direction": shapes.one_of("asc", "desc")}

OPERATIONS = (
    Operation(
        method="GET",
        path=_ALL,
        perform=list_subscriptions,
        summary="An empty list: no events of other products are emulated.",
        query={**_QUERY, "order": shapes.TEXT},
        result=shapes.listed({"type": "object"}),
        lists=True,
        errors=(BODY,),
    ),
    Operation(
        method="POST",
        path=_ALL,
        perform=create_subscription,
        summary="Always refused, with the reason.",
        body={"type": "object"},
        needs_body=True,
        result={"type": "object"},
        errors=(BODY, FIXED_BY_CONFIG),
    ),
    *(
        Operation(
            method=method,
            path=_ALL + "/{subscription}",
            perform=no_subscription,
            summary="There is none.",
            result={"type": "object"},
            errors=(NO_SUBSCRIPTION,),
        )
        for method in ("GET", "PATCH", "DELETE")
    ),
)
