"""What came over from JavaScript: its objects, its responses, its web standards."""

from js import JSON, URL, Headers, Object, Response, TextEncoder, Uint8Array, console, crypto
from pyodide.ffi import JsProxy, create_proxy, jsnull, to_js
from workers import Request, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        url = URL.new(request.url)
        given = to_js({"a": [1, {"b": jsnull}]}, dict_converter=Object.fromEntries)
        assert isinstance(given, JsProxy)
        console.log("asked for", url.pathname)
        digest = await crypto.subtle.digest("SHA-256", TextEncoder.new().encode("x"))
        doubled = to_js([1, 2]).map(create_proxy(lambda number, *_: 2 * number))
        told = {
            "name": url.searchParams.get("name"),
            "json": JSON.stringify(given),
            "digest": Uint8Array.new(digest).to_bytes().hex()[:8],
            "doubled": doubled.to_py(),
        }
        headers = Headers.new({"content-type": "application/json"}.items())
        return Response.new(JSON.stringify(to_js(told, dict_converter=Object.fromEntries)), headers=headers)
