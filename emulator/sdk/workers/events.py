"""Events and those who listen: the base of web sockets and abort signals."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from . import current
from .proxy import JsProxy, options_of

Listener = Callable[..., Any]


class Event(JsProxy):
    """Something that happened, with what there is to know of it as attributes."""

    def __init__(self, type: str, details: Any = None) -> None:
        self.type = type
        self.target: Any = None
        self.__dict__.update(options_of(details))


class MessageEvent(Event):
    """A message has arrived: `data`."""


class CloseEvent(Event):
    """A web socket is closed: `code`, `reason`, `wasClean`."""


class ErrorEvent(Event):
    """Something went wrong: `message`, `error`."""


class EventTarget(JsProxy):
    """
    Takes listeners by `addEventListener`, or one of a kind by `on<kind>`; they may be sync or async.

    Follows developer.mozilla.org/docs/Web/API/EventTarget.
    """

    def __init__(self) -> None:
        self.__dict__["_listeners"] = {}

    def addEventListener(self, type: str, listener: Listener, options: Any = None) -> None:
        once = bool(options_of(options).get("once")) if not isinstance(options, bool) else False
        listeners = self._listeners.setdefault(type, [])
        if all(known is not listener for known, _ in listeners):
            listeners.append((listener, once))

    def removeEventListener(self, type: str, listener: Listener, options: Any = None) -> None:
        self._listeners[type] = [each for each in self._listeners.get(type, []) if each[0] is not listener]

    def dispatchEvent(self, event: Any) -> bool:
        """Call who listens; async listeners go on by themselves, and what they raise is shown."""
        event.target = event.target or self
        for listener, once in list(self._listeners.get(event.type, [])):
            if once:
                self.removeEventListener(event.type, listener)
            current.keep(_heard(listener, event))
        own = getattr(self, f"on{event.type}", None)
        if callable(own):
            current.keep(_heard(own, event))
        return True

    @property
    def _listeners(self) -> dict[str, list[tuple[Listener, bool]]]:
        found: dict[str, list[tuple[Listener, bool]]] = self.__dict__["_listeners"]
        return found


async def _heard(listener: Listener, event: Any) -> None:
    # An object with handleEvent is a listener too.
    handle = getattr(listener, "handleEvent", listener)
    result = handle(event)
    if inspect.isawaitable(result):
        await result
