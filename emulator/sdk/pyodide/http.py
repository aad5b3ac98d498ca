"""`pyfetch`, and what can go wrong with it."""

from __future__ import annotations

import io
from typing import Any

from emulator.sdk import workers
from emulator.sdk.workers.absent import absent
from emulator.sdk.workers.errors import AbortError, BodyUsedError, HttpStatusError
from emulator.sdk.workers.stacks import run_sync

# With a path, even an empty one, `from … import` asks here first, as it does of a package, and can be told why.
__path__: list[str] = []
__all__ = ["AbortError", "BodyUsedError", "FetchResponse", "HttpStatusError", "open_url", "pyfetch"]

FetchResponse = workers.FetchResponse


async def pyfetch(url: Any, /, *, signal: Any = None, fetcher: Any = None, **options: Any) -> workers.Response:
    """Fetch a URL. Raises OSError when no answer comes."""
    if fetcher is not None:
        options["fetcher"] = fetcher
    if signal is not None:
        options["signal"] = signal
    return await workers.fetch(url, **options)


def open_url(url: str) -> io.StringIO:
    """The text at a URL, for code that is not async. Raises OSError when no answer comes."""
    return io.StringIO(run_sync(_text(url)))


async def _text(url: str) -> str:
    return await (await workers.fetch(url)).text()


def __getattr__(name: str) -> Any:
    raise absent(name, f"pyodide.http.{name} is not emulated; use pyfetch(), or fetch() of workers")
