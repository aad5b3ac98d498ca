"""Hold a JSON value, or the text of a query, against a schema: the very one the OpenAPI document shows. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_WORDS = {"true": True, "false": False}


def problem(value: Any, schema: Schema, at: str = "body") -> str | None:
    """What is wrong with a value, with its place; None when nothing is."""
    return next(_problems(value, schema, at), None)


def from_text(text: str, schema: Schema) -> Any:
    """The value that a query parameter's text stands for; text that stands for none comes back as it is."""
    kind = schema.get("type")
    if kind == "boolean":
        return _WORDS.get(text, text)
    if kind not in ("integer", "number"):
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    # Clients write whole numbers as floats, too.
    return int(number) if number == int(number) else number


def _problems(value: Any, schema: Schema, at: str) -> Iterator[str]:
    if value is None and schema.get("nullable"):
        return
    if "anyOf" in schema:
        found = [problem(value, each, at) for each in schema["anyOf"]]
        if None not in found:
            yield next(each for each in found if each is not None)
        return
    kind = schema.get("type")
    if kind is not None and not _KINDS[kind](value):
        yield f"{at}: expected {_article(kind)}, got {_shown(value)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: expected one of {', '.join(map(str, schema['enum']))}, got {_shown(value)}"
        return
    match value:
        case str():
            yield from _of_text(value, schema, at)
        case bool():
            return
        case int() | float():
            yield from _of_number(value, schema, at)
        case list():
            yield from _of_list(value, schema, at)
        case dict():
            yield from _of_object(value, schema, at)
        case _:
            return


def _of_text(value: str, schema: Schema, at: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf):
        yield f"{at}: expected {schema.get('minLength', 0)} to {schema['maxLength']} characters, got {len(value)}"
    elif "pattern" in schema and not re.fullmatch(schema["pattern"].removeprefix("^").removesuffix("$"), value):
        yield f"{at}: {_shown(value)} does not fit {schema['pattern']}{_in_words(schema)}"


def _in_words(schema: Schema) -> str:
    """What a pattern asks for, where the schema says so to people."""
    return f" ({schema['description']})" if "description" in schema else ""


def _of_number(value: float, schema: Schema, at: str) -> Iterator[str]:
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    if not least <= value <= most:
        yield f"{at}: expected a number from {least} to {most}, got {_shown(value)}"


def _of_list(value: list[Any], schema: Schema, at: str) -> Iterator[str]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    if not least <= len(value) <= most:
        yield f"{at}: expected {least} to {most} items, got {len(value)}"
        return
    for number, item in enumerate(value):
        yield from _problems(item, schema.get("items", {}), f"{at}[{number}]")


def _of_object(value: dict[str, Any], schema: Schema, at: str) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}.{name}: is missing"
    for name, each in schema.get("properties", {}).items():
        if name in value:
            yield from _problems(value[name], each, f"{at}.{name}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: Mapping[str, Callable[[object], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and value == int(value),  # type: ignore[call-overload]
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
