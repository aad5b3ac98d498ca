"""The classes a worker derives from, and the decorator of older workers."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from .current import EnvWrapper
from .request import Request, _source

P = ParamSpec("P")
R = TypeVar("R")


class Context(Protocol):
    """The `ctx` of a handler. developers.cloudflare.com/workers/runtime-apis/context"""

    def waitUntil(self, other: Awaitable[Any], /) -> None: ...


class WorkerEntrypoint:
    """Base of the classes that handle events; made anew for each one. `Default` is the one the platform calls."""

    def __init__(self, ctx: Context, env: Any) -> None:
        self.ctx = ctx
        self.env = env


class DurableObject:
    """Base of durable objects; one instance for each id."""

    def __init__(self, ctx: Any, env: Any) -> None:
        self.ctx = ctx
        self.env = env


class WorkflowEntrypoint:
    """Base of workflows: `async def run(self, event, step)`; made anew for each run."""

    def __init__(self, ctx: Context, env: Any) -> None:
        self.ctx = ctx
        self.env = env


class RpcTarget:
    """
    Base of objects whose methods and properties another worker may use: they are passed as stubs, not copied.

    Follows developers.cloudflare.com/workers/runtime-apis/rpc/#class-instances.
    """


class DurableObjectAbort(BaseException):
    """A durable object gave itself up. No `except Exception` may keep it alive."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or "Durable Object abort requested")


class DurableObjectContext:
    """What the platform wraps the `ctx` of a durable object in; everything is handed on."""

    def __init__(self, ctx: Any) -> None:
        self._ctx = getattr(ctx, "_ctx", ctx)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ctx, name)

    def abort(self, reason: str | None = None) -> None:
        """Give this object up: no `except Exception` may keep it alive."""
        raise DurableObjectAbort(reason)


def handler(function: Callable[P, R]) -> Callable[P, R]:
    """Mark an older, module-level handler such as `on_fetch`: it gets the classes of `workers`."""

    @functools.wraps(function)
    def call(*arguments: P.args, **keywords: P.kwargs) -> R:
        given: list[Any] = list(arguments)
        if given and _source(given[0])[1]:
            given[0] = Request(given[0])
        if len(given) > 1 and given[1] is None:
            given[1] = EnvWrapper()
        return cast(Callable[..., R], function)(*given, **keywords)

    return call
