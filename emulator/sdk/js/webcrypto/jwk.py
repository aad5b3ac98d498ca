"""JSON web keys: numbers and bytes as text, and what a key says of itself. rfc-editor.org/rfc/rfc7517. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from typing import Any

from emulator.sdk.workers.proxy import JsException

Jwk = Mapping[str, Any]


def check(jwk: Jwk, *, kind: str, extractable: bool, uses: Collection[str]) -> None:
    """Raises JsException, a DataError, where the key is of another kind or does not allow what is asked."""
    if jwk.get("kty") != kind:
        raise JsException("DataError", f'expected a JSON web key with kty "{kind}", got {jwk.get("kty")!r}')
    if extractable and jwk.get("ext") is False:
        raise JsException("DataError", "the JSON web key says that it cannot be extracted (ext is false)")
    named = jwk.get("key_ops")
    if named is not None and set(uses) - set(named):
        raise JsException("DataError", f"the JSON web key's key_ops do not allow {min(set(uses) - set(named))}")


def check_name(jwk: Jwk, name: str) -> None:
    """Raises JsException, a DataError, where `alg` is there and another."""
    if jwk.get("alg") not in (None, name):
        raise JsException("DataError", f'the JSON web key is for {jwk.get("alg")}, not for "{name}"')


def to_text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def to_bytes(jwk: Jwk, member: str) -> bytes:
    text = jwk.get(member)
    if not isinstance(text, str):
        raise JsException("DataError", f"the JSON web key has no {member}")
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise JsException("DataError", f"{member} of the JSON web key is no base64url text") from None


def to_number(jwk: Jwk, member: str) -> int:
    return int.from_bytes(to_bytes(jwk, member), "big")


def from_number(number: int, size: int | None = None) -> str:
    return to_text(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))
