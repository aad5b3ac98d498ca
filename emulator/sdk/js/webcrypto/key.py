"""A key: what it is, what it may be used for, and `CryptoKey`, which hides the rest from the worker."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from emulator.sdk.js.arrays import array
from emulator.sdk.js.objects import Object
from emulator.sdk.js.webcrypto.algorithm import Algorithm
from emulator.sdk.workers.buffers import Uint8Array
from emulator.sdk.workers.proxy import JsException, JsProxy

Kind = Literal["secret", "public", "private"]
Format = Literal["raw", "jwk", "pkcs8", "spki"]

FORMATS: tuple[Format, ...] = ("raw", "jwk", "pkcs8", "spki")
USES = ("encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey")


@dataclass(frozen=True, slots=True)
class Key:
    """`material` is bytes, or an object of the package cryptography; `parameters` are those of its algorithm."""

    kind: Kind
    algorithm: str
    material: Any
    parameters: Mapping[str, Any]
    extractable: bool = False
    uses: tuple[str, ...] = ()


class CryptoKey(JsProxy):
    """A key as a worker holds it. developer.mozilla.org/docs/Web/API/CryptoKey"""

    _key: Key

    def __init__(self, *arguments: Any) -> None:
        raise JsException("TypeError", "Illegal constructor: use crypto.subtle.importKey() or generateKey()")

    @property
    def type(self) -> str:
        return self._key.kind

    @property
    def extractable(self) -> bool:
        return self._key.extractable

    @property
    def algorithm(self) -> Any:
        return Object.fromEntries([("name", self._key.algorithm), *map(_member, self._key.parameters.items())])

    @property
    def usages(self) -> Any:
        return array(self._key.uses)


def key_object(key: Key) -> Any:
    made = object.__new__(CryptoKey)
    made._key = key
    return made


def usable(given: Any, algorithm: Algorithm, *uses: str) -> Key:
    """The key inside, if it is one of this algorithm that may be used so. Raises JsException."""
    key = plain(given)
    if key.algorithm != algorithm.name:
        raise JsException("InvalidAccessError", f"the key is for {key.algorithm}, not for {algorithm.name}")
    if not any(use in key.uses for use in uses):
        allowed = ", ".join(key.uses) or "nothing"
        raise JsException("InvalidAccessError", f"the key may be used for {allowed}, not for {uses[0]}")
    return key


def plain(given: Any) -> Key:
    if not isinstance(given, CryptoKey):
        raise JsException("TypeError", f"expected a CryptoKey, got {type(given).__name__}")
    return given._key


def allowed(algorithm: Algorithm, kind: str, wanted: Collection[str]) -> tuple[str, ...]:
    """Those uses that keys of this kind have. Raises JsException, a SyntaxError, for a word that is no use."""
    for use in wanted:
        if use not in USES:
            raise JsException("TypeError", f'"{use}" is no use of a key; there are {", ".join(USES)}')
    return tuple(use for use in USES if use in wanted and use in algorithm.uses[kind])


def fitting(algorithm: Algorithm, kind: str, wanted: Collection[str]) -> tuple[str, ...]:
    """These uses. Raises JsException, a SyntaxError, where one of them does not go with this kind of key."""
    found = allowed(algorithm, kind, wanted)
    wrong = set(wanted) - set(found)
    if wrong:
        raise JsException("SyntaxError", f"a {kind} key of {algorithm.name} cannot be used for {min(wrong)}")
    if not found and kind != "public":
        raise JsException("SyntaxError", f"a {kind} key needs at least one use: {', '.join(algorithm.uses[kind])}")
    return found


def usable_public(algorithm: Algorithm, key: Key) -> Key:
    """The other side's key, of a `public` among the parameters. Raises JsException, an InvalidAccessError."""
    other = plain(algorithm.object("public"))
    if (other.kind, other.algorithm, other.parameters) != ("public", key.algorithm, key.parameters):
        raise JsException("InvalidAccessError", f"public is no public key of {key.algorithm} and the same curve")
    return other


def shortened(secret: bytes, bits: int | None) -> bytes:
    """So many bits of a secret. Raises JsException, an OperationError, where it has not as many."""
    if bits is None:
        return secret
    if bits % 8 or bits > 8 * len(secret):
        raise JsException("OperationError", f"a secret of {8 * len(secret)} bits cannot give {bits}")
    return secret[: bits // 8]


def _member(member: tuple[str, Any]) -> tuple[str, Any]:
    name, value = member
    if name == "hash":
        return name, Object.fromEntries([("name", value)])
    return name, Uint8Array.new(value) if isinstance(value, bytes) else value
