"""Which Host and Origin may use our own routes, so that no foreign page can."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from posixpath import normpath
from typing import Any

from emulator.guard.head import Refusal
from emulator.guard.telling import FOREIGN, MALFORMED, envelope

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

OURS = "/cdn-cgi/"
API = "/cdn-cgi/client/v4"

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?")
# What no page can send without asking first.
_JSON = re.compile(r"application/(?:[\w.-]+\+)?json\s*(?:;.*)?|message/rfc822\s*(?:;.*)?", re.IGNORECASE)
_READING = ("GET", "HEAD", "OPTIONS")
_PORTS = {"http": 80, "https": 443}
_EMAIL = ("/cdn-cgi/local/email", "/cdn-cgi/handler/email")
_TRIGGERS = ("/cdn-cgi/local/scheduled", "/cdn-cgi/handler/scheduled", "/cdn-cgi/mf/scheduled")
OURS_ONLY = (
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
)


@dataclass(frozen=True)
class Host:
    """A Host header in one spelling: lower case, no trailing dot, no brackets."""

    name: str
    port: int | None = None


@lru_cache(maxsize=256)
def parse_host(value: str) -> Host | None:
    """None if it is no host at all, or one with a user or a path in it."""
    found = _HOST.fullmatch(value)
    if found is None:
        return None
    port = int(found["port"]) if found["port"] else None
    if port is not None and port > 65535:
        return None
    name = found["name"].lower()
    if not name.startswith("["):
        return Host(name.removesuffix("."), port)
    try:
        return Host(str(IPv6Address(name[1:-1])), port)
    except AddressValueError:
        return None


def is_loopback(name: str) -> bool:
    """A name, as `parse_host` spells it, that can only mean this machine."""
    if name in ("localhost", "::1") or name.endswith(".localhost"):
        return True
    try:
        return IPv4Address(name).is_loopback
    except AddressValueError:
        return False


def is_address(name: str) -> bool:
    """Whether a name, as `parse_host` spells it, is an address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_own_host(host: Host, hosts: frozenset[str]) -> bool:
    """A loopback name, or one of the given names, exactly."""
    return is_loopback(host.name) or host.name in hosts


def is_own_origin(origin: str, host: Host, hosts: frozenset[str]) -> bool:
    """One of our own origins: http or https, our name, and the very port the request was sent to."""
    scheme, found, rest = origin.partition("://")
    theirs = parse_host(rest)
    if not found or scheme not in _PORTS or theirs is None or not is_own_host(theirs, hosts):
        return False
    default = _PORTS[scheme]
    return (theirs.port or default) == (host.port or default)


def leads_to_us(path: str) -> bool:
    """Whether the URL map gives a decoded path to our own routes."""
    return path.startswith(OURS)


def is_ours(path: str) -> bool:
    """
    Whether a decoded path leads to our routes, or with some other spelling could be taken for one that does.

    Only the rules follow from this. One that is not spelled exactly goes to the worker, and is guarded all the same.
    """
    return leads_to_us(path) or ("cdn-cgi" in path.lower() and _plain(path).startswith(OURS))


def _plain(path: str) -> str:
    """One spelling of a path: lower case, forward slashes, no dots, no empty parts, a slash at the end."""
    plain = normpath("/" + path.lower().replace("\\", "/").lstrip("/"))
    return plain.rstrip("/") + "/"


def _is_trigger(path: str) -> bool:
    return _plain(path).removesuffix("/") in _TRIGGERS


def check(scope: Scope, *, ours: bool, hosts: frozenset[str], strict_host: bool) -> Refusal | None:
    """Why this request is refused, or None."""
    values = [value for name, value in scope["headers"] if name == b"host"]
    host = parse_host(values[0].decode("latin-1")) if len(values) == 1 else None
    if host is None:
        return Refusal(400, "the Host header is not a host name with an optional port")
    if not ours and scope["type"] == "websocket":
        refusal = _check_socket(scope, host, hosts)
        if refusal is not None:
            return refusal
    if not ours and not strict_host:
        return None
    if not is_own_host(host, hosts):
        return _foreign_host(host, ours)
    return _check_ours(scope, host, hosts) if ours else None


def _check_socket(scope: Scope, host: Host, hosts: frozenset[str]) -> Refusal | None:
    """
    A web socket of the worker's: pages of this machine and of the worker's own hosts may open it.

    Browsers let any page open one, and read it; only we can say no.
    """
    for origin in _Headers(scope).all("origin"):
        theirs = parse_host(origin.partition("://")[2])
        if theirs is None or not (is_own_host(theirs, hosts) or theirs.name == host.name):
            shown = ascii(origin[:100])
            return Refusal(403, f"Origin {shown} may not open a web socket here; open the page from this machine")
    return None


def _foreign_host(host: Host, ours: bool) -> Refusal:
    what = "may not use /cdn-cgi/" if ours else "is not served with --strict-host"
    return Refusal(403, f"Host {host.name} {what}; say localhost, or make the name a route in the worker's config")


def _check_ours(scope: Scope, host: Host, hosts: frozenset[str]) -> Refusal | None:
    """The host is ours; is the page that sends this ours too?"""
    headers = _Headers(scope)
    origins = headers.all("origin")
    if origins and not (len(origins) == 1 and is_own_origin(origins[0], host, hosts)):
        shown = ascii(", ".join(origins)[:100])
        return Refusal(
            403, f"Origin {shown} may not use /cdn-cgi/; open the page from this server, or leave Origin out"
        )
    method = scope.get("method", "GET")
    is_trigger = _is_trigger(scope["path"])
    changes = method not in _READING or scope["type"] == "websocket" or is_trigger
    if headers.get("sec-fetch-site") in ("cross-site", "same-site") and (changes or not _is_visit(headers)):
        # Another port of this machine is the same site to a browser, and no friend of ours.
        return Refusal(403, "a page of another origin may not use /cdn-cgi/; use curl, or a page of this server")
    if is_trigger and method in _READING and not is_loopback(host.name) and not origins:
        # To a name that is no loopback name browsers say nothing of where such a request comes from.
        return Refusal(403, "under this name the handler runs only by POST; use POST, or localhost")
    if method not in _READING and headers.has_body() and not _may_be_read(headers):
        mail = ", or message/rfc822" if _plain(scope["path"]).removesuffix("/") in _EMAIL else ""
        return Refusal(415, f"the body must be JSON; send Content-Type: application/json{mail}")
    return None


def _may_be_read(headers: _Headers) -> bool:
    """JSON or an e-mail, or something with a token, as wrangler does: no page can send one without asking, none may."""
    has_token = headers.get("authorization").startswith("Bearer ") or bool(headers.all("x-auth-key"))
    return has_token or _JSON.fullmatch(headers.get("content-type")) is not None


def _is_visit(headers: _Headers) -> bool:
    """Somebody follows a link to one of our pages."""
    return headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"


class _Headers:
    """The headers of a scope, as text."""

    def __init__(self, scope: Scope) -> None:
        self._all = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]

    def all(self, wanted: str) -> list[str]:
        return [value for name, value in self._all if name == wanted]

    def get(self, wanted: str) -> str:
        return ", ".join(self.all(wanted)).strip()

    def has_body(self) -> bool:
        return bool(self.all("transfer-encoding")) or self.get("content-length") not in ("", "0")


def origins(
    app: ASGIApp, *, hosts: Callable[[], Iterable[str]], strict_host: bool, by_address: bool = False
) -> ASGIApp:
    """
    `app` behind the rules.

    `hosts` are exact names, without a port, that count as ours beside the loopback names; wildcards count for nothing.
    They are asked for with each request: a save may change them. `by_address` lets the address count that a request
    names: a page cannot make a foreign name mean this machine then, since a name is no address.
    """

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        ours = is_ours(scope["path"])
        known = frozenset(spelled(name) for name in hosts()) | (_address_in(scope) if by_address else frozenset())
        refusal = check(scope, ours=ours, hosts=known, strict_host=strict_host)
        if refusal is not None:
            await _refuse(refusal, scope, send)
            return
        await app(scope, receive, _without_cors(send) if ours else send)

    return checked


def _address_in(scope: Scope) -> frozenset[str]:
    """The Host of a request, if it is an address and no name."""
    values = [value for name, value in scope["headers"] if name == b"host"]
    host = parse_host(values[0].decode("latin-1")) if len(values) == 1 else None
    return frozenset() if host is None or not is_address(host.name) else frozenset({host.name})


def spelled(name: str) -> str:
    """A configured name or address in the spelling of `parse_host`."""
    host = parse_host(f"[{name}]" if ":" in name and not name.startswith("[") else name)
    return host.name if host is not None else name


async def _refuse(refusal: Refusal, scope: Scope, send: Send) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        kind = "websocket.http.response"
        if kind not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason[:120]})
            return
    content_type, body = _told(refusal, scope["path"])
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *OURS_ONLY]
    await send({"type": f"{kind}.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": b"" if scope.get("method") == "HEAD" else body})


def _told(refusal: Refusal, path: str) -> tuple[bytes, bytes]:
    """The type and the body of a refusal: the platform's clients get the envelope that they can read."""
    if path != API and not path.startswith(f"{API}/"):
        return b"text/plain; charset=utf-8", f"{refusal.reason}\n".encode()
    code, name = FOREIGN[1:] if refusal.status == FOREIGN[0] else MALFORMED
    return b"application/json", json.dumps(envelope(code, name, refusal.reason)).encode()


def _without_cors(send: Send) -> Send:
    """Whatever a route of ours sets, other origins are never invited."""

    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = [(name, value) for name, value in message.get("headers", ()) if not _is_about_origins(name)]
            message = {**message, "headers": [*own, *OURS_ONLY]}
        await send(message)

    return sent


def _is_about_origins(name: bytes) -> bool:
    return name.lower().startswith(b"access-control-") or name.lower() in (known for known, _ in OURS_ONLY)
