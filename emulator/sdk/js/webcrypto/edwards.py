"""Ed25519 and X25519, by the package cryptography."""

from __future__ import annotations

from typing import Any

from emulator.sdk.js.webcrypto import jwk as jwks
from emulator.sdk.js.webcrypto.algorithm import Algorithm
from emulator.sdk.js.webcrypto.borrowed import borrowed
from emulator.sdk.js.webcrypto.formats import expect_kind, read_der, write_der
from emulator.sdk.js.webcrypto.key import Format, Key, Kind, shortened, usable_public
from emulator.sdk.workers.proxy import JsException


def generate(algorithm: Algorithm) -> tuple[Key, Key]:
    """A private and a public key."""
    made = _private(algorithm.name).generate()
    return _key(algorithm.name, "private", made), _key(algorithm.name, "public", made.public_key())


def read(algorithm: Algorithm, form: Format, content: Any) -> Key:
    """Raises JsException, a DataError, for what is no key of the curve."""
    name = algorithm.name
    if form in ("spki", "pkcs8"):
        return _key(name, *read_der(form, content, _public(name), _private(name)))
    try:
        if form == "jwk":
            return _key(name, *_from_jwk(name, content))
        return _key(name, "public", _public(name).from_public_bytes(content))
    except ValueError as error:
        raise JsException("DataError", f"the content is no key of {name}: {error}") from None


def write(key: Key, form: Format) -> Any:
    if form == "jwk":
        return _to_jwk(key)
    if form == "raw":
        expect_kind(key, form, "public")
        return bytes(key.material.public_bytes_raw())
    return write_der(key, form)


def sign(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    return bytes(key.material.sign(content))


def verify(algorithm: Algorithm, key: Key, signature: bytes, content: bytes) -> bool:
    try:
        key.material.verify(signature, content)
    except borrowed("exceptions").InvalidSignature:
        return False
    return True


def derive(algorithm: Algorithm, key: Key, bits: int | None) -> bytes:
    """The secret that both sides share. Raises JsException, an OperationError, where it is shorter than asked for."""
    other = usable_public(algorithm, key)
    try:
        return shortened(bytes(key.material.exchange(other.material)), bits)
    except ValueError as error:
        raise JsException("OperationError", f"X25519: {error}") from None


def _from_jwk(name: str, jwk: jwks.Jwk) -> tuple[Kind, Any]:
    if jwk.get("crv") != name:
        raise JsException("DataError", f'the JSON web key is of the curve {jwk.get("crv")}, not "{name}"')
    if name == "Ed25519":
        jwks.check_name(jwk, "Ed25519", "EdDSA")
    public = _public(name).from_public_bytes(jwks.to_bytes(jwk, "x"))
    if "d" not in jwk:
        return "public", public
    return "private", _private(name).from_private_bytes(jwks.to_bytes(jwk, "d"))


def _to_jwk(key: Key) -> jwks.Jwk:
    public = key.material.public_key() if key.kind == "private" else key.material
    jwk = {"kty": "OKP", "crv": key.algorithm, "x": jwks.to_text(public.public_bytes_raw())}
    return jwk | {"d": jwks.to_text(key.material.private_bytes_raw())} if key.kind == "private" else jwk


def _key(name: str, kind: Kind, made: Any) -> Key:
    return Key(kind, name, made, {})


def _public(name: str) -> Any:
    return getattr(borrowed(f"hazmat.primitives.asymmetric.{name.lower()}"), f"{name}PublicKey")


def _private(name: str) -> Any:
    return getattr(borrowed(f"hazmat.primitives.asymmetric.{name.lower()}"), f"{name}PrivateKey")
