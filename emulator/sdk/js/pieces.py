"""What the handlers of an `HTMLRewriter` receive: elements, texts, comments, the doctype, the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from emulator.sdk.workers.proxy import JsProxy, jsnull, options_of


def _markup(content: Any, options: Any, more: dict[str, Any]) -> str:
    """Text is escaped unless it is said to be HTML."""
    text = str(content)
    return text if {**options_of(options), **more}.get("html") else escape(text, quote=False)


class Piece(JsProxy):
    """Something of the document; what is put before and after it, and whether it stays."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._before = ""
        self._after = ""
        self.removed = False

    def before(self, content: Any, options: Any = None, /, **more: Any) -> Any:
        self._before += _markup(content, options, more)
        return self

    def after(self, content: Any, options: Any = None, /, **more: Any) -> Any:
        self._after = _markup(content, options, more) + self._after
        return self

    def replace(self, content: Any, options: Any = None, /, **more: Any) -> Any:
        self.removed = True
        self._before += _markup(content, options, more)
        return self

    def remove(self) -> Any:
        self.removed = True
        return self

    def shown(self) -> str:
        return self._before + ("" if self.removed else self._source()) + self._after

    def _source(self) -> str:
        return self._raw


class Text(Piece):
    """A run of text, as it stands in the source."""

    lastInTextNode = False

    @property
    def text(self) -> str:
        return self._raw


class Comment(Piece):
    """A comment."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def _source(self) -> str:
        return f"<!--{self.text}-->"


class Doctype(Piece):
    """The document type."""

    @property
    def name(self) -> str:
        return self._raw.split()[-1].lower() if " " in self._raw else ""

    def _source(self) -> str:
        return f"<!{self._raw}>"


class End(JsProxy):
    """The end of the document."""

    def __init__(self) -> None:
        self.text = ""

    def append(self, content: Any, options: Any = None, /, **more: Any) -> Any:
        self.text += _markup(content, options, more)
        return self


class EndTag(Piece):
    """The end of an element."""

    def __init__(self, name: str, raw: str) -> None:
        super().__init__(raw)
        self.name = name


class Element(Piece):
    """An element: its attributes, and what is put around and into it."""

    namespaceURI = "http://www.w3.org/1999/xhtml"

    def __init__(self, tag: str, attributes: list[tuple[str, str | None]], raw: str) -> None:
        super().__init__(raw)
        self._tag = tag
        self._attributes = dict(attributes)
        self._changed = False
        self._first = ""
        self._last = ""
        self._keeps_content = True
        self._without_tags = False
        self.listeners: list[Callable[[Any], Any]] = []

    @property
    def tagName(self) -> str:
        return self._tag

    @tagName.setter
    def tagName(self, name: str) -> None:
        self._tag, self._changed = name, True

    @property
    def attributes(self) -> Iterator[tuple[str, str]]:
        return iter([(name, value or "") for name, value in self._attributes.items()])

    @property
    def hides(self) -> bool:
        """Whether what is inside is left out."""
        return not self._keeps_content

    def getAttribute(self, name: str) -> Any:
        return (self._attributes[name.lower()] or "") if name.lower() in self._attributes else jsnull

    def hasAttribute(self, name: str) -> bool:
        return name.lower() in self._attributes

    def setAttribute(self, name: str, value: Any) -> Any:
        self._attributes[name.lower()], self._changed = str(value), True
        return self

    def removeAttribute(self, name: str) -> Any:
        self._changed = self._attributes.pop(name.lower(), self) is not self or self._changed
        return self

    def prepend(self, content: Any, options: Any = None, /, **more: Any) -> Any:
        self._first = _markup(content, options, more) + self._first
        return self

    def append(self, content: Any, options: Any = None, /, **more: Any) -> Any:
        self._last += _markup(content, options, more)
        return self

    def setInnerContent(self, content: Any, options: Any = None, /, **more: Any) -> Any:
        self._keeps_content, self._first, self._last = False, _markup(content, options, more), ""
        return self

    def replace(self, content: Any, options: Any = None, /, **more: Any) -> Any:
        self._keeps_content = False
        return super().replace(content, options, **more)

    def remove(self) -> Any:
        self._keeps_content = False
        return super().remove()

    def removeAndKeepContent(self) -> Any:
        self._without_tags = True
        return self

    def onEndTag(self, function: Callable[[Any], Any]) -> None:
        self.listeners.append(function)

    def opened(self, is_void: bool) -> str:
        """The start tag with what stands before and behind it."""
        if self.removed:
            return self._before + (self._after if is_void else "")
        tag = "" if self._without_tags else self._source()
        return self._before + tag + (self._after if is_void else self._first)

    def closed(self, ending: EndTag) -> str:
        """The end tag with what stands before and behind it."""
        if self.removed:
            return self._after
        if self._without_tags:
            ending.remove()
        elif self._changed:
            ending._raw = f"</{self._tag}>"
        return self._last + ending.shown() + self._after

    def _source(self) -> str:
        if not self._changed:
            return self._raw
        pairs = (name if value is None else f'{name}="{escape(value)}"' for name, value in self._attributes.items())
        return f"<{' '.join([self._tag, *pairs])}{' /' if self._raw.endswith('/>') else ''}>"
