"""The platform's REST API under /cdn-cgi/client/v4, so that its own clients drive the emulator unmodified."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from emulator.api import (
    accounts,
    batches,
    consumers,
    instances,
    messages,
    openapi,
    pulls,
    queues,
    subscriptions,
    triggers,
    workflows,
)
from emulator.api.envelope import NO_METHOD, NO_ROUTE, Answer, ApiError, failure
from emulator.api.operation import Operation, routes, written
from emulator.guard.origins import API
from emulator.server import Emulator

PREFIX = API
_ACCOUNT = "/accounts/{account}"


def _of_account(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    return tuple(replace(each, path=_ACCOUNT + each.path) for each in operations)


OPERATIONS = (
    *accounts.OPERATIONS,
    *_of_account(workflows.OPERATIONS),
    *_of_account(batches.OPERATIONS),
    *_of_account(instances.OPERATIONS),
    *_of_account(triggers.OPERATIONS),
    *_of_account(queues.OPERATIONS),
    *_of_account(messages.OPERATIONS),
    *_of_account(pulls.OPERATIONS),
    *_of_account(consumers.OPERATIONS),
    *_of_account(subscriptions.OPERATIONS),
)


def rest_mount(emulator: Emulator) -> Mount:
    """All of the API, with its own way to say that there is no such route."""

    async def described(request: Request) -> Response:
        return written(Answer(status=200, body=document()))

    app = Starlette(
        routes=[Route("/openapi.json", described), *routes(emulator, OPERATIONS)],
        exception_handlers={404: no_route, 405: _no_method},
    )
    app.router.redirect_slashes = False

    async def tolerant(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        # wrangler asks for …/instances/ with a slash at the end.
        await app({**scope, "path": scope["path"].rstrip("/")}, receive, send)

    return Mount(PREFIX, app=tolerant)


def document() -> dict[str, Any]:
    """The OpenAPI document."""
    return openapi.document(OPERATIONS, title="The platform's REST API, as far as it is emulated", server=PREFIX)


async def no_route(request: Request, error: Exception) -> Response:
    """The envelope for a path that is none of the API's."""
    return written(failure(ApiError(NO_ROUTE, f"{request.url.path} is no route of the API that is emulated")))


async def _no_method(request: Request, error: Exception) -> Response:
    return written(failure(ApiError(NO_METHOD, f"{request.method} is not what this route takes")))
