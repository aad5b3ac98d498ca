"""What requests and responses share: headers, and a body that is read once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Iterator
from typing import TYPE_CHECKING, Any

from .body import Body, Content, pieces
from .headers import HeaderMessage, Pairs, find
from .later import part
from .proxy import JsNull

if TYPE_CHECKING:
    from .blob import Blob
    from .formdata import FormData


class Message:
    """A request or a response."""

    _pairs: Pairs
    _body: Body

    @property
    def headers(self) -> HeaderMessage:
        """The headers: a new copy each time, so changing it changes nothing here."""
        return HeaderMessage(self._pairs)

    @property
    def body_used(self) -> bool:
        return self._body.used

    async def bytes(self) -> bytes:
        return await self._body.read()

    async def text(self) -> str:
        return await self._body.text()

    async def buffer(self) -> Any:
        """The body as a JavaScript `ArrayBuffer`."""
        return part("workers.buffers").ArrayBuffer.new(await self._body.read())

    async def blob(self) -> Blob:
        blob: Blob = part("workers.blob").Blob(await self._body.read(), find(self._pairs, "content-type"))
        return blob

    async def form_data(self) -> FormData:
        content_type = find(self._pairs, "content-type")
        form: FormData = part("workers.formdata").parse_form(await self._body.read(), content_type)
        return form

    async def _read_json(self, **options: Any) -> Any:
        return json.loads(await self._body.text(), **options)


def content_of(body: Any, whose: str) -> tuple[Content, str | None]:
    """
    What to send for a body, and the content type it asks for.

    Raises TypeError for what is no body. An iterator of bytes or str is one too: it is streamed.
    """
    if body is None:
        return None, None
    if isinstance(body, str):
        return body.encode("utf-8", "replace"), "text/plain;charset=UTF-8"
    if isinstance(body, bytes):
        return body, None
    as_body = getattr(body, "_as_body", None)
    if as_body is not None:
        content: Content
        content, content_type = as_body()
        return content, content_type
    if isinstance(body, AsyncIterable | Iterator):
        return pieces(body), None
    if isinstance(body, JsNull):
        return None, None
    raise TypeError(f"Unsupported type in {whose}: {type(body).__name__}{_advice(body)}")


def _advice(body: Any) -> str:
    if isinstance(body, dict | list | tuple):
        return "; Response.json() makes a response of it"
    if isinstance(body, bytearray | memoryview):
        return "; pass bytes(...)"
    return "; pass its .js_object" if hasattr(body, "js_object") else ""
