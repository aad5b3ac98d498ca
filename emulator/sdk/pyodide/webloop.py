"""Names of Pyodide's event loop: here it is asyncio's own."""

import asyncio
from typing import Any

from emulator.sdk.workers.absent import absent

# With a path, even an empty one, `from … import` asks here first, as it does of a package, and can be told why.
__path__: list[str] = []

WebLoop = asyncio.BaseEventLoop
PyodideFuture = asyncio.Future
PyodideTask = asyncio.Task


def __getattr__(name: str) -> Any:
    raise absent(name, f"pyodide.webloop.{name} is not emulated: the loop is asyncio's own; use asyncio")
