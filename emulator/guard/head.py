"""What the head of a request, and the headers of an answer, may look like. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

Header = tuple[bytes, bytes]

_NOT_IN_TARGETS = re.compile(rb"[\x00-\x20\x7f-\xff#]")
_SUSPICIOUS = re.compile(rb"[\x00-\x20\x7f-\xff#\\%]")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")
_SPELLED = {"\r": "a carriage return", "\n": "a line feed", "\0": "a NUL"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one client may ask of us."""

    head_seconds: float = 10
    body_idle_seconds: float = 30
    linger_seconds: float = 1
    head_bytes: int = 128 << 10
    target_bytes: int = 16 << 10
    header_lines: int = 256
    connections: int = 1_000
    pipelined: int = 16


@dataclass(frozen=True)
class Refusal:
    """A request we answer ourselves, in one line, before closing the connection."""

    status: int
    reason: str

    def answer(self) -> bytes:
        body = f"{self.reason}\n".encode()
        lines = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            "content-type: text/plain; charset=utf-8",
            f"content-length: {len(body)}",
            "connection: close",
            "\r\n",
        )
        return "\r\n".join(lines).encode() + body


def check_head(version: str, target: bytes, headers: Sequence[Header], limits: Limits) -> Refusal | None:
    """Why this head is refused, or None. Names are in lower case already."""
    if version != "1.1" and version != "1.0":
        return Refusal(400, f"this server speaks HTTP/1.1, not HTTP/{version}")
    if target[:1] != b"/" or len(target) > limits.target_bytes or _SUSPICIOUS.search(target):
        wrong = check_target(target, limits)
        if wrong is not None:
            return wrong
    names = [name for name, _ in headers]
    if names.count(b"host") != 1:
        return Refusal(400, "there must be exactly one Host header")
    if names.count(b"content-length") > 1:
        return Refusal(400, "there must be no more than one Content-Length header")
    if b"transfer-encoding" in names:
        return _check_coding(version, headers)
    return None


def check_target(target: bytes, limits: Limits) -> Refusal | None:
    """A target is a path we can hand on as it is: no fragment, no raw control byte, no other server's name."""
    path = target.partition(b"?")[0]
    if len(target) > limits.target_bytes:
        return Refusal(414, f"the URL is longer than {limits.target_bytes} bytes")
    if not path.startswith(b"/"):
        return Refusal(400, "the request target must begin with /; this server is no proxy")
    if b"%00" in path:
        return Refusal(400, "the path has a NUL in it")
    # Browsers send a backslash of a query as it is, and turn one of a path into a slash.
    if b"\\" in path or _NOT_IN_TARGETS.search(target):
        return Refusal(400, "the request target has a byte that must be percent-encoded")
    return None


def _check_coding(version: str, headers: Sequence[Header]) -> Refusal | None:
    """Two readers must not see two different requests in the same bytes."""
    if version == "1.0" or any(name == b"content-length" for name, _ in headers):
        return Refusal(400, "Transfer-Encoding cannot be combined with Content-Length or HTTP/1.0")
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if codings != [b"chunked"]:
        return Refusal(400, "Transfer-Encoding must be exactly: chunked")
    return None


def check_size(headers: Sequence[Header], limits: Limits) -> Refusal | None:
    """For a parser that shows the head only once it is whole."""
    if len(headers) > limits.header_lines:
        return too_many_lines(limits)
    if sum(len(name) + len(value) + 4 for name, value in headers) > limits.head_bytes:
        return too_large(limits)
    return None


def too_large(limits: Limits) -> Refusal:
    return Refusal(431, f"the headers are larger than {limits.head_bytes} bytes")


def too_many_lines(limits: Limits) -> Refusal:
    return Refusal(431, f"there are more than {limits.header_lines} header lines")


def check_headers(headers: Iterable[Sequence[str]]) -> str | None:
    """Why these headers of an answer cannot be sent, or None. Called before the first byte leaves."""
    for name, value in headers:
        if _NAME.fullmatch(name) is None:
            return f"{name[:100]!a} is no header name; use letters, digits and -"
        wrong = _NOT_IN_VALUES.search(value)
        if wrong is not None:
            found = _SPELLED.get(wrong[0], f"the character {wrong[0]!a}")
            return f"header {name} has {found} at position {wrong.start()}; encode it, or leave it out"
        if name.lower() == "content-length" and not (value.isascii() and value.isdecimal()):
            return f"header {name} must be a whole number, got {value[:100]!a}"
    return None
