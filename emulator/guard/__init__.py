"""The guard in front of uvicorn: deadlines, sizes and framing per connection; Host, Origin, token per request."""

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from emulator.guard.head import Limits, Refusal, check_head, check_headers
from emulator.guard.origins import origins
from emulator.guard.token import Gate, with_token
from emulator.guard.token import problem as token_problem

__all__ = [
    "Gate",
    "Limits",
    "Refusal",
    "check_head",
    "check_headers",
    "guarded",
    "origins",
    "token_problem",
    "web_sockets",
    "with_token",
]


def guarded(limits: Limits, *, parser: str = "") -> type[asyncio.Protocol]:
    """
    A protocol class for `uvicorn.Config(http=…)`.

    The parser is httptools, or h11 where httptools is not installed. Imported here: only a server needs uvicorn.
    """
    name = parser or ("httptools" if find_spec("httptools") else "h11")
    protocol = import_module(f"emulator.guard.by_{name}").GuardProtocol
    return type("GuardProtocol", (protocol,), {"limits": limits})


def web_sockets(*arguments: Any, **options: Any) -> asyncio.Protocol:
    """For `uvicorn.Config(ws=…)`: the protocol of one web socket, imported when the first one is asked for."""
    made: asyncio.Protocol = import_module("emulator.guard.by_websockets").GuardedSocket(*arguments, **options)
    return made
