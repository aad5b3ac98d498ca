"""Names of Pyodide's event loop: here it is asyncio's own."""

import asyncio

WebLoop = asyncio.BaseEventLoop
PyodideFuture = asyncio.Future
PyodideTask = asyncio.Task
