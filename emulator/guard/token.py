"""The token without which nobody uses /cdn-cgi/ when others than this machine reach the port. It is never shown."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from emulator.guard.head import Header
from emulator.guard.origins import OURS_ONLY, ASGIApp, Receive, Scope, Send
from emulator.guard.telling import NO_TOKEN, TOO_OFTEN, envelope

log = logging.getLogger("emulator")

SHORTEST = 32
"""Characters: 128 bits, even where all are hexadecimal digits."""

WRONG = 10
SECONDS = 60.0
_MOST_CLIENTS = 1_000


@dataclass(frozen=True)
class Denial:
    """Why a request does not pass: the status, the number and the name that the platform's clients know, the reason."""

    status: int
    code: int
    name: str
    why: str


def problem(token: str) -> str | None:
    """Why this cannot be a token, or None. Pure."""
    if len(token) < SHORTEST:
        return f"it has {len(token)} characters, and needs {SHORTEST}"
    if not (token.isascii() and token.isprintable()) or " " in token:
        return "it has a blank, or a character that no header can carry"
    return None


def given(authorization: list[str]) -> str | None:
    """The token in these headers: a bearer, or the password that a browser asked for; None if there is none. Pure."""
    if len(authorization) != 1:
        return None
    scheme, _, value = authorization[0].strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _password(value.strip())
        case _:
            return None


class Gate:
    """Lets those pass who have the token, and counts, per client, who has a wrong one. `now` is in seconds."""

    def __init__(self, token: str, now: Callable[[], float] = time.monotonic) -> None:
        self._token = token.encode()
        self._now = now
        self._wrong: dict[str, deque[float]] = {}

    def denial(self, client: str, authorization: list[str]) -> Denial | None:
        """Why this client does not pass, or None."""
        if self._is_shut_out(client):
            return Denial(*TOO_OFTEN, f"{WRONG} wrong tokens came from here; wait a minute")
        token = given(authorization)
        if token is None:
            how = "Authorization: Bearer TOKEN; commands take it from EMULATOR_API_TOKEN"
            return Denial(*NO_TOKEN, f"this emulator asks for its token, in {how}")
        if hmac.compare_digest(token.encode("utf-8", "surrogateescape"), self._token):
            return None
        self._count(client)
        return Denial(*NO_TOKEN, "this is not the emulator's token; it is the one in EMULATOR_API_TOKEN where it runs")

    def _is_shut_out(self, client: str) -> bool:
        wrong = self._wrong.get(client)
        return wrong is not None and len(wrong) == WRONG and self._now() - wrong[0] < SECONDS

    def _count(self, client: str) -> None:
        wrong = self._wrong.pop(client, None) or deque(maxlen=WRONG)
        wrong.append(self._now())
        # The one that was wrong last stands last, so that those who were longest ago are forgotten first.
        self._wrong[client] = wrong
        while len(self._wrong) > _MOST_CLIENTS:
            del self._wrong[next(iter(self._wrong))]
        if self._is_shut_out(client):
            log.warning("%s wrong tokens within a minute from %s; it is refused for the rest of it", WRONG, client)


def with_token(app: ASGIApp, gate: Gate) -> ASGIApp:
    """`app` for those who pass the gate."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        client = (scope.get("client") or ("",))[0]
        authorization = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        denial = gate.denial(client, authorization)
        if denial is None:
            await app(scope, receive, send)
        else:
            await _deny(denial, scope, send)

    return checked


async def _deny(denial: Denial, scope: Scope, send: Send) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        kind = "websocket.http.response"
        if kind not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": denial.name})
            return
    body = _body(denial)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        _challenge(denial, scope),
        *OURS_ONLY,
    ]
    await send({"type": f"{kind}.start", "status": denial.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": b"" if scope.get("method") == "HEAD" else body})


def _body(denial: Denial) -> bytes:
    """What the platform's clients and our own commands both read."""
    told = envelope(denial.code, denial.name, denial.why)
    return json.dumps({**told, "ok": False, "error": denial.why}).encode()


def _challenge(denial: Denial, scope: Scope) -> Header:
    """A browser that visits a page of ours asks its user, and keeps the answer for this origin; scripts are told."""
    if denial.status != NO_TOKEN[0]:
        return b"retry-after", str(int(SECONDS)).encode()
    # Where nothing is encrypted browsers leave out what else would tell a visit.
    is_visit = any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
    return b"www-authenticate", b'Basic realm="emulator", charset="UTF-8"' if is_visit else b'Bearer realm="emulator"'


def _password(encoded: str) -> str | None:
    try:
        _, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return password if colon else None
