"""RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP, by the package cryptography."""

from __future__ import annotations

from typing import Any

from emulator.sdk.js.webcrypto import jwk as jwks
from emulator.sdk.js.webcrypto.algorithm import Algorithm
from emulator.sdk.js.webcrypto.borrowed import borrowed
from emulator.sdk.js.webcrypto.formats import no_format, read_der, write_der
from emulator.sdk.js.webcrypto.key import Format, Key, Kind
from emulator.sdk.workers.proxy import JsException

_JWK_NAMES = {"RSASSA-PKCS1-v1_5": "RS", "RSA-PSS": "PS", "RSA-OAEP": "RSA-OAEP-"}
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


def generate(algorithm: Algorithm) -> tuple[Key, Key]:
    """A private and a public key. Raises JsException, an OperationError, for a size or an exponent that is none."""
    exponent = int.from_bytes(algorithm.content("publicExponent"), "big")
    try:
        made = _rsa().generate_private_key(exponent, algorithm.number("modulusLength"))
    except ValueError as error:
        raise JsException("OperationError", f"RSA: {error}") from None
    return _key(algorithm, "private", made), _key(algorithm, "public", made.public_key())


def read(algorithm: Algorithm, form: Format, content: Any) -> Key:
    """Raises JsException: a NotSupportedError for another format, a DataError for what is no RSA key."""
    if form == "raw":
        raise no_format(algorithm.name, form)
    if form == "jwk":
        jwks.check_name(content, _jwk_name(algorithm.name, algorithm.hash))
        return _key(algorithm, *_from_jwk(content))
    return _key(algorithm, *read_der(form, content, _rsa().RSAPublicKey, _rsa().RSAPrivateKey))


def write(key: Key, form: Format) -> Any:
    if form == "raw":
        raise no_format(key.algorithm, form)
    return _to_jwk(key) if form == "jwk" else write_der(key, form)


def sign(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    """Raises JsException, an OperationError, for a salt that is too long for the key."""
    try:
        return bytes(key.material.sign(content, _padding(algorithm, key), _hash(key)))
    except ValueError as error:
        raise JsException("OperationError", f"{algorithm.name}: {error}") from None


def verify(algorithm: Algorithm, key: Key, signature: bytes, content: bytes) -> bool:
    try:
        key.material.verify(signature, content, _padding(algorithm, key), _hash(key))
    except borrowed("exceptions").InvalidSignature:
        return False
    return True


def encrypt(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    try:
        return bytes(key.material.encrypt(content, _padding(algorithm, key)))
    except ValueError as error:
        raise JsException("OperationError", f"RSA-OAEP: {error}") from None


def decrypt(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    try:
        return bytes(key.material.decrypt(content, _padding(algorithm, key)))
    except ValueError as error:
        raise JsException("OperationError", f"RSA-OAEP: cannot be decrypted with this key: {error}") from None


def _padding(algorithm: Algorithm, key: Key) -> Any:
    padding = borrowed("hazmat.primitives.asymmetric.padding")
    match algorithm.name:
        case "RSA-PSS":
            return padding.PSS(padding.MGF1(_hash(key)), algorithm.number("saltLength"))
        case "RSA-OAEP":
            return padding.OAEP(padding.MGF1(_hash(key)), _hash(key), algorithm.optional_content("label"))
        case _:
            return padding.PKCS1v15()


def _from_jwk(jwk: jwks.Jwk) -> tuple[Kind, Any]:
    public = _rsa().RSAPublicNumbers(jwks.to_number(jwk, "e"), jwks.to_number(jwk, "n"))
    try:
        if "d" not in jwk:
            return "public", public.public_key()
        d, p, q, *others = (jwks.to_number(jwk, member) for member in _PRIVATE)
        return "private", _rsa().RSAPrivateNumbers(p, q, d, *others, public).private_key()
    except ValueError as error:
        raise JsException("DataError", f"the JSON web key is no RSA key: {error}") from None


def _to_jwk(key: Key) -> jwks.Jwk:
    private = key.material.private_numbers() if key.kind == "private" else None
    public = private.public_numbers if private else key.material.public_numbers()
    numbers = {"n": public.n, "e": public.e}
    if private:
        found = (private.d, private.p, private.q, private.dmp1, private.dmq1, private.iqmp)
        numbers |= zip(_PRIVATE, found, strict=True)
    named = {"kty": "RSA", "alg": _jwk_name(key.algorithm, key.parameters["hash"])}
    return named | {member: jwks.from_number(number) for member, number in numbers.items()}


def _key(algorithm: Algorithm, kind: Kind, made: Any) -> Key:
    public = (made.public_key() if kind == "private" else made).public_numbers()
    exponent = public.e.to_bytes((public.e.bit_length() + 7) // 8, "big")
    parameters = {"modulusLength": made.key_size, "publicExponent": exponent, "hash": algorithm.hash}
    return Key(kind, algorithm.name, made, parameters)


def _hash(key: Key) -> Any:
    return getattr(borrowed("hazmat.primitives.hashes"), key.parameters["hash"].replace("-", ""))()


def _jwk_name(algorithm: str, digest: str) -> str:
    if (algorithm, digest) == ("RSA-OAEP", "SHA-1"):
        return "RSA-OAEP"
    return _JWK_NAMES[algorithm] + digest.removeprefix("SHA-")


def _rsa() -> Any:
    return borrowed("hazmat.primitives.asymmetric.rsa")
