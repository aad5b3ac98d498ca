"""ECDSA and ECDH over P-256, P-384 and P-521, by the package cryptography."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.sdk.js.webcrypto import jwk as jwks
from emulator.sdk.js.webcrypto.algorithm import Algorithm
from emulator.sdk.js.webcrypto.borrowed import borrowed
from emulator.sdk.js.webcrypto.formats import expect_kind, read_der, write_der
from emulator.sdk.js.webcrypto.key import Format, Key, Kind, shortened, usable_public
from emulator.sdk.workers.proxy import JsException

# Name → the class of cryptography, and the size of a number in bytes.
_CURVES: Mapping[str, tuple[str, int]] = {
    "P-256": ("SECP256R1", 32),
    "P-384": ("SECP384R1", 48),
    "P-521": ("SECP521R1", 66),
}
_JWK_NAMES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


def generate(algorithm: Algorithm) -> tuple[Key, Key]:
    """A private and a public key."""
    made = _ec().generate_private_key(_curve(algorithm.text("namedCurve")))
    return _key(algorithm, "private", made), _key(algorithm, "public", made.public_key())


def read(algorithm: Algorithm, form: Format, content: Any) -> Key:
    """Raises JsException, a DataError, for what is no key of the curve."""
    curve = _curve(algorithm.text("namedCurve"))
    if form in ("spki", "pkcs8"):
        kind, made = read_der(form, content, _ec().EllipticCurvePublicKey, _ec().EllipticCurvePrivateKey)
    else:
        try:
            if form == "jwk":
                kind, made = _from_jwk(algorithm, curve, content)
            else:
                kind, made = "public", _from_point(curve, content)
        except ValueError as error:
            raise JsException("DataError", f"the content is no point of the curve: {error}") from None
    if made.curve.name != curve.name:
        raise JsException("DataError", f"the key is of the curve {made.curve.name}, not {algorithm.text('namedCurve')}")
    return _key(algorithm, kind, made)


def write(key: Key, form: Format) -> Any:
    if form == "jwk":
        return _to_jwk(key)
    if form == "raw":
        expect_kind(key, form, "public")
        serialization = borrowed("hazmat.primitives.serialization")
        shape = serialization.PublicFormat.UncompressedPoint
        return bytes(key.material.public_bytes(serialization.Encoding.X962, shape))
    return write_der(key, form)


def sign(algorithm: Algorithm, key: Key, content: bytes) -> bytes:
    """Both numbers of the signature, one after the other."""
    _, size = _CURVES[key.parameters["namedCurve"]]
    signature = key.material.sign(content, _ecdsa(algorithm))
    return b"".join(number.to_bytes(size, "big") for number in _asymmetric("utils").decode_dss_signature(signature))


def verify(algorithm: Algorithm, key: Key, signature: bytes, content: bytes) -> bool:
    _, size = _CURVES[key.parameters["namedCurve"]]
    if len(signature) != 2 * size:
        return False
    numbers = (int.from_bytes(part, "big") for part in (signature[:size], signature[size:]))
    try:
        key.material.verify(_asymmetric("utils").encode_dss_signature(*numbers), content, _ecdsa(algorithm))
    except borrowed("exceptions").InvalidSignature:
        return False
    return True


def derive(algorithm: Algorithm, key: Key, bits: int | None) -> bytes:
    """The secret that both sides share. Raises JsException, an OperationError, where it is shorter than asked for."""
    other = usable_public(algorithm, key)
    return shortened(bytes(key.material.exchange(_ec().ECDH(), other.material)), bits)


def _from_point(curve: Any, content: bytes) -> Any:
    return _ec().EllipticCurvePublicKey.from_encoded_point(curve, content)


def _from_jwk(algorithm: Algorithm, curve: Any, jwk: jwks.Jwk) -> tuple[Kind, Any]:
    name = next(name for name, (known, _) in _CURVES.items() if known.lower() == curve.name)
    if jwk.get("crv") != name:
        raise JsException("DataError", f'the JSON web key is of the curve {jwk.get("crv")}, not "{name}"')
    if algorithm.name == "ECDSA":
        jwks.check_name(jwk, _JWK_NAMES[name])
    public = _ec().EllipticCurvePublicNumbers(jwks.to_number(jwk, "x"), jwks.to_number(jwk, "y"), curve)
    if "d" not in jwk:
        return "public", public.public_key()
    return "private", _ec().EllipticCurvePrivateNumbers(jwks.to_number(jwk, "d"), public).private_key()


def _to_jwk(key: Key) -> jwks.Jwk:
    name = key.parameters["namedCurve"]
    _, size = _CURVES[name]
    private = key.material.private_numbers() if key.kind == "private" else None
    public = private.public_numbers if private else key.material.public_numbers()
    numbers = {"x": public.x, "y": public.y} | ({"d": private.private_value} if private else {})
    return {"kty": "EC", "crv": name} | {member: jwks.from_number(each, size) for member, each in numbers.items()}


def _key(algorithm: Algorithm, kind: Kind, made: Any) -> Key:
    return Key(kind, algorithm.name, made, {"namedCurve": algorithm.text("namedCurve")})


def _curve(name: str) -> Any:
    if name not in _CURVES:
        raise JsException("NotSupportedError", f'"{name}" is no curve here; there are {", ".join(_CURVES)}')
    return getattr(_ec(), _CURVES[name][0])()


def _ecdsa(algorithm: Algorithm) -> Any:
    return _ec().ECDSA(getattr(borrowed("hazmat.primitives.hashes"), algorithm.hash.replace("-", ""))())


def _ec() -> Any:
    return _asymmetric("ec")


def _asymmetric(name: str) -> Any:
    return borrowed(f"hazmat.primitives.asymmetric.{name}")
