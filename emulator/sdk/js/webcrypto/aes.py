"""AES-GCM, AES-CBC, AES-CTR and AES-KW, by the package cryptography."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from emulator.sdk.js.webcrypto import jwk as jwks
from emulator.sdk.js.webcrypto.algorithm import Algorithm
from emulator.sdk.js.webcrypto.borrowed import borrowed
from emulator.sdk.js.webcrypto.formats import no_format
from emulator.sdk.js.webcrypto.key import Format, Key
from emulator.sdk.workers.proxy import JsException

_BITS = (128, 192, 256)
_BLOCK = 16
_TAG_BITS = (32, 64, 96, 104, 112, 120, 128)


def generate(algorithm: Algorithm) -> Key:
    return _key(algorithm, os.urandom(length(algorithm) // 8))


def length(algorithm: Algorithm) -> int:
    """How many bits a key has. Raises JsException, an OperationError, for a length that AES has not."""
    found = algorithm.number("length")
    if found not in _BITS:
        raise JsException("OperationError", f"AES: a key has 128, 192 or 256 bits, not {found}")
    return found


def read(algorithm: Algorithm, form: Format, content: Any) -> Key:
    """Raises JsException: a NotSupportedError for another format, a DataError for a key of another length."""
    if form == "raw":
        return _key(algorithm, content)
    if form == "jwk":
        key = _key(algorithm, jwks.to_bytes(content, "k"))
        jwks.check_name(content, _jwk_name(key))
        return key
    raise no_format(algorithm.name, form)


def write(key: Key, form: Format) -> Any:
    if form == "raw":
        return key.material
    if form == "jwk":
        return {"kty": "oct", "k": jwks.to_text(key.material), "alg": _jwk_name(key)}
    raise no_format(key.algorithm, form)


def encrypt(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    """Raises JsException, an OperationError, for an iv or a tag of a size that the mode has not."""
    seal, _ = _MODES[algorithm.name]
    try:
        return seal(algorithm, key.material, content)
    except ValueError as error:
        raise JsException("OperationError", f"{algorithm.name}: {error}") from None


def decrypt(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    """Raises JsException, an OperationError, for a wrong key or iv, or a content that was changed."""
    _, open_ = _MODES[algorithm.name]
    try:
        return open_(algorithm, key.material, content)
    except ValueError as error:
        text = f"{algorithm.name}: cannot be decrypted with this key, iv and additionalData: {error}"
        raise JsException("OperationError", text) from None


def wrap(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    try:
        return bytes(borrowed("hazmat.primitives.keywrap").aes_key_wrap(key.material, content))
    except ValueError as error:
        raise JsException("OperationError", f"AES-KW: {error}") from None


def unwrap(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    keywrap = borrowed("hazmat.primitives.keywrap")
    try:
        return bytes(keywrap.aes_key_unwrap(key.material, content))
    except (ValueError, keywrap.InvalidUnwrap):
        raise JsException("OperationError", "AES-KW: cannot be unwrapped with this key") from None


def _seal_gcm(algorithm: Algorithm, secret: bytes, content: bytes) -> bytes:
    sealing = _cipher("GCM", secret, algorithm.content("iv")).encryptor()
    sealing.authenticate_additional_data(algorithm.optional_content("additionalData"))
    sealed = sealing.update(content) + sealing.finalize()
    return bytes(sealed + sealing.tag[: _tag_size(algorithm)])


def _open_gcm(algorithm: Algorithm, secret: bytes, content: bytes) -> bytes:
    size = _tag_size(algorithm)
    if len(content) < size:
        raise ValueError(f"it is shorter than its tag of {size} bytes")
    opening = _cipher("GCM", secret, algorithm.content("iv"), content[-size:], size).decryptor()
    opening.authenticate_additional_data(algorithm.optional_content("additionalData"))
    opened = opening.update(content[:-size])
    try:
        return bytes(opened + opening.finalize())
    except borrowed("exceptions").InvalidTag:
        raise ValueError("the tag does not fit") from None


def _tag_size(algorithm: Algorithm) -> int:
    bits = algorithm.number("tagLength") if "tagLength" in algorithm else 128
    if bits not in _TAG_BITS:
        raise ValueError(f"a tag has one of {', '.join(map(str, _TAG_BITS))} bits, not {bits}")
    return bits // 8


def _seal_cbc(algorithm: Algorithm, secret: bytes, content: bytes) -> bytes:
    padding = _BLOCK - len(content) % _BLOCK
    sealing = _cipher("CBC", secret, algorithm.content("iv")).encryptor()
    return bytes(sealing.update(content + padding * bytes([padding])) + sealing.finalize())


def _open_cbc(algorithm: Algorithm, secret: bytes, content: bytes) -> bytes:
    opening = _cipher("CBC", secret, algorithm.content("iv")).decryptor()
    opened = bytes(opening.update(content) + opening.finalize())
    padding = opened[-1] if opened else 0
    if not 1 <= padding <= _BLOCK or opened[-padding:] != padding * bytes([padding]):
        raise ValueError("the padding is wrong")
    return opened[:-padding]


def _count(algorithm: Algorithm, secret: bytes, content: bytes) -> bytes:
    """In counter mode both ways are the same. The counter, the last bits of its block, begins anew when it is full."""
    bits = algorithm.number("length")
    start = int.from_bytes(algorithm.content("counter"), "big")
    if len(algorithm.content("counter")) != _BLOCK or not 1 <= bits <= 8 * _BLOCK:
        raise ValueError("the counter has 16 bytes, of which it uses 1 to 128 bits")
    count = 1 << bits
    if len(content) > count * _BLOCK:
        raise ValueError(f"a counter of {bits} bits is too short for this content")
    until_full = (count - start % count) * _BLOCK
    parts = (start, content[:until_full]), (start - start % count, content[until_full:])
    return b"".join(_counted(secret, first, part) for first, part in parts)


def _counted(secret: bytes, first: int, content: bytes) -> bytes:
    counting = _cipher("CTR", secret, first.to_bytes(_BLOCK, "big")).encryptor()
    return bytes(counting.update(content) + counting.finalize())


def _cipher(mode: str, secret: bytes, *options: Any) -> Any:
    ciphers = borrowed("hazmat.primitives.ciphers")
    return ciphers.Cipher(ciphers.algorithms.AES(secret), getattr(ciphers.modes, mode)(*options))


def _key(algorithm: Algorithm, secret: bytes) -> Key:
    bits = 8 * len(secret)
    if bits not in _BITS:
        raise JsException("DataError", f"AES: a key has 128, 192 or 256 bits, not {bits}")
    return Key("secret", algorithm.name, secret, {"length": bits})


def _jwk_name(key: Key) -> str:
    return f"A{key.parameters['length']}{key.algorithm.removeprefix('AES-')}"


_Run = Callable[[Algorithm, bytes, bytes], bytes]
_MODES: Mapping[str, tuple[_Run, _Run]] = {
    "AES-CBC": (_seal_cbc, _open_cbc),
    "AES-CTR": (_count, _count),
    "AES-GCM": (_seal_gcm, _open_gcm),
}
