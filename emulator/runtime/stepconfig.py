"""A step's config on the user's side: what of it the engine is told, and the delay function that stays here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from json import dumps, loads
from typing import Any

from emulator.runtime.exports import awaited
from emulator.sdk.workers.rpc import JsDict

_DELAY_SECONDS = 5
_DYNAMIC = "[dynamic]"
_INVALID = 'returned an invalid delay value (expected a number of ms or a duration string like "30 seconds")'


def plain(config: Any) -> Any:
    """The config as Python values, whichever part of it is JavaScript's; None for none."""
    to_py = getattr(config, "to_py", None)
    if callable(to_py) and not callable(config):
        config = to_py()
    return {key: plain(value) for key, value in config.items()} if isinstance(config, dict) else config


def told(config: Any) -> Any:
    """The config as the engine reads it: a marker stands where a delay function was."""
    return None if config is None else loads(dumps(config, default=_told_value))


def delay_function(config: Any) -> Callable[..., Any] | None:
    """The user's own delay function, if the config has one."""
    retries = config.get("retries") if isinstance(config, dict) else None
    delay = retries.get("delay") if isinstance(retries, dict) else None
    return delay if callable(delay) else None


def asks(context: Any) -> bool:
    """Whether there is to be a next attempt, and by the config in force a delay function says when."""
    retries = context["config"]["retries"]
    return "delay" not in retries and bool(context["attempt"] <= retries["limit"])


async def asked(delay: Callable[..., Any], error: Exception, context: Any) -> dict[str, Any]:
    """What the delay function says of a failed attempt, or why it could not be asked."""
    try:
        async with asyncio.timeout(_DELAY_SECONDS):
            answer = await awaited(delay(JsDict({"ctx": context, "error": error})))
    except TimeoutError:
        return {"delay_problem": f"did not return within {_DELAY_SECONDS} seconds"}
    except Exception as raised:
        return {"delay_problem": f"threw an error: {raised}"}
    if isinstance(answer, timedelta):
        return {"delay": answer / timedelta(milliseconds=1)}
    if isinstance(answer, str | int | float) and not isinstance(answer, bool):
        return {"delay": answer}
    return {"delay_problem": _INVALID}


def _told_value(value: Any) -> Any:
    if callable(value):
        return _DYNAMIC
    if isinstance(value, timedelta):
        return value / timedelta(milliseconds=1)
    return f"<{type(value).__name__}>"
