"""A web hook that checks who sent it, and hands out tokens (JWT, HS256) for those it knows."""

import base64
import json
from typing import Any

from js import Object, Uint8Array, crypto
from pyodide.ffi import to_js
from workers import Request, Response, WorkerEntrypoint


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        if request.method == "POST":
            return await self.hook(request)
        return await self.who(request.headers.get("authorization", ""))

    async def hook(self, request: Request) -> Response:
        body = await request.bytes()
        scheme, _, signature = request.headers.get("x-signature-256", "").partition("=")
        if scheme != "sha256" or not await self.is_signed(bytes.fromhex(signature), body):
            return Response("who are you?", 401)
        return Response.json({"token": await self.token({"sub": json.loads(body)["name"]})})

    async def who(self, authorization: str) -> Response:
        head, claims, signature = authorization.removeprefix("Bearer ").split(".")
        if not await self.is_signed(unpacked(signature), f"{head}.{claims}".encode()):
            return Response("no such token", 403)
        return Response.json(json.loads(unpacked(claims)))

    async def token(self, claims: dict[str, Any]) -> str:
        parts = [packed(json.dumps(each).encode()) for each in ({"alg": "HS256", "typ": "JWT"}, claims)]
        text = ".".join(parts)
        signature = await crypto.subtle.sign("HMAC", await self.key(), to_js(text.encode()))
        return f"{text}.{packed(Uint8Array.new(signature).to_bytes())}"

    async def is_signed(self, signature: bytes, content: bytes) -> bool:
        found: bool = await crypto.subtle.verify("HMAC", await self.key(), to_js(signature), to_js(content))
        return found

    async def key(self) -> Any:
        algorithm = to_js({"name": "HMAC", "hash": "SHA-256"}, dict_converter=Object.fromEntries)
        secret = to_js(self.env.SECRET.encode())
        return await crypto.subtle.importKey("raw", secret, algorithm, False, to_js(["sign", "verify"]))
