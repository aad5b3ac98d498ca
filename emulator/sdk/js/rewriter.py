"""`HTMLRewriter`: change HTML on its way through. developers.cloudflare.com/workers/runtime-apis/html-rewriter"""

from __future__ import annotations

import codecs
import inspect
from collections import Counter
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

from emulator.sdk import workers
from emulator.sdk.js.pieces import Comment, Doctype, Element, End, EndTag, Piece, Text
from emulator.sdk.js.selectors import Place, Selector, parse
from emulator.sdk.js.web import response_object
from emulator.sdk.workers.body import Content, pieces
from emulator.sdk.workers.proxy import JsProxy

_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905


class HTMLRewriter(JsProxy):
    """Calls handlers for what their selectors match; everything else passes through as it is."""

    def __init__(self) -> None:
        self._on: list[tuple[Selector, Any]] = []
        self._on_document: list[Any] = []

    def on(self, selector: str, handlers: Any) -> Any:
        self._on.append((parse(selector), handlers))
        return self

    def onDocument(self, handlers: Any) -> Any:
        self._on_document.append(handlers)
        return self

    def transform(self, response: Any) -> Any:
        inner = getattr(response, "_response", response)
        made = inner.replace_body(pieces(_Rewriting(self).run(inner._body.take())))
        made._pairs = [pair for pair in made._pairs if pair[0] != "content-length"]
        return made if isinstance(response, workers.Response) else response_object(made)


class _Rewriting:
    """One document on its way."""

    def __init__(self, rewriter: HTMLRewriter) -> None:
        self._on = rewriter._on
        self._on_document = rewriter._on_document
        self._path: list[tuple[Place, Element | None, list[Any]]] = []
        self._counts: list[Counter[str]] = [Counter()]
        self._parser = _Parser()
        self._hidden = 0

    async def run(self, content: Content) -> AsyncIterator[bytes]:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        async for piece in _each(content):
            yield await self._rewritten(self._parser.read(decode(piece)))
        yield await self._rewritten([*self._parser.read(decode(b"", True)), *self._parser.end()])
        end = End.new()
        await self._tell(self._on_document, "end", end)
        yield end.text.encode()

    async def _rewritten(self, events: list[tuple[str, Any]]) -> bytes:
        return "".join([await self._one(kind, what) for kind, what in events]).encode()

    async def _one(self, kind: str, what: Any) -> str:
        match kind:
            case "start":
                return await self._start(*what)
            case "end":
                return await self._end(*what)
            case "text":
                return await self._passed("text", Text.new(what), self._all_handlers())
            case "comment":
                return await self._passed("comments", Comment.new(what), self._all_handlers())
            case "doctype":
                return await self._passed("doctype", Doctype.new(what), self._on_document)
            case _:
                return "" if self._hidden else str(what)

    async def _start(self, tag: str, attributes: list[tuple[str, str | None]], raw: str) -> str:
        counts = self._counts[-1]
        counts["*"] += 1
        counts[tag] += 1
        place = Place(tag, {name: value or "" for name, value in attributes}, counts["*"], counts[tag])
        path = [*(place for place, _, _ in self._path), place]
        handlers = [handler for selector, handler in self._on if selector(path)]
        element = Element.new(tag, attributes, raw) if handlers and not self._hidden else None
        if element is not None:
            await self._tell(handlers, "element", element)
        is_void = tag in _VOID or raw.endswith("/>")
        text = raw if element is None else element.opened(is_void)
        shown = "" if self._hidden else text
        if not is_void:
            self._path.append((place, element, handlers))
            self._counts.append(Counter())
            self._hidden += element is not None and element.hides
        return shown

    async def _end(self, tag: str, raw: str) -> str:
        if tag not in (place.tag for place, _, _ in self._path):
            return "" if self._hidden else raw
        while True:
            place, element, _ = self._path.pop()
            self._counts.pop()
            if element is not None and element.hides:
                self._hidden -= 1
            if place.tag == tag:
                break
        if self._hidden:
            return ""
        if element is None:
            return raw
        ending = EndTag.new(tag, raw)
        await self._tell(element.listeners, "", ending)
        return element.closed(ending)

    async def _passed(self, name: str, piece: Piece, handlers: list[Any]) -> str:
        if self._hidden:
            return ""
        await self._tell(handlers, name, piece)
        return piece.shown()

    def _all_handlers(self) -> list[Any]:
        return [*self._on_document, *(handler for _, _, handlers in self._path for handler in handlers)]

    async def _tell(self, handlers: list[Any], name: str, what: Any) -> None:
        for handler in handlers:
            function = getattr(handler, name, None) if name else handler
            result = function(what) if function is not None else None
            if inspect.isawaitable(result):
                await result


class _Parser(HTMLParser):
    """Text in as it comes, events with the source they came from out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._events: list[tuple[str, Any]] = []

    def read(self, text: str) -> list[tuple[str, Any]]:
        self.feed(text)
        return self._taken()

    def end(self) -> list[tuple[str, Any]]:
        self.close()
        return self._taken()

    def _taken(self) -> list[tuple[str, Any]]:
        events, self._events = self._events, []
        return events

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._events.append(("start", (tag, attrs, self.get_starttag_text() or f"<{tag}>")))

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        self._events.append(("end", (tag, f"</{tag}>")))

    def handle_data(self, data: str) -> None:
        self._events.append(("text", data))

    def handle_entityref(self, name: str) -> None:
        self._events.append(("text", f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self._events.append(("text", f"&#{name};"))

    def handle_comment(self, data: str) -> None:
        self._events.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self._events.append(("doctype", decl))

    def handle_pi(self, data: str) -> None:
        self._events.append(("other", f"<?{data}>"))

    def unknown_decl(self, data: str) -> None:
        self._events.append(("other", f"<![{data}]>"))


async def _each(content: Content) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif content is not None:
        async for piece in content:
            yield piece
