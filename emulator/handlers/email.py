"""An e-mail on its way through a generation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.generation import Conversation
from emulator.mime import headers_of
from emulator.models import Outcome
from emulator.wire import Frame

LARGEST = 1 << 20


@dataclass(frozen=True)
class Email:
    """A message as it comes in: sender and recipient of the envelope, its headers, all of its bytes."""

    sender: str
    recipient: str
    headers: list[tuple[str, str]]
    raw: bytes
    at: datetime


def email_of(sender: str | None, recipient: str | None, raw: bytes, *, at: datetime) -> Email:
    """An e-mail that comes in now. Raises ValueError for what the platform would not hand to a worker."""
    if not sender or not recipient:
        raise ValueError("say who it is from and to: ?from=ada@example.com&to=shop@example.com")
    if not raw:
        raise ValueError("the body of the request is the message, headers first; this one is empty")
    if len(raw) > LARGEST:
        raise ValueError(f"a message may have {LARGEST} bytes, this one has {len(raw)}")
    headers = headers_of(raw)
    if not any(name == "message-id" and value for name, value in headers):
        raise ValueError("the message has no Message-ID header")
    return Email(sender, recipient, headers, raw, at)


class EmailEvent:
    """One e-mail for the worker's `email` handler."""

    kind = "email"
    label = "EMAIL"

    def __init__(self, email: Email) -> None:
        self.email = email

    @property
    def title(self) -> str:
        return f"{self.email.sender} → {self.email.recipient}"

    def frame(self) -> tuple[dict[str, Any], bytes]:
        email = self.email
        time = int(email.at.timestamp() * 1000)
        return {"from": email.sender, "to": email.recipient, "headers": email.headers, "time": time}, email.raw

    def result(self, outcome: Outcome) -> str:
        if not outcome.is_ok:
            return outcome.outcome
        found: dict[str, Any] = outcome.result
        parts = [f"rejected: {found['rejectReason']}"] if "rejectReason" in found else []
        parts += [f"forwarded to {each['recipient']}" for each in found["forwards"]]
        parts += [f"replied to {self.email.sender}" for _ in found["replies"]]
        return ", ".join(parts) or outcome.outcome

    async def converse(self, conversation: Conversation) -> Frame:
        return await conversation.done()
