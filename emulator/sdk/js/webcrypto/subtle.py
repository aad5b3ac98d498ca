"""`crypto.subtle`: reads what it is asked, and has it done by the module of the algorithm."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from emulator.sdk.js.arrays import array
from emulator.sdk.js.objects import Object
from emulator.sdk.js.promise import Promise
from emulator.sdk.js.values import JSON, from_json
from emulator.sdk.js.webcrypto import jwk as jwks
from emulator.sdk.js.webcrypto.algorithm import Algorithm, content, whole
from emulator.sdk.js.webcrypto.digests import hasher
from emulator.sdk.js.webcrypto.key import FORMATS, Format, Key, allowed, fitting, key_object, plain, usable
from emulator.sdk.workers.buffers import ArrayBuffer
from emulator.sdk.workers.later import part
from emulator.sdk.workers.proxy import JsException, JsProxy, options_of

_JWK_KINDS = {"aes": "oct", "curves": "EC", "edwards": "OKP", "hmac": "oct", "rsa": "RSA"}


def _promised(work: Callable[..., Any]) -> Callable[..., Any]:
    """Done at once, so that nobody changes the content meanwhile; told by a promise."""

    @functools.wraps(work)
    def call(*arguments: Any, **keywords: Any) -> Any:
        def execute(resolve: Callable[[Any], None], reject: Callable[[Any], None]) -> None:
            try:
                resolve(work(*arguments, **keywords))
            except Exception as error:
                reject(error)

        return Promise.new(execute)

    return call


class SubtleCrypto(JsProxy):
    """
    `crypto.subtle`. developer.mozilla.org/docs/Web/API/SubtleCrypto

    Every method but timingSafeEqual answers a promise. What goes wrong is a JsException with the platform's name:
    NotSupportedError, SyntaxError, DataError, InvalidAccessError, OperationError or TypeError.
    """

    @_promised
    def digest(self, algorithm: Any, data: Any) -> Any:
        found = hasher(algorithm)
        found.update(content(data))
        return ArrayBuffer.new(found.digest())

    @_promised
    def sign(self, algorithm: Any, key: Any, data: Any) -> Any:
        asked = Algorithm.of(algorithm)
        found = usable(key, asked, "sign")
        return ArrayBuffer.new(_action(asked, "sign")(asked, found, content(data)))

    @_promised
    def verify(self, algorithm: Any, key: Any, signature: Any, data: Any) -> Any:
        asked = Algorithm.of(algorithm)
        found = usable(key, asked, "verify")
        return _action(asked, "verify")(asked, found, content(signature, "the signature"), content(data))

    @_promised
    def encrypt(self, algorithm: Any, key: Any, data: Any) -> Any:
        asked = Algorithm.of(algorithm)
        return ArrayBuffer.new(_action(asked, "encrypt")(asked, usable(key, asked, "encrypt"), content(data)))

    @_promised
    def decrypt(self, algorithm: Any, key: Any, data: Any) -> Any:
        asked = Algorithm.of(algorithm)
        return ArrayBuffer.new(_action(asked, "decrypt")(asked, usable(key, asked, "decrypt"), content(data)))

    @_promised
    def generateKey(self, algorithm: Any, extractable: bool, usages: Collection[str]) -> Any:
        asked = Algorithm.of(algorithm)
        made = _action(asked, "generate")(asked)
        if isinstance(made, Key):
            return _finished(asked, made, extractable, usages)
        return _pair(asked, made, extractable, usages)

    @_promised
    def importKey(self, form: str, data: Any, algorithm: Any, extractable: bool, usages: Collection[str]) -> Any:
        return _imported(form, data, Algorithm.of(algorithm), extractable, usages)

    @_promised
    def exportKey(self, form: str, key: Any) -> Any:
        return _exported(form, plain(key))

    @_promised
    def deriveBits(self, algorithm: Any, key: Any, length: int | None = None) -> Any:
        asked = Algorithm.of(algorithm)
        bits = whole(length, "length") if length else None
        return ArrayBuffer.new(_action(asked, "derive")(asked, usable(key, asked, "deriveBits"), bits or None))

    @_promised
    def deriveKey(self, algorithm: Any, key: Any, derived: Any, extractable: bool, usages: Collection[str]) -> Any:
        asked, wanted = Algorithm.of(algorithm), Algorithm.of(derived)
        length = None if wanted.home == "kdf" else _action(wanted, "length")(wanted)
        secret = _action(asked, "derive")(asked, usable(key, asked, "deriveKey"), length)
        return _imported("raw", ArrayBuffer.new(secret), wanted, extractable, usages)

    @_promised
    def wrapKey(self, form: str, key: Any, wrapping: Any, algorithm: Any) -> Any:
        asked = Algorithm.of(algorithm)
        with_key = usable(wrapping, asked, "wrapKey")
        exported = _exported(form, plain(key))
        text = JSON.stringify(exported).encode() if form == "jwk" else exported.to_bytes()
        action = "wrap" if asked.name == "AES-KW" else "encrypt"
        return ArrayBuffer.new(_action(asked, action)(asked, with_key, text))

    @_promised
    def unwrapKey(
        self,
        form: str,
        wrapped: Any,
        unwrapping: Any,
        algorithm: Any,
        key_algorithm: Any,
        extractable: bool,
        usages: Collection[str],
    ) -> Any:
        asked = Algorithm.of(algorithm)
        action = "unwrap" if asked.name == "AES-KW" else "decrypt"
        found: bytes = _action(asked, action)(asked, usable(unwrapping, asked, "unwrapKey"), content(wrapped))
        data = _json(found) if form == "jwk" else ArrayBuffer.new(found)
        return _imported(form, data, Algorithm.of(key_algorithm), extractable, usages)

    def timingSafeEqual(self, a: Any, b: Any) -> bool:
        """Whether two buffers are the same. Raises JsException, a TypeError, unless they are of one size."""
        left, right = content(a), content(b)
        if len(left) != len(right):
            raise JsException(
                "TypeError", f"timingSafeEqual compares buffers of one size, not {len(left)} and {len(right)}"
            )
        return hmac.compare_digest(left, right)


def _action(algorithm: Algorithm, action: str) -> Callable[..., Any]:
    """The function of the algorithm's module. Raises JsException, a NotSupportedError, where it has none."""
    found: Callable[..., Any] | None = getattr(part(f"js.webcrypto.{algorithm.home}"), action, None)
    if found is None:
        raise JsException("NotSupportedError", f"{algorithm.name} cannot be used for this ({action})")
    return found


def _imported(form: str, data: Any, algorithm: Algorithm, extractable: bool, usages: Collection[str]) -> Any:
    checked = _format(form)
    read = _action(algorithm, "read")
    if checked != "jwk":
        return _finished(algorithm, read(algorithm, checked, content(data, "the key")), extractable, usages)
    jwk = _jwk(data)
    jwks.check(jwk, kind=_JWK_KINDS.get(algorithm.home, ""), extractable=extractable, uses=usages)
    jwks.check_use(jwk, _jwk_use(algorithm), uses=usages)
    return _finished(algorithm, read(algorithm, "jwk", jwk), extractable, usages)


def _exported(form: str, key: Key) -> Any:
    checked = _format(form)
    if not key.extractable:
        raise JsException("InvalidAccessError", "the key was made with extractable = false, and cannot be exported")
    found = _action(Algorithm(key.algorithm, {}), "write")(key, checked)
    if checked != "jwk":
        return ArrayBuffer.new(found)
    return Object.fromEntries({**found, "key_ops": array(key.uses), "ext": True}.items())


def _finished(algorithm: Algorithm, key: Key, extractable: bool, usages: Collection[str]) -> Any:
    uses = fitting(algorithm, key.kind, usages)
    if extractable and algorithm.home == "kdf":
        raise JsException("SyntaxError", f"a key of {algorithm.name} cannot be extractable")
    return key_object(replace(key, extractable=bool(extractable), uses=uses))


def _pair(algorithm: Algorithm, made: tuple[Key, Key], extractable: bool, usages: Collection[str]) -> Any:
    private, public = made
    uses = allowed(algorithm, "private", usages)
    open_uses = allowed(algorithm, "public", usages)
    if not uses or set(usages) - {*uses, *open_uses}:
        all_uses = ", ".join([*algorithm.uses["private"], *algorithm.uses["public"]])
        raise JsException("SyntaxError", f"a pair of keys of {algorithm.name} is for {all_uses}, not {list(usages)}")
    pair = {
        "publicKey": key_object(replace(public, extractable=True, uses=open_uses)),
        "privateKey": key_object(replace(private, extractable=bool(extractable), uses=uses)),
    }
    return Object.fromEntries(pair.items())


def _format(form: str) -> Format:
    for known in FORMATS:
        if known == form:
            return known
    raise JsException("NotSupportedError", f'"{form}" is no format of keys; there are {", ".join(FORMATS)}')


def _jwk_use(algorithm: Algorithm) -> str:
    return "sig" if any(jwks.SIGNING & set(uses) for uses in algorithm.uses.values()) else "enc"


def _jwk(data: Any) -> jwks.Jwk:
    if not isinstance(data, JsProxy):
        text = f"expected a JSON web key as a JavaScript object, got {type(data).__name__}; write to_js(…)"
        raise JsException("TypeError", text)
    return options_of(data)


def _json(content: bytes) -> Any:
    try:
        return from_json(content.decode("utf-8", "replace"))
    except JsException:
        raise JsException("DataError", "what was unwrapped is no JSON web key") from None
