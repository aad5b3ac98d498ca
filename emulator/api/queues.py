"""The REST API's operations on queues. Queues stand in the config; others come into being with their first message."""

from __future__ import annotations

from emulator.api import shapes
from emulator.api.envelope import BODY, NO_QUEUE, QUEUE_EXISTS, QUEUE_FIXED, ApiError, Reply, timestamp
from emulator.api.held import asked, configured, known, shown
from emulator.api.operation import Call, Operation
from emulator.api.pages import cut, info


async def list_queues(call: Call) -> Reply:
    page, per_page = call.query.get("page", 1), call.query.get("per_page", 100)
    wanted = call.query.get("name")
    names = [name for name in known(call.emulator) if wanted in (None, name)]
    rows = [shown(call.emulator, name) for name in cut(names, page, per_page)]
    return Reply(rows, info(page=page, per_page=per_page, count=len(rows), total=len(names)))


async def create_queue(call: Call) -> Reply:
    name = call.body["queue_name"]
    if name in known(call.emulator):
        raise ApiError(QUEUE_EXISTS, f'there is a queue "{name}" already')
    await call.emulator.broker.pause(name, paused=False)
    return Reply(shown(call.emulator, name))


async def get_queue(call: Call) -> Reply:
    return Reply(shown(call.emulator, asked(call)))


async def change_queue(call: Call) -> Reply:
    """Only the pause of its delivery can be changed; the rest stands in the config."""
    name = asked(call)
    if call.body.get("queue_name", name) != name:
        raise ApiError(QUEUE_FIXED, "a queue keeps its name here; change it in the config")
    settings = call.body.get("settings", {})
    if "delivery_paused" in settings:
        await call.emulator.broker.pause(name, paused=settings["delivery_paused"])
    others = [key for key in settings if key != "delivery_paused"]
    return Reply(shown(call.emulator, name), notes=tuple(f"{key}: not applied; the config decides" for key in others))


async def delete_queue(call: Call) -> Reply:
    """Its messages go; a queue that the config names stays."""
    name = asked(call)
    if name in configured(call.emulator):
        raise ApiError(QUEUE_FIXED, f"{name} stands in the config; take it out there, or purge its messages")
    await call.emulator.broker.forget(name)
    return Reply({})


async def purge(call: Call) -> Reply:
    name = asked(call)
    if call.body.get("delete_messages_permanently") is not True:
        raise ApiError(BODY, "body.delete_messages_permanently: say true")
    await call.emulator.broker.purge(name)
    return Reply(shown(call.emulator, name))


async def purge_status(call: Call) -> Reply:
    asked(call)
    now = timestamp(call.emulator.clock.now())
    return Reply({"started_at": now, "completed": now})


_SETTINGS = shapes.loose(
    {"delivery_delay": shapes.DELAY, "delivery_paused": shapes.BOOLEAN, "message_retention_period": shapes.NUMBER}
)
_ONE = "/queues/{queue}"

OPERATIONS = (
    Operation(
        method="GET",
        path="/queues",
        perform=list_queues,
        summary="All queues, or the one of a name.",
        query={"page": shapes.PAGE, "per_page": shapes.PER_PAGE, "name": shapes.TEXT},
        result=shapes.listed(shapes.QUEUE),
        lists=True,
        errors=(BODY,),
    ),
    Operation(
        method="POST",
        path="/queues",
        perform=create_queue,
        summary="A queue without producers and consumers.",
        body=shapes.loose({"queue_name": shapes.QUEUE_NAME}, "queue_name"),
        needs_body=True,
        result=shapes.QUEUE,
        errors=(BODY, QUEUE_EXISTS),
    ),
    Operation(
        method="GET", path=_ONE, perform=get_queue, summary="One queue.", result=shapes.QUEUE, errors=(NO_QUEUE,)
    ),
    *(
        Operation(
            method=method,
            path=_ONE,
            perform=change_queue,
            summary="Pause or resume its delivery.",
            body=shapes.loose({"queue_name": shapes.QUEUE_NAME, "settings": _SETTINGS}),
            needs_body=True,
            result=shapes.QUEUE,
            errors=(BODY, NO_QUEUE, QUEUE_FIXED),
        )
        for method in ("PATCH", "PUT")
    ),
    Operation(
        method="DELETE",
        path=_ONE,
        perform=delete_queue,
        summary="Forget a queue that the config does not name.",
        result=shapes.shaped({}),
        errors=(NO_QUEUE, QUEUE_FIXED),
    ),
    Operation(
        method="POST",
        path=_ONE + "/purge",
        perform=purge,
        summary="Forget all messages.",
        body=shapes.loose({"delete_messages_permanently": shapes.BOOLEAN}, "delete_messages_permanently"),
        needs_body=True,
        result=shapes.QUEUE,
        errors=(BODY, NO_QUEUE),
    ),
    Operation(
        method="GET",
        path=_ONE + "/purge",
        perform=purge_status,
        summary="When the last purge was over: a purge is over when it is answered.",
        result=shapes.shaped({"started_at": shapes.TIME, "completed": shapes.TIME}),
        errors=(NO_QUEUE,),
    ),
)
