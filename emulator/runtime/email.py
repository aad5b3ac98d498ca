"""What the email handler receives: a message that can be read, forwarded, answered or rejected."""

from __future__ import annotations

import re
import time
from random import getrandbits
from typing import Any

from emulator.mime import headers_of
from emulator.sdk.workers.body import Body
from emulator.sdk.workers.headers import to_pairs
from emulator.sdk.workers.later import part
from emulator.sdk.workers.proxy import JsException
from emulator.sdk.workers.rpc import JsDict

_ID = re.compile(r"<[^<>\s]+>")


class ForwardableEmailMessage:
    """
    A message that came in: `from_`, `to`, `headers`, `raw` (a stream), `rawSize`.

    Nothing leaves this machine: what the handler asks for is recorded. Follows
    developers.cloudflare.com/email-routing/email-workers/runtime-api.
    """

    def __init__(self, head: dict[str, Any], raw: bytes) -> None:
        self.from_: str = head["from"]
        self.to: str = head["to"]
        self.headers = part("js.headers").Headers.new([(name, value) for name, value in head["headers"]])
        self.raw = part("workers.streams").over(Body(raw))
        self.rawSize = len(raw)
        self._id = self.headers.get("message-id")
        self._arrived: int = head["time"]
        self._began = time.monotonic()
        self._rejected: str | None = None
        self._forwards: list[dict[str, Any]] = []
        self._replies: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = [self._event("received", self._id)]

    def __getattr__(self, name: str) -> Any:
        if name == "from":
            return self.from_
        raise AttributeError(f"an email message has no {name!r}", name=name, obj=self)

    def setReject(self, reason: str) -> None:
        """Refuse the message; the sender is told the reason."""
        self._rejected = str(reason)
        self._events.append(self._event("reject"))

    async def forward(self, rcptTo: str, headers: Any = None) -> Any:
        """Send it on to a verified address, with further `X-` headers. Answers `{messageId}`."""
        pairs = to_pairs(headers)
        wrong = [name for name, _ in pairs if not name.startswith("x-")]
        if wrong:
            raise JsException("Error", f"forward() may add headers that begin with X- only, got {', '.join(wrong)}")
        id = _new_id()
        self._forwards.append({"recipient": str(rcptTo), "headers": dict(pairs), "messageId": id})
        self._events.append(self._event("forward", id))
        return JsDict({"messageId": id})

    async def reply(self, message: Any) -> Any:
        """Answer the sender with an `EmailMessage` whose In-Reply-To names this message. Answers `{messageId}`."""
        raw = await _bytes(message.raw)
        own = dict(headers_of(raw))
        self._check_reply(message, own)
        id = own["message-id"]
        self._replies.append({"messageId": id, "sender": message.from_, "raw": raw.decode("utf-8", "replace")})
        self._events.append(self._event("reply", id))
        return JsDict({"messageId": id})

    set_reject = setReject

    @property
    def raw_size(self) -> int:
        return self.rawSize

    def recorded(self) -> dict[str, Any]:
        """What the handler asked for, for the other side."""
        told = {"forwards": self._forwards, "replies": self._replies, "events": self._events}
        return told if self._rejected is None else {"rejectReason": self._rejected, **told}

    def _check_reply(self, message: Any, own: dict[str, str]) -> None:
        if not _ID.fullmatch(own.get("message-id", "")):
            raise JsException("Error", "a reply needs a Message-ID header such as <number@your.domain>")
        if own.get("in-reply-to") != self._id:
            raise JsException("Error", f"a reply's In-Reply-To header has to be {self._id}")
        if message.to != self.from_:
            raise JsException("Error", f"a reply goes to the sender, {self.from_}, not to {message.to}")

    def _event(self, kind: str, id: Any = None) -> dict[str, Any]:
        now = self._arrived + int((time.monotonic() - self._began) * 1000)
        return {"type": kind, "timestamp": now, **({"messageId": id} if id else {})}

    def __repr__(self) -> str:
        return f"<email from {self.from_} to {self.to}>"


async def _bytes(raw: Any) -> bytes:
    if isinstance(raw, str):
        return raw.encode()
    if isinstance(raw, bytes | bytearray | memoryview):
        return bytes(raw)
    return b"".join([piece.to_bytes() async for piece in raw])


def _new_id() -> str:
    return f"<{getrandbits(128):032x}@emulator.local>"
