"""`crypto`: random values, and `crypto.subtle`. developers.cloudflare.com/workers/runtime-apis/web-crypto"""

from __future__ import annotations

import os
import uuid
from typing import Any

from emulator.sdk.js.webcrypto.digests import DigestStream
from emulator.sdk.js.webcrypto.key import CryptoKey
from emulator.sdk.js.webcrypto.subtle import SubtleCrypto
from emulator.sdk.workers.buffers import DataView, Float32Array, Float64Array, TypedArray
from emulator.sdk.workers.proxy import JsException, JsProxy

__all__ = ["Crypto", "CryptoKey", "SubtleCrypto", "crypto"]

_MOST_BYTES = 65_536


class Crypto(JsProxy):
    """`crypto`"""

    subtle = SubtleCrypto.new()
    DigestStream = DigestStream

    def randomUUID(self) -> str:
        return str(uuid.uuid4())

    def getRandomValues(self, array: Any) -> Any:
        """
        Fill an array of whole numbers, of at most 65,536 bytes, and hand it back.

        Raises JsException: a TypeMismatchError for anything else, a QuotaExceededError for more.
        """
        if not isinstance(array, TypedArray | DataView) or isinstance(array, Float32Array | Float64Array):
            raise JsException("TypeMismatchError", f"expected an array of whole numbers, got {type(array).__name__}")
        if array.byteLength > _MOST_BYTES:
            text = f"at most {_MOST_BYTES} bytes can be asked for at once, not {array.byteLength}"
            raise JsException("QuotaExceededError", text)
        array.assign(os.urandom(array.byteLength))
        return array


crypto = Crypto.new()
