"""PBKDF2 and HKDF: bits from a password or from a secret, by the standard library alone."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from emulator.sdk.js.webcrypto.algorithm import Algorithm
from emulator.sdk.js.webcrypto.formats import no_format
from emulator.sdk.js.webcrypto.key import Format, Key
from emulator.sdk.workers.proxy import JsException

# The platform computes no more of them.
_MOST_ITERATIONS = 100_000


def read(algorithm: Algorithm, form: Format, content: Any) -> Key:
    if form != "raw":
        raise no_format(algorithm.name, form)
    return Key("secret", algorithm.name, content, {})


def derive(algorithm: Algorithm, key: Key, bits: int | None) -> bytes:
    """Raises JsException: an OperationError for a number of bits that is not one of bytes."""
    if not bits or bits % 8:
        raise JsException("OperationError", f"{algorithm.name}: expected a number of bits in whole bytes, got {bits}")
    derived = _pbkdf2 if algorithm.name == "PBKDF2" else _hkdf
    return derived(algorithm, key.material, bits // 8)


def _pbkdf2(algorithm: Algorithm, secret: bytes, size: int) -> bytes:
    iterations = algorithm.number("iterations")
    if not iterations:
        raise JsException("OperationError", "PBKDF2: iterations must be at least 1")
    if iterations > _MOST_ITERATIONS:
        text = f"PBKDF2: the platform computes at most {_MOST_ITERATIONS} iterations, not {iterations}"
        raise JsException("NotSupportedError", text)
    return hashlib.pbkdf2_hmac(_digest(algorithm), secret, algorithm.content("salt"), iterations, size)


def _hkdf(algorithm: Algorithm, secret: bytes, size: int) -> bytes:
    digest = _digest(algorithm)
    extracted = hmac.digest(algorithm.content("salt"), secret, digest)
    if size > 255 * len(extracted):
        raise JsException("OperationError", f"HKDF: at most {255 * len(extracted)} bytes can be derived, not {size}")
    made = block = b""
    for count in range(1, -(-size // len(extracted)) + 1):
        block = hmac.digest(extracted, block + algorithm.content("info") + bytes([count]), digest)
        made += block
    return made[:size]


def _digest(algorithm: Algorithm) -> str:
    return algorithm.hash.replace("-", "").lower()
