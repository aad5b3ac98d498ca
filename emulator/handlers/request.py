"""A request as the worker is told of it: what ASGI says, and the headers that the platform's edge would add."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from random import getrandbits
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_COUNTRY = "US"


def request_head(scope: Scope) -> dict[str, Any]:
    """The fields of a `fetch` frame."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    names = {name for name, _ in headers}
    scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
    headers += [(name, value) for name, value in _added(scope, scheme) if name not in names]
    host = next((value for name, value in headers if name == "host"), "127.0.0.1")
    return {
        "method": scope.get("method", "GET"),
        "url": f"{scheme}://{host}{target(scope)}",
        "headers": headers,
        "has_body": has_body(scope),
        "cf": None,
    }


def has_body(scope: Scope) -> bool:
    """Whether a body comes, or may come, after the head."""
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def target(scope: Scope) -> str:
    """Path and query as the client sent them, percent-encoding kept."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    return (raw + b"?" + query if query else raw).decode("latin-1")


def _added(scope: Scope, scheme: str) -> list[tuple[str, str]]:
    client = scope.get("client")
    address = client[0] if client else "127.0.0.1"
    return [
        ("cf-connecting-ip", address),
        ("cf-ipcountry", _COUNTRY),
        ("cf-ray", f"{getrandbits(64):016x}"),
        ("cf-visitor", f'{{"scheme":"{scheme}"}}'),
        ("x-forwarded-for", address),
        ("x-forwarded-proto", scheme),
        ("x-real-ip", address),
    ]
