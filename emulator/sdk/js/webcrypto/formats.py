"""Keys with two halves in the formats spki and pkcs8, and what to say of a format that an algorithm has not."""

from __future__ import annotations

from typing import Any

from emulator.sdk.js.webcrypto.borrowed import borrowed
from emulator.sdk.js.webcrypto.key import Format, Key, Kind
from emulator.sdk.workers.proxy import JsException


def read_der(form: Format, content: bytes, public: Any, private: Any) -> tuple[Kind, Any]:
    """The key and which half it is. Raises JsException, a DataError, unless it is of one of these classes."""
    serialization = borrowed("hazmat.primitives.serialization")
    try:
        key = (
            serialization.load_der_public_key(content)
            if form == "spki"
            else serialization.load_der_private_key(content, None)
        )
    except (TypeError, ValueError, borrowed("exceptions").UnsupportedAlgorithm) as error:
        raise JsException("DataError", f"the content is no key in the format {form}: {error}") from None
    if not isinstance(key, public | private):
        raise JsException("DataError", "the key is one of another algorithm")
    return ("public" if form == "spki" else "private"), key


def write_der(key: Key, form: Format) -> bytes:
    """Raises JsException, an InvalidAccessError, for the half that this format is not for."""
    serialization = borrowed("hazmat.primitives.serialization")
    expect_kind(key, form, "public" if form == "spki" else "private")
    if form == "spki":
        shape = serialization.PublicFormat.SubjectPublicKeyInfo
        return bytes(key.material.public_bytes(serialization.Encoding.DER, shape))
    plain = serialization.NoEncryption()
    shape = serialization.PrivateFormat.PKCS8
    return bytes(key.material.private_bytes(serialization.Encoding.DER, shape, plain))


def expect_kind(key: Key, form: Format, kind: Kind) -> None:
    if key.kind != kind:
        raise JsException("InvalidAccessError", f"the format {form} is for a {kind} key, and this is a {key.kind} one")


def no_format(algorithm: str, form: Format) -> JsException:
    return JsException("NotSupportedError", f"{algorithm} has no keys in the format {form}")
