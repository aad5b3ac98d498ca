"""`Number`, `Math`, `String`, `Boolean` and `RegExp`, as far as code that came from JavaScript uses them."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from typing import Any

from emulator.sdk.js.arrays import array
from emulator.sdk.js.objects import Object
from emulator.sdk.workers.proxy import JsException, JsNull, JsProxy, js_text, jsnull

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


class _Number:
    """`Number`"""

    MAX_SAFE_INTEGER = 2**53 - 1
    MIN_SAFE_INTEGER = 1 - 2**53
    EPSILON = 2.0**-52

    def __call__(self, value: Any = 0) -> Any:
        if value is None:
            return math.nan
        if isinstance(value, JsNull):
            return 0
        try:
            found = float(value) if not isinstance(value, str) or value.strip() else 0.0
        except (TypeError, ValueError):
            return math.nan
        return int(found) if found.is_integer() and abs(found) <= self.MAX_SAFE_INTEGER else found

    new = __call__

    def isInteger(self, value: Any) -> bool:
        return isinstance(value, int | float) and float(value).is_integer()

    def isSafeInteger(self, value: Any) -> bool:
        return self.isInteger(value) and abs(value) <= self.MAX_SAFE_INTEGER

    def isNaN(self, value: Any) -> bool:
        return isinstance(value, float) and math.isnan(value)

    def parseFloat(self, text: Any) -> Any:
        found = re.match(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", js_text(text))
        return self(found[1]) if found else math.nan

    def parseInt(self, text: Any, base: int = 10) -> Any:
        found = re.match(r"\s*([+-]?[0-9a-zA-Z]+)", js_text(text))
        digits = found[1] if found else ""
        while digits:
            try:
                return int(digits, base)
            except ValueError:
                digits = digits[:-1]
        return math.nan


class _Math(JsProxy):
    """`Math`"""

    PI = math.pi
    E = math.e

    def floor(self, value: float) -> int:
        return math.floor(value)

    def ceil(self, value: float) -> int:
        return math.ceil(value)

    def round(self, value: float) -> int:
        return math.floor(value + 0.5)

    def trunc(self, value: float) -> int:
        return math.trunc(value)

    def random(self) -> float:
        return random.random()

    def min(self, *values: Any) -> Any:
        return min(values, default=math.inf)

    def max(self, *values: Any) -> Any:
        return max(values, default=-math.inf)

    def abs(self, value: Any) -> Any:
        return abs(value)

    def pow(self, value: Any, exponent: Any) -> Any:
        return value**exponent

    def sign(self, value: Any) -> int:
        return int(value > 0) - int(value < 0)

    def log(self, value: float) -> float:
        return math.log(value) if value > 0 else -math.inf if value == 0 else math.nan

    def sqrt(self, value: Any) -> float:
        return math.sqrt(value) if value >= 0 else math.nan


class RegExp(JsProxy):
    """A regular expression, in Python's dialect, which most of JavaScript's are in too."""

    def __init__(self, source: Any, flags: str = "") -> None:
        self.source = getattr(source, "source", source)
        self.flags = flags or getattr(source, "flags", "")
        named = re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", self.source)
        try:
            self._pattern = re.compile(named, sum(_FLAGS.get(flag, 0) for flag in self.flags))
        except re.error as error:
            raise JsException("SyntaxError", f"Invalid regular expression: /{self.source}/: {error}") from None

    def test(self, text: Any) -> bool:
        return self._pattern.search(js_text(text)) is not None

    def exec(self, text: Any) -> Any:
        found = self._pattern.search(js_text(text))
        if found is None:
            return jsnull
        made = array([found[0], *found.groups()])
        made.index, made.groups = found.start(), Object.fromEntries(found.groupdict().items())
        return made

    def __str__(self) -> str:
        return f"/{self.source}/{self.flags}"


class _Boolean:
    """`Boolean`"""

    def __call__(self, value: Any = None) -> bool:
        return bool(value) and value == value

    new = __call__


class _String:
    """`String`"""

    def __call__(self, value: Any = "") -> str:
        return js_text(value)

    new = __call__

    def fromCharCode(self, *codes: int) -> str:
        return "".join(map(chr, codes))

    fromCodePoint = fromCharCode


Number = _Number()
Math = _Math.new()
Boolean = _Boolean()
String = _String()
parseFloat: Callable[[Any], Any] = Number.parseFloat
parseInt: Callable[..., Any] = Number.parseInt
isNaN: Callable[[Any], bool] = lambda value: Number.isNaN(Number(value))  # noqa: E731
isFinite: Callable[[Any], bool] = lambda value: math.isfinite(Number(value))  # noqa: E731
Infinity = math.inf
NaN = math.nan
