"""`AbortController` and `AbortSignal`: tell work under way that nobody wants it any more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from emulator.sdk.workers.events import Event, EventTarget
from emulator.sdk.workers.proxy import JsException, JsProxy


class AbortSignal(EventTarget):
    """Says whether to give up: `aborted`, `reason`, and the event `abort`."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False
        self.reason: Any = None

    def throwIfAborted(self) -> None:
        if self.aborted:
            raise self._error()

    def _abort(self, reason: Any) -> None:
        if self.aborted:
            return
        self.aborted = True
        self.reason = JsException("AbortError", "The operation was aborted") if reason is None else reason
        self.dispatchEvent(Event.new("abort"))

    def _error(self) -> BaseException:
        return self.reason if isinstance(self.reason, BaseException) else JsException("AbortError", str(self.reason))

    @staticmethod
    def abort(reason: Any = None) -> Any:
        signal = AbortSignal.new()
        signal._abort(reason)
        return signal

    @staticmethod
    def timeout(milliseconds: float) -> Any:
        signal = AbortSignal.new()
        error = JsException("TimeoutError", "The operation was aborted due to timeout")
        asyncio.get_running_loop().call_later(milliseconds / 1000, signal._abort, error)
        return signal

    @staticmethod
    def any(signals: Iterable[Any]) -> Any:
        made = AbortSignal.new()
        for signal in signals:
            if signal.aborted:
                made._abort(signal.reason)
            else:
                signal.addEventListener("abort", lambda event: made._abort(event.target.reason))
        return made


class AbortController(JsProxy):
    """Owns a signal."""

    def __init__(self) -> None:
        self.signal: Any = AbortSignal.new()

    def abort(self, reason: Any = None) -> None:
        self.signal._abort(reason)
