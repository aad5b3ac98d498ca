"""`pyfetch`, and what can go wrong with it."""

from __future__ import annotations

from typing import Any

from emulator.sdk import workers
from emulator.sdk.workers.errors import AbortError, BodyUsedError, HttpStatusError

__all__ = ["AbortError", "BodyUsedError", "FetchResponse", "HttpStatusError", "pyfetch"]

FetchResponse = workers.FetchResponse


async def pyfetch(url: Any, /, *, signal: Any = None, fetcher: Any = None, **options: Any) -> workers.Response:
    """Fetch a URL. Raises OSError when no answer comes."""
    if fetcher is not None:
        options["fetcher"] = fetcher
    return await workers.fetch(url, **options)
