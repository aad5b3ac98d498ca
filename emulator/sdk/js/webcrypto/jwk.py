"""JSON web keys: numbers and bytes as text, and what a key says of itself. rfc-editor.org/rfc/rfc7517. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from typing import Any

from emulator.sdk.js.arrays import Array
from emulator.sdk.workers.proxy import JsException

Jwk = Mapping[str, Any]
SIGNING = frozenset({"sign", "verify"})
"""Operations of keys whose `use` is "sig"; all others are of "enc"."""

_BASE64URL = re.compile("[A-Za-z0-9_-]*")


def check(jwk: Jwk, *, kind: str, extractable: bool, uses: Collection[str]) -> None:
    """Raises JsException, a DataError, where the key is of another kind or does not allow what is asked."""
    if jwk.get("kty") != kind:
        raise JsException("DataError", f'expected a JSON web key with kty "{kind}", got {jwk.get("kty")!r}')
    if extractable and jwk.get("ext") is not None and not jwk["ext"]:
        raise JsException("DataError", "the JSON web key says that it cannot be extracted (ext is false)")
    refused = set(uses) - set(_operations(jwk))
    if refused and jwk.get("key_ops") is not None:
        raise JsException("DataError", f"the JSON web key's key_ops do not allow {min(refused)}")


def check_use(jwk: Jwk, use: str, *, uses: Collection[str]) -> None:
    """Raises JsException, a DataError, where `use` is there and another, or does not go with `key_ops`."""
    named = jwk.get("use")
    if uses and named not in (None, use):
        raise JsException("DataError", f'the JSON web key is for the use "{named}", not for "{use}"')
    strange = [each for each in _operations(jwk) if named in ("sig", "enc") and (each in SIGNING) != (named == "sig")]
    if strange:
        raise JsException(
            "DataError", f'the JSON web key\'s key_ops name {strange[0]}, which is not of the use "{named}"'
        )


def check_name(jwk: Jwk, *names: str) -> None:
    """Raises JsException, a DataError, where `alg` is there and none of these."""
    if jwk.get("alg") not in (None, *names):
        raise JsException("DataError", f'the JSON web key is for {jwk.get("alg")}, not for "{names[0]}"')


def _operations(jwk: Jwk) -> list[str]:
    given = jwk.get("key_ops")
    if given is None:
        return []
    if not isinstance(given, Array | list) or not all(isinstance(each, str) for each in given):
        raise JsException("DataError", "key_ops of the JSON web key is no array of words")
    named = list(given)
    if len(set(named)) < len(named):
        twice = next(each for each in named if named.count(each) > 1)
        raise JsException("DataError", f"key_ops of the JSON web key names {twice} twice")
    return named


def to_text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def to_bytes(jwk: Jwk, member: str) -> bytes:
    text = jwk.get(member)
    if not isinstance(text, str):
        raise JsException("DataError", f"the JSON web key has no {member}")
    # Without padding, and of which no rest is a single letter.
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise JsException("DataError", f"{member} of the JSON web key is no base64url text")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_number(jwk: Jwk, member: str) -> int:
    return int.from_bytes(to_bytes(jwk, member), "big")


def from_number(number: int, size: int | None = None) -> str:
    return to_text(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))
