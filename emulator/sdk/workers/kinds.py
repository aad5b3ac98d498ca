"""Names that stand in annotations. As on the platform the aliases are plain strings when the program runs."""

from __future__ import annotations

from http import HTTPMethod
from typing import Any, TypedDict

Headers = "dict[str, str] | list[tuple[str, str]]"
Body = "str | bytes | FormData | JSBody"
JSBody = "Any"
BlobValue = "str | bytes | Blob"
FormDataValue = "str | Blob"

RequestInitCfProperties = dict[str, Any]


class FetchKwargs(TypedDict, total=False):
    """Options of `fetch()`."""

    headers: Any
    body: Any
    method: HTTPMethod | str
    redirect: str
    cf: RequestInitCfProperties
    fetcher: Any
