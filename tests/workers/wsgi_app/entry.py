"""A plain WSGI application."""

from collections.abc import Callable, Iterator
from typing import Any

from workers import wsgi


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    start_response("200 OK", [("content-type", "text/plain")])
    yield f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} ".encode()
    yield environ["wsgi.input"].read()


Default = wsgi.entrypoint(app)
