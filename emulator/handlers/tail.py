"""What happened in a worker, for those that its config names as `tail_consumers`: told when an event is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.dispatch import Event, Place
from emulator.errors import EmulatorError
from emulator.generation import Conversation
from emulator.models import Outcome
from emulator.runtime import values
from emulator.wire import Frame

_MOST_LOGS = 256
_LEVELS = {"error": "error"}


class TailEvent:
    """Traces on their way to a worker's `tail` handler."""

    kind = "tail"
    label = "TAIL"

    def __init__(self, traces: list[dict[str, Any]]) -> None:
        self._traces = traces

    @property
    def title(self) -> str:
        return f"of {self._traces[0]['scriptName']}"

    def frame(self) -> tuple[dict[str, Any], bytes]:
        return {}, values.encode(self._traces).encode()

    def result(self, outcome: Outcome) -> str:
        return outcome.outcome

    async def converse(self, conversation: Conversation) -> Frame:
        return await conversation.done()


@dataclass
class _Heard:
    """What an event has printed so far."""

    since: int
    logs: list[dict[str, Any]] = field(default_factory=list)
    is_whole: bool = True

    def add(self, log: dict[str, Any]) -> None:
        if len(self.logs) < _MOST_LOGS:
            self.logs.append(log)
        else:
            self.is_whole = False


class Tails:
    """
    Remembers what events print, for workers that have tail consumers, and tells those when an event is over.

    `consumers` names them for a worker, `send` hands one traces, `now` is the time in milliseconds.
    """

    def __init__(
        self,
        consumers: Callable[[str], tuple[str, ...]],
        send: Callable[[str, TailEvent], Awaitable[object]],
        now: Callable[[], int],
    ) -> None:
        self._consumers = consumers
        self._send = send
        self._now = now
        self._heard: dict[Place, _Heard] = {}
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def is_busy(self) -> bool:
        return bool(self._sending)

    def begins(self, place: Place, event: Event) -> None:
        if self._consumers(place[0]) and _is_told_of(event):
            self._heard[place] = _Heard(self._now())

    def printed(self, place: Place, stream: str, text: str) -> None:
        heard = self._heard.get(place)
        if heard is not None:
            heard.add({"timestamp": self._now(), "level": _LEVELS.get(stream, "log"), "message": [text]})

    def ends(self, place: Place, event: Event, outcome: Outcome) -> None:
        heard = self._heard.pop(place, None)
        if heard is None:
            return
        trace = _trace_of(place[0], event, outcome, heard, now=self._now())
        for name in self._consumers(place[0]):
            task = asyncio.get_running_loop().create_task(self._tell(name, trace))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _tell(self, name: str, trace: dict[str, Any]) -> None:
        try:
            await self._send(name, TailEvent([trace]))
        except EmulatorError:
            # It has been reported; the worker that is watched goes on whatever becomes of who watches.
            return


def _is_told_of(event: Event) -> bool:
    """Not who watches; and the call of an object that was lent is part of the event that lent it, as there."""
    return event.kind != TailEvent.kind and not (event.kind == "rpc" and "stub" in event.frame()[0])


def _trace_of(worker: str, event: Event, outcome: Outcome, heard: _Heard, *, now: int) -> dict[str, Any]:
    """
    One event as a `tail` handler receives it; times are milliseconds.

    Follows developers.cloudflare.com/workers/runtime-apis/handlers/tail/#tailitems.
    """
    head, body = event.frame()
    error = outcome.error
    raised = [] if error is None else [(error.trace or error.message)]
    return {
        "scriptName": worker,
        "entrypoint": head.get("entrypoint") or "default",
        "executionModel": "stateless",
        "event": _EVENTS[event.kind](head, body, event),
        "eventTimestamp": heard.since,
        "logs": heard.logs,
        "exceptions": [{"name": "PythonError", "message": text, "timestamp": now} for text in raised],
        "diagnosticsChannelEvents": [],
        "outcome": outcome.outcome,
        "wallTime": round(outcome.milliseconds),
        "cpuTime": 0,
        "truncated": not heard.is_whole,
    }


def _fetch(head: Mapping[str, Any], body: bytes, event: Any) -> dict[str, Any]:
    request = {"method": head["method"], "url": head["url"], "headers": _headers(head["headers"]), "cf": {}}
    return {"request": request, **({"response": {"status": event.status}} if event.status else {})}


def _headers(pairs: Iterable[Sequence[str]]) -> dict[str, str]:
    """Each name once, in lower case: what came under it, one after the other."""
    found: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


def _rpc(head: Mapping[str, Any], body: bytes, event: Any) -> dict[str, Any]:
    return {"rpcMethod": head["method"]}


def _scheduled(head: Mapping[str, Any], body: bytes, event: Any) -> dict[str, Any]:
    return {"cron": head["cron"], "scheduledTime": head["time"]}


def _queue(head: Mapping[str, Any], body: bytes, event: Any) -> dict[str, Any]:
    return {"queue": head["queue"], "batchSize": len(head["messages"])}


def _email(head: Mapping[str, Any], body: bytes, event: Any) -> dict[str, Any]:
    return {"mailFrom": head["from"], "rcptTo": head["to"], "rawSize": len(body)}


_EVENTS = {
    "fetch": _fetch,
    "upgrade": _fetch,
    "rpc": _rpc,
    "scheduled": _scheduled,
    "queue": _queue,
    "email": _email,
}
