"""One event under way in the user's process: its env, its waitUntil work, its controller."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Invocation:
    """What `workers.env` and `workers.wait_until` refer to while a handler runs."""

    def __init__(
        self, env: Any, complain: Callable[[BaseException], None], flags: Mapping[str, bool], exports: Any
    ) -> None:
        self.env = env
        self.flags = flags
        self.exports = exports
        self._complain = complain
        self._waiting: set[asyncio.Future[Any]] = set()
        self._failed = False

    def wait_until(self, awaitable: Any) -> None:
        """Let work go on after the answer. Raises TypeError for what cannot be awaited."""
        if not inspect.isawaitable(awaitable):
            raise TypeError(f"waitUntil takes an awaitable, got {type(awaitable).__name__}")
        work = asyncio.ensure_future(awaitable)
        self._waiting.add(work)
        work.add_done_callback(self._done)

    @property
    def has_work(self) -> bool:
        return bool(self._waiting)

    async def finish(self) -> bool:
        """Wait for all waitUntil work, also such as was added meanwhile; True when none of it failed."""
        while self._waiting:
            await asyncio.wait(set(self._waiting))
        return not self._failed

    def _done(self, work: asyncio.Future[Any]) -> None:
        self._waiting.discard(work)
        if work.cancelled():
            return
        error = work.exception()
        if error is not None:
            self._failed = True
            self._complain(error)


class Context:
    """The `ctx` of a handler: developers.cloudflare.com/workers/runtime-apis/context."""

    def __init__(self, invocation: Invocation, props: Any = None, exports: Any = None) -> None:
        self._invocation = invocation
        self.props = {} if props is None else props
        self.exports = exports

    def waitUntil(self, awaitable: Any) -> None:
        """Let work go on after the answer."""
        self._invocation.wait_until(awaitable)

    def passThroughOnException(self) -> None:
        """Ask for the origin's answer should the handler fail; there is no origin here, so the error is shown."""

    wait_until = waitUntil
    pass_through_on_exception = passThroughOnException


@dataclass
class ScheduledController:
    """What `scheduled` receives: `cron` as written, `scheduledTime` in milliseconds."""

    cron: str
    scheduledTime: int
    type: str = "scheduled"
    no_retry_asked: bool = field(default=False, repr=False)

    @property
    def scheduled_time(self) -> int:
        return self.scheduledTime

    def noRetry(self) -> None:
        """Ask the platform not to run this tick again."""
        self.no_retry_asked = True

    no_retry = noRetry
