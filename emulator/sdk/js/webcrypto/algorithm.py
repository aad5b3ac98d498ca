"""What an algorithm is asked to be: its name in the platform's spelling, and its parameters. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.sdk.workers.buffers import Buffer
from emulator.sdk.workers.proxy import JsException, JsNull, JsProxy, options_of

HASHES = {"SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024}
"""Hash functions with the size of their blocks in bits."""

_LARGEST_NUMBER = (1 << 32) - 1
_SECRET = {"secret": ("encrypt", "decrypt", "wrapKey", "unwrapKey")}
_SIGNING = {"private": ("sign",), "public": ("verify",)}
_DERIVING = {"private": ("deriveKey", "deriveBits"), "public": ()}

# Each algorithm with the module that has it, and what each kind of its keys may be used for.
_ALGORITHMS: Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]] = {
    "AES-CBC": ("aes", _SECRET),
    "AES-CTR": ("aes", _SECRET),
    "AES-GCM": ("aes", _SECRET),
    "AES-KW": ("aes", {"secret": ("wrapKey", "unwrapKey")}),
    "ECDH": ("curves", _DERIVING),
    "ECDSA": ("curves", _SIGNING),
    "Ed25519": ("edwards", _SIGNING),
    "HKDF": ("kdf", {"secret": ("deriveKey", "deriveBits")}),
    "HMAC": ("hmac", {"secret": ("sign", "verify")}),
    "PBKDF2": ("kdf", {"secret": ("deriveKey", "deriveBits")}),
    "RSA-OAEP": ("rsa", {"private": ("decrypt", "unwrapKey"), "public": ("encrypt", "wrapKey")}),
    "RSA-PSS": ("rsa", _SIGNING),
    "RSASSA-PKCS1-v1_5": ("rsa", _SIGNING),
    "X25519": ("edwards", _DERIVING),
}
_SPELLINGS = {name.lower(): name for name in (*_ALGORITHMS, *HASHES, "MD5")} | {"node-ed25519": "Ed25519"}


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A name and its parameters, as given to a method of `crypto.subtle`."""

    name: str
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, given: Any) -> Algorithm:
        """Raises JsException: a TypeError for what is no algorithm, a NotSupportedError for an unknown name."""
        if isinstance(given, str):
            return cls(_spelt(given), {})
        if not isinstance(given, JsProxy):
            raise JsException("TypeError", f"expected the name of an algorithm or an object, got {_advice(given)}")
        parameters = options_of(given)
        if not isinstance(parameters.get("name"), str):
            raise JsException("TypeError", "the algorithm has no name")
        return cls(_spelt(parameters["name"]), parameters)

    @property
    def home(self) -> str:
        return self._known[0]

    @property
    def uses(self) -> Mapping[str, tuple[str, ...]]:
        return self._known[1]

    @property
    def _known(self) -> tuple[str, Mapping[str, tuple[str, ...]]]:
        if self.name not in _ALGORITHMS:
            raise JsException("NotSupportedError", f"{self.name} has no keys; it is for crypto.subtle.digest()")
        return _ALGORITHMS[self.name]

    @property
    def hash(self) -> str:
        """The hash function it is used with."""
        found = Algorithm.of(self._needed("hash")).name
        if found not in HASHES:
            raise JsException("NotSupportedError", f"{found} is no hash function for {self.name}")
        return found

    def text(self, member: str) -> str:
        return str(self._needed(member))

    def number(self, member: str) -> int:
        return whole(self._needed(member), f"{self.name}: {member}")

    def optional_number(self, member: str) -> int | None:
        return self.number(member) if member in self else None

    def content(self, member: str) -> bytes:
        return content(self._needed(member), member)

    def optional_content(self, member: str) -> bytes:
        return self.content(member) if member in self else b""

    def object(self, member: str) -> Any:
        return self._needed(member)

    def __contains__(self, member: str) -> bool:
        found = self.parameters.get(member)
        return found is not None and not isinstance(found, JsNull)

    def _needed(self, member: str) -> Any:
        if member not in self:
            raise JsException("TypeError", f"{self.name} needs a member {member}")
        return self.parameters[member]


def whole(value: Any, name: str) -> int:
    """A number without its fraction. Raises JsException, a TypeError, for what has no place in 32 bits."""
    if not isinstance(value, int | float) or not 0 <= value <= _LARGEST_NUMBER:
        raise JsException("TypeError", f"{name} is no number from 0 to {_LARGEST_NUMBER}, but {value!r}")
    return int(value)


def content(value: Any, name: str = "the content") -> bytes:
    """The bytes of a buffer. Raises JsException, a TypeError, for what JavaScript does not see as one."""
    if isinstance(value, Buffer):
        return value.to_bytes()
    raise JsException("TypeError", f"expected {name} as an ArrayBuffer or a typed array, got {_advice(value)}")


def _advice(value: Any) -> str:
    name = type(value).__name__
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{name}, which JavaScript cannot read; write to_js(…)"
    if isinstance(value, dict):
        return f"{name}, which JavaScript cannot read; write to_js(…, dict_converter=Object.fromEntries)"
    return name


def _spelt(name: str) -> str:
    found = _SPELLINGS.get(name.lower())
    if found is None:
        raise JsException("NotSupportedError", f'"{name}" is no algorithm here; there are {", ".join(_ALGORITHMS)}')
    return found
