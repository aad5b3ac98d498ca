"""What `env.ASSETS` answers: the file for a request, whoever of worker and assets comes first for browsers."""

from __future__ import annotations

from urllib.parse import urlsplit

from emulator.assets import Folders, Request
from emulator.assets import answer as answer_of
from emulator.calls import Answer
from emulator.config import Config
from emulator.wire import Frame


def answer(folders: Folders, config: Config, asked: Frame) -> Answer:
    """The response, whole."""
    if config.assets is None:
        return {"error": {"kind": "RuntimeError", "message": f"{config.path.name} has no assets any more"}}, b""
    method, url, pairs = asked.head["request"]
    parts = urlsplit(url)
    request = Request(
        method=method,
        path=parts.path or "/",
        query=parts.query,
        host=parts.hostname or "",
        headers={name.lower(): value for name, value in pairs},
    )
    told = answer_of(request, config.assets, folders.of(config))
    return {"status": told.status, "headers": told.headers}, told.body
