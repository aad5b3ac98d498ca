"""HMAC: signatures with a shared secret, by the standard library alone."""

from __future__ import annotations

import hmac
import os
from typing import Any

from emulator.sdk.js.webcrypto import jwk as jwks
from emulator.sdk.js.webcrypto.algorithm import HASHES, Algorithm
from emulator.sdk.js.webcrypto.formats import no_format
from emulator.sdk.js.webcrypto.key import Format, Key
from emulator.sdk.workers.proxy import JsException


def sign(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    return hmac.digest(key.material, content, _digest(key.parameters["hash"]))


def verify(algorithm: Algorithm, key: Key, signature: bytes, content: bytes) -> bool:
    return hmac.compare_digest(signature, sign(algorithm, key, content))


def generate(algorithm: Algorithm) -> Key:
    return _key(algorithm, os.urandom((length(algorithm) + 7) // 8))


def read(algorithm: Algorithm, form: Format, content: Any) -> Key:
    """Raises JsException: a NotSupportedError for another format, a DataError for a secret that cannot be one."""
    if form == "raw":
        return _key(algorithm, content)
    if form == "jwk":
        jwks.check_name(content, _jwk_name(algorithm.hash))
        return _key(algorithm, jwks.to_bytes(content, "k"))
    raise no_format("HMAC", form)


def write(key: Key, form: Format) -> Any:
    if form == "raw":
        return key.material
    if form == "jwk":
        return {"kty": "oct", "k": jwks.to_text(key.material), "alg": _jwk_name(key.parameters["hash"])}
    raise no_format("HMAC", form)


def length(algorithm: Algorithm) -> int:
    """How many bits a key has: as many as asked for, or a block of the hash function."""
    found = algorithm.optional_number("length")
    if found == 0:
        raise JsException("OperationError", "HMAC: a key of no length")
    return found or HASHES[algorithm.hash]


def _key(algorithm: Algorithm, secret: bytes) -> Key:
    bits = 8 * len(secret)
    asked = algorithm.optional_number("length") or bits
    if not bits or not bits - 8 < asked <= bits:
        raise JsException("DataError", f"HMAC: a secret of {bits} bits cannot be a key of {asked}")
    return Key("secret", "HMAC", _cut(secret, bits - asked), {"hash": algorithm.hash, "length": asked})


def _cut(secret: bytes, surplus: int) -> bytes:
    """With the bits zero that the last byte has too many."""
    return secret[:-1] + bytes([secret[-1] >> surplus << surplus])


def _digest(name: str) -> str:
    return name.replace("-", "").lower()


def _jwk_name(name: str) -> str:
    return name.replace("SHA-", "HS")
