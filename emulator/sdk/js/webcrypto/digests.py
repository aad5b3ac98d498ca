"""Digests: of a whole content, or of what is written to a `crypto.DigestStream`."""

from __future__ import annotations

import hashlib
from typing import Any

from emulator.sdk.js.pipes import WritableStream
from emulator.sdk.js.promise import Promise
from emulator.sdk.js.webcrypto.algorithm import HASHES, Algorithm
from emulator.sdk.workers.body import to_bytes
from emulator.sdk.workers.buffers import ArrayBuffer
from emulator.sdk.workers.proxy import JsException


def hasher(algorithm: Any) -> Any:
    """A hash object of the standard library. Raises JsException, a NotSupportedError, for what makes no digests."""
    name = Algorithm.of(algorithm).name
    if name not in (*HASHES, "MD5"):
        raise JsException("NotSupportedError", f"{name} makes no digests; there are {', '.join(HASHES)} and MD5")
    return hashlib.new(name.replace("-", ""))


class DigestStream(WritableStream):
    """Takes a content of any size, and has its digest when it is closed: `await stream.digest`."""

    def __init__(self, algorithm: Any) -> None:
        self._hasher = hasher(algorithm)
        self.digest = Promise.new(self._begin)
        super().__init__(self)

    def _begin(self, resolve: Any, reject: Any) -> None:
        self._resolve, self._reject = resolve, reject

    async def _tell(self, name: str, *arguments: Any) -> None:
        if name == "write":
            self._hasher.update(to_bytes(*arguments))
        elif name == "close":
            self._resolve(ArrayBuffer.new(self._hasher.digest()))
        else:
            self._reject(*arguments)
