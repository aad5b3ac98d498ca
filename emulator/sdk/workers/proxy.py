"""What every stand-in for a JavaScript value has in common: classes made with `.new()`, `jsnull`, `JsException`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


class JsClass(type):
    """A JavaScript class: `.new(…)` makes an instance, a plain call does not. Keywords become one last argument."""

    def __call__(cls, *arguments: Any, **options: Any) -> NoReturn:
        name = cls.__name__
        raise TypeError(f"Class constructor {name} cannot be invoked without 'new': write {name}.new(...)")

    def new(cls, *arguments: Any, **options: Any) -> Any:
        return type.__call__(cls, *arguments, options) if options else type.__call__(cls, *arguments)

    def __instancecheck__(cls, thing: Any) -> bool:
        # In Pyodide a JavaScript class is a JsProxy as well as its instances are.
        return super().__instancecheck__(thing) or (type(thing) is JsClass and cls.__name__ == "JsProxy")


class Constructor:
    """What `.constructor` answers."""

    def __init__(self, name: str) -> None:
        self.name = name


class JsProxy(metaclass=JsClass):
    """A JavaScript object as Python code sees it."""

    @property
    def typeof(self) -> str:
        return "object"

    @property
    def js_id(self) -> int:
        return id(self)

    @property
    def constructor(self) -> Constructor:
        return Constructor(type(self).__name__)

    def to_py(self, *, depth: int = -1, default_converter: Callable[..., Any] | None = None) -> Any:
        """The Python value: containers and buffers are converted, other objects stay as they are."""
        return self

    def __str__(self) -> str:
        return f"[object {type(self).__name__}]"

    __repr__ = __str__


class JsNull:
    """JavaScript's `null`. There is one, `jsnull`; it is falsy."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "jsnull"

    def to_py(self, **options: Any) -> None:
        """None, so that a null can cross where a value is expected."""

    @property
    def typeof(self) -> str:
        return "object"


jsnull = JsNull()


class JsException(Exception):
    """A JavaScript error: `name`, `message`, `stack`."""

    # Where people import it from: a traceback says so.
    __module__ = "pyodide.ffi"

    def __init__(self, name: str, message: str = "", stack: str = "") -> None:
        super().__init__(name, message, stack)
        self.name = name
        self.message = message
        self.stack = stack or str(self)

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name


def js_text(value: Any) -> str:
    """The text JavaScript makes of a value: `true`, `undefined`, `1`."""
    match value:
        case str():
            return str.__str__(value)
        case bool():
            return "true" if value else "false"
        case None:
            return "undefined"
        case JsNull():
            return "null"
        case float() if value.is_integer():
            return str(int(value))
    return str(value)


def options_of(given: Any) -> dict[str, Any]:
    """The options a call was given: a dict, a JavaScript object, or nothing."""
    if not given and not isinstance(given, JsProxy):
        return {}
    if isinstance(given, dict):
        return given
    # One level only: a body or headers among the options stay what they are.
    found = given.to_py(depth=1) if hasattr(given, "to_py") else given
    if isinstance(found, dict):
        return found
    raise TypeError(f"expected an object with options, got {type(given).__name__}")
