"""JavaScript's names, Pyodide's functions and gateways as a user would use them; it is checked strictly, never run."""

import asyncio
from typing import Any

import asgi
import js
from js import URL, Array, Headers, Object, Uint8Array, WebSocketPair, console, crypto
from pyodide.ffi import JsException, JsProxy, create_once_callable, create_proxy, jsnull, run_sync, to_js
from pyodide.http import HttpStatusError, pyfetch
from workers import Request, Response, WorkerEntrypoint, import_from_javascript, wsgi


async def app(scope: Any, receive: Any, send: Any) -> None: ...


Api = asgi.entrypoint(app, options=asgi.Options(encode_body="manual"))


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        url = URL.new(request.url)
        if request.headers.get("upgrade") == "websocket":
            return self.talk()
        if url.pathname.startswith("/api"):
            return await asgi.fetch(app, request, self.env, self.ctx)
        if url.searchParams.get("raw") is not jsnull:
            return await self.digest(await request.bytes())
        return await wsgi.fetch(lambda environ, start: [b""], request.js_object, self.env)

    def talk(self) -> Response:
        client, server = WebSocketPair.new().object_values()
        server.accept()
        server.addEventListener("message", create_proxy(lambda event: server.send(event.data)))
        server.addEventListener("close", create_once_callable(console.log))
        return Response(None, status=101, web_socket=client)

    async def digest(self, content: bytes) -> Response:
        algorithm = to_js({"name": "HMAC", "hash": "SHA-256"}, dict_converter=Object.fromEntries)
        key = await crypto.subtle.importKey("raw", to_js(content), algorithm, False, to_js(["sign"]))
        try:
            signature = Uint8Array.new(await crypto.subtle.sign("HMAC", key, to_js(content)))
        except JsException as error:
            return Response(f"{error.name}: {error.message}", 500)
        numbers = [number + 1 for number in Array.from_(signature)]
        return Response(signature.to_bytes() + bytes(numbers))

    async def raw(self, request: js.Request) -> js.Response:
        answer = await js.fetch(request)
        if not isinstance(answer, JsProxy):
            raise js.Error.new("no answer")
        headers: js.Headers = Headers.new({"a": "b"}.items())
        return js.Response.new(await answer.text(), headers=headers, status=answer.status)

    def wait(self) -> Any:
        email = import_from_javascript("cloudflare:email")
        run_sync(asyncio.sleep(0))
        return email.EmailMessage.new("a@example.com", "b@example.com", "")

    async def older(self) -> str:
        try:
            found: str = await (await pyfetch("https://example.com/")).string()
        except HttpStatusError as error:
            return str(error.status)
        return found
