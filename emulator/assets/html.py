"""Which file a path means, and where a path that is not the right one leads to: the four ways with HTML. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

Exists = Callable[[str], bool]


@dataclass(frozen=True)
class Serve:
    """Answer with this file."""

    file: str


@dataclass(frozen=True)
class Redirect:
    """Send the browser to another path."""

    path: str


# For a path that ends so, what is tried in turn: a file to serve, or "file > path", a file to redirect to. {p} is the
# path, {d} what comes before its ending. What stands under "" is tried last, for any path.
_AUTO = {
    "/index.html": ("{p} > {d}/", "{d}.html > {d}"),
    "/index": ("{p}", "{p}.html > {d}/", "{d}.html > {d}"),
    "/": ("{p}index.html", "{d}.html > {d}"),
    ".html": ("{p} > {d}", "{d}/index.html > {d}/"),
    "": ("{p}", "{p}.html", "{p}/index.html > {p}/"),
}
_FORCE = {
    "/index.html": ("{p} > {d}/", "{d}.html > {d}/"),
    "/index": ("{p}", "{p}.html > {d}/", "{d}.html > {d}/"),
    "/": ("{p}index.html", "{d}.html"),
    ".html": ("{p} > {d}/", "{p}", "{d}/index.html > {d}/"),
    "": ("{p}", "{p}.html > {p}/", "{p}/index.html > {p}/"),
}
_DROP = {
    "/index.html": ("{p} > {d}", "{p}", "{d}.html > {d}"),
    "/index": ("{p}", "{d}.html > {d}", "{p}.html > {d}"),
    "/": ("{d}.html > {d}", "{p}index.html > {d}"),
    ".html": ("{p} > {d}", "{d}/index.html > {d}"),
    "": ("{p}", "{p}.html", "{p}/index.html"),
}
_WAYS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "auto-trailing-slash": _AUTO,
        "force-trailing-slash": _FORCE,
        "drop-trailing-slash": _DROP,
        "none": {"": ("{p}",)},
    }
)


def resolve(path: str, handling: str, exists: Exists) -> Serve | Redirect | None:
    """The answer to a decoded path; None where nothing is there."""
    return next(_answers(path, handling, exists), None)


def not_found(path: str, handling: str, exists: Exists) -> tuple[str, int] | None:
    """The file and the status for a path where nothing is; None for an empty answer."""
    if handling == "single-page-application":
        return ("/index.html", 200) if exists("/index.html") else None
    if handling != "404-page":
        return None
    pages = (f"{folder}/404.html" for folder in _above(path))
    return next(((page, 404) for page in pages if exists(page)), None)


def _answers(path: str, handling: str, exists: Exists, *, redirects: bool = True) -> Iterator[Serve | Redirect]:
    for file, goal in _attempts(path, handling):
        if not exists(file):
            continue
        if goal is None or goal == path:
            yield Serve(file)
        elif redirects and _leads_to(goal, file, handling, exists):
            yield Redirect(goal)


def _attempts(path: str, handling: str) -> Iterator[tuple[str, str | None]]:
    ways = _WAYS[handling]
    ending = next(ending for ending in ways if path.endswith(ending))
    for each in dict.fromkeys((ending, "")):
        before = path.removesuffix(each)
        for way in ways[each]:
            file, arrow, goal = (part.format(p=path, d=before) for part in _parts(way))
            yield file, (goal or "/") if arrow else None


def _parts(way: str) -> tuple[str, str, str]:
    return way.partition(" > ")


def _leads_to(goal: str, file: str, handling: str, exists: Exists) -> bool:
    """Whether the path is no file itself, and is answered with this one without a further redirect."""
    if exists(goal):
        return False
    return next(_answers(goal, handling, exists, redirects=False), None) == Serve(file)


def _above(path: str) -> Iterator[str]:
    """The folders over a path, nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
