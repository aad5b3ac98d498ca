"""The REST API's operations on subscriptions of workflows to events of other products: there are none here."""

from __future__ import annotations

from emulator.api import shapes
from emulator.api.envelope import BODY, FIXED_BY_CONFIG, ApiError, Reply
from emulator.api.operation import Call, Operation


async def get_triggers(call: Call) -> Reply:
    return Reply({"script_name": call.path["script"], "triggers": []})


async def set_triggers(call: Call) -> Reply:
    if call.body:
        raise ApiError(FIXED_BY_CONFIG, "no events of other products are emulated; send the workflow an event yourself")
    return await get_triggers(call)


async def delete_triggers(call: Call) -> Reply:
    return Reply({"deleted": 0})


_PATH = "/triggers/{script}"
_TRIGGERS = shapes.shaped({"script_name": shapes.TEXT, "triggers": shapes.listed({"type": "object"})})

OPERATIONS = (
    Operation(
        method="GET",
        path=_PATH,
        perform=get_triggers,
        summary="An empty list: no events of other products are emulated.",
        result=_TRIGGERS,
    ),
    *(
        Operation(
            method=method,
            path=_PATH,
            perform=set_triggers,
            summary="Agrees to an empty list only.",
            body=shapes.listed({"type": "object"}),
            needs_body=True,
            result=_TRIGGERS,
            errors=(BODY, FIXED_BY_CONFIG),
        )
        for method in ("PUT", "PATCH")
    ),
    Operation(
        method="DELETE",
        path=_PATH,
        perform=delete_triggers,
        summary="Deletes none.",
        result=shapes.shaped({"deleted": shapes.INTEGER}),
    ),
)
