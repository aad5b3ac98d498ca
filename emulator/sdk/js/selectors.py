"""CSS selectors, as far as `HTMLRewriter` takes them: does an element in this place match? Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from emulator.sdk.workers.proxy import JsException

_PART = re.compile(
    r"""(?P<tag>\*|[A-Za-z][\w-]*)
    |\#(?P<id>[\w-]+)
    |\.(?P<kind>[\w-]+)
    |\[\s*(?P<name>[\w:-]+)\s*(?:(?P<how>[~|^$*]?=)\s*(?P<quote>["']?)(?P<value>.*?)(?P=quote)\s*(?P<fold>[iIsS])?\s*)?\]
    |:(?P<pseudo>first-child|first-of-type|nth-child|nth-of-type|not)(?:\((?P<given>[^()]*)\))?""",
    re.VERBOSE,
)
_COMBINED = re.compile(r"\s*>\s*|\s+")
_WAYS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda found, wanted: found == wanted,
    "~=": lambda found, wanted: wanted in found.split(),
    "|=": lambda found, wanted: found == wanted or found.startswith(f"{wanted}-"),
    "^=": lambda found, wanted: bool(wanted) and found.startswith(wanted),
    "$=": lambda found, wanted: bool(wanted) and found.endswith(wanted),
    "*=": lambda found, wanted: bool(wanted) and wanted in found,
}


@dataclass(frozen=True)
class Place:
    """An element as selectors see it; `child` and `of_type` count from 1 among its siblings."""

    tag: str
    attributes: Mapping[str, str]
    child: int
    of_type: int


Test = Callable[[Place], bool]
Selector = Callable[[Sequence[Place]], bool]


def parse(text: str) -> Selector:
    """A test for a path of elements, the outermost first. Raises JsException for what is no selector."""
    alternatives = [_chain(each.strip(), text) for each in text.split(",")]
    return lambda path: any(_matches(tests, path) for tests in alternatives)


def _chain(text: str, whole: str) -> list[tuple[str, Test]]:
    """Compound selectors from left to right, each with how it hangs on the one before."""
    # Spaces and > inside brackets and parentheses combine nothing.
    hidden = re.sub(r"\[[^\]]*\]|\([^)]*\)", lambda found: "\0" * len(found[0]), text)
    tests, start, how = [], 0, " "
    for found in _COMBINED.finditer(hidden):
        tests.append((how, _compound(text[start : found.start()], whole)))
        start, how = found.end(), found[0].strip() or " "
    return [*tests, (how, _compound(text[start:], whole))]


def _compound(text: str, whole: str) -> Test:
    tests: list[Test] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or found.end() == at:
            break
        tests.append(_test(found, whole))
        at = found.end()
    if at < len(text) or not tests:
        raise JsException("TypeError", f"Parser error: unsupported syntax in selector {whole!r} at {text[at:]!r}.")
    return lambda place: all(test(place) for test in tests)


def _test(found: re.Match[str], whole: str) -> Test:
    match found.lastgroup if found["name"] is None and found["pseudo"] is None else "":
        case "tag":
            tag = found["tag"].lower()
            return lambda place: tag in ("*", place.tag)
        case "id":
            return lambda place: place.attributes.get("id") == found["id"]
        case "kind":
            return lambda place: found["kind"] in place.attributes.get("class", "").split()
        case _:
            pass
    return _attribute(found) if found["name"] is not None else _pseudo(found, whole)


def _attribute(found: re.Match[str]) -> Test:
    name, how, value = found["name"].lower(), found["how"], found["value"]
    if how is None:
        return lambda place: name in place.attributes
    folded = (found["fold"] or "").lower() == "i"

    def test(place: Place) -> bool:
        there = place.attributes.get(name)
        if there is None:
            return False
        return _WAYS[how](there.lower(), value.lower()) if folded else _WAYS[how](there, value)

    return test


def _pseudo(found: re.Match[str], whole: str) -> Test:
    given = (found["given"] or "").strip()
    match found["pseudo"]:
        case "not":
            inner = _compound(given, whole)
            return lambda place: not inner(place)
        case "first-child":
            return lambda place: place.child == 1
        case "first-of-type":
            return lambda place: place.of_type == 1
        case "nth-child":
            nth = _nth(given, whole)
            return lambda place: nth(place.child)
        case _:
            nth = _nth(given, whole)
            return lambda place: nth(place.of_type)


def _nth(given: str, whole: str) -> Callable[[int], bool]:
    text = {"odd": "2n+1", "even": "2n"}.get(given, given).replace(" ", "")
    found = re.fullmatch(r"(?:([+-]?\d*)n)?([+-]?\d+)?", text)
    if found is None or not text:
        raise JsException("TypeError", f"Parser error: unsupported syntax in selector {whole!r}.")
    step = 0 if found[1] is None else int(found[1] + "1" if found[1] in ("", "+", "-") else found[1])
    offset = int(found[2] or 0)
    if step == 0:
        return lambda number: number == offset
    return lambda number: (number - offset) % step == 0 and (number - offset) // step >= 0


def _matches(tests: Sequence[tuple[str, Test]], path: Sequence[Place]) -> bool:
    if not path or not tests[-1][1](path[-1]):
        return False
    if len(tests) == 1:
        return True
    ends = [len(path) - 1] if tests[-1][0] == ">" else range(len(path) - 1, 0, -1)
    return any(_matches(tests[:-1], path[:end]) for end in ends)
