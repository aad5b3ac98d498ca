"""`relaxed_call`: call a function with as many arguments as it takes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NoReturn

from emulator.sdk.workers.absent import absent

# With a path, even an empty one, `from … import` asks here first, as it does of a package, and can be told why.
__path__: list[str] = []

_INSTEAD = {
    "CodeRunner": "use compile() and exec()",
    "eval_code": "use eval() and exec()",
    "eval_code_async": "use compile() with ast.PyCF_ALLOW_TOP_LEVEL_AWAIT",
    "find_imports": "use the module ast",
}


def relaxed_call(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call a function; arguments it has no place for are left out."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return function(*arguments, **keywords)
    kinds = [parameter.kind for parameter in signature.parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        positional = sum(
            kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds
        )
        arguments = arguments[:positional]
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        keywords = {name: value for name, value in keywords.items() if name in signature.parameters}
    return function(*arguments, **keywords)


def relaxed_wrap(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that leaves out the arguments the given one has no place for."""

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        return relaxed_call(function, *arguments, **keywords)

    return call


def run_js(code: str, /) -> NoReturn:
    """The platform forbids it as well."""
    raise RuntimeError("run_js() is refused: code generation from strings is disallowed, as on the platform")


def __getattr__(name: str) -> Any:
    instead = _INSTEAD.get(name, "there are relaxed_call() and relaxed_wrap()")
    raise absent(name, f"pyodide.code.{name} is not emulated; {instead}")
