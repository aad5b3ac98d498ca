"""A request for an asset and its answer: redirects, the file that is meant, headers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from emulator.assets import headers, html, paths, redirects
from emulator.assets.folder import Folder
from emulator.assets.types import content_type
from emulator.config import Assets

_CACHED = "public, max-age=0, must-revalidate"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What counts of a request. The path is as the client wrote it; names of headers are in small letters."""

    method: str
    path: str
    query: str = ""
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """What the client gets. There is no body for HEAD, though the headers tell its length."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True)
class _File:
    path: str
    status: int


def answer(request: Request, assets: Assets, folder: Folder) -> Response:
    """The answer of the assets, 404 if there is nothing."""
    found = _found(request, assets, folder) or Response(404)
    told = found if isinstance(found, Response) else _served(request, found, folder)
    rules = folder.rules(headers.FILE, headers.parse)
    told = replace(told, headers=tuple(rules.apply(request.host, request.path, told.headers)))
    if told.status not in (204, 304):
        told = replace(told, headers=(*told.headers, ("content-length", str(len(told.body)))))
    return replace(told, body=b"") if request.method == "HEAD" else told


def has_answer(request: Request, assets: Assets, folder: Folder) -> bool:
    """Whether the assets have an answer of their own to this."""
    return _found(request, assets, folder) is not None


def _found(request: Request, assets: Assets, folder: Folder) -> Response | _File | None:
    rules = folder.rules(redirects.FILE, partial(redirects.parse, html=assets.html_handling != "none"))
    rule = rules.match(request.host, request.path)
    if rule is None:
        return _meant(request, assets, folder)
    target, status = rule
    if status != 200:
        return Response(status, (("location", redirects.location(target, request.query)),))
    path = target.partition("#")[0].partition("?")[0]
    return _meant(replace(request, path=path), replace(assets, not_found_handling="none"), folder) or Response(404)


def _meant(request: Request, assets: Assets, folder: Folder) -> Response | _File | None:
    """The file that a path means, or a redirect to the right way to write the path."""
    path = paths.decoded(request.path)
    meant = html.resolve(path, assets.html_handling, folder.exists)
    if meant is None:
        page = html.not_found(path, assets.not_found_handling, folder.exists)
        if page is None:
            return None
        file, goal = _File(*page), path
    elif isinstance(meant, html.Redirect):
        file, goal = None, meant.path
    else:
        file, goal = _File(meant.file, 200), path
    if request.method not in ("GET", "HEAD"):
        return Response(405)
    right = paths.encoded(goal)
    if file is None or right != request.path:
        query = f"?{request.query}" if request.query else ""
        return Response(307, (("location", right + query),))
    return file


def _served(request: Request, file: _File, folder: Folder) -> Response:
    body = folder.read(file.path)
    if body is None:
        return Response(404)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    pairs = [("etag", tag)]
    if "authorization" not in request.headers and "range" not in request.headers:
        pairs.append(("cache-control", _CACHED))
    if request.headers.get("if-none-match") in (tag, f"W/{tag}"):
        return Response(304, tuple(pairs))
    kind = content_type(file.path)
    if kind is not None:
        pairs.append(("content-type", kind))
    return Response(file.status, tuple(pairs), body)
