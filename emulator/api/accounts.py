"""The look-ups with which the platform's clients begin: who am I, and whose account is this? One answer fits all."""

from __future__ import annotations

from emulator.api import shapes
from emulator.api.envelope import Reply
from emulator.api.operation import Call, Operation
from emulator.api.pages import info
from emulator.versions import id_of

ACCOUNT = "0123456789abcdef0123456789abcdef"
_SINCE = "2026-01-01T00:00:00.000Z"
_ACCOUNT = {"id": ACCOUNT, "name": "emulator", "type": "standard", "created_on": _SINCE}
_TOKEN = id_of("token").replace("-", "")


async def list_accounts(call: Call) -> Reply:
    return Reply([_ACCOUNT], info(page=1, per_page=20, count=1, total=1))


async def get_account(call: Call) -> Reply:
    return Reply({**_ACCOUNT, "id": call.path["account"]})


async def list_memberships(call: Call) -> Reply:
    rows = [{"id": id_of("membership"), "status": "accepted", "account": _ACCOUNT, "roles": ["Administrator"]}]
    return Reply(rows, info(page=1, per_page=20, count=1, total=1))


async def get_user(call: Call) -> Reply:
    return Reply({"id": id_of("user").replace("-", ""), "email": "emulator@localhost", "username": "emulator"})


async def verify_token(call: Call) -> Reply:
    return Reply({"id": _TOKEN, "status": "active"})


OPERATIONS = (
    Operation(
        method="GET",
        path="/accounts",
        perform=list_accounts,
        summary="The one account there is.",
        result=shapes.listed(shapes.shaped(shapes.NAMED)),
        lists=True,
    ),
    Operation(
        method="GET",
        path="/accounts/{account}",
        perform=get_account,
        summary="An account of any id: all are the same.",
        result=shapes.shaped(shapes.NAMED),
    ),
    Operation(
        method="GET",
        path="/memberships",
        perform=list_memberships,
        summary="The membership in the one account.",
        result=shapes.listed(shapes.shaped({"id": shapes.TEXT, "account": shapes.shaped(shapes.NAMED)})),
        lists=True,
    ),
    Operation(
        method="GET",
        path="/user",
        perform=get_user,
        summary="The user.",
        result=shapes.shaped({"id": shapes.TEXT, "email": shapes.TEXT}),
    ),
    Operation(
        method="GET",
        path="/user/tokens/verify",
        perform=verify_token,
        summary="A token that got as far as here is good.",
        result=shapes.shaped({"id": shapes.TEXT, "status": shapes.TEXT}),
    ),
)
