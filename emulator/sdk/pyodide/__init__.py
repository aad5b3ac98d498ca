"""Stand-ins for Pyodide's package, for code that imports its conversion functions."""

import sys
from typing import Any

__version__ = "0.28.2"

_PARTS = ("code", "ffi", "http", "webloop")


def __getattr__(name: str) -> Any:
    text = f"pyodide.{name} is not emulated; there are {', '.join(f'pyodide.{part}' for part in _PARTS)}"
    # The import of a submodule asks here first, and wants an AttributeError.
    asked = name not in _PARTS and not name.startswith("__")
    if asked and sys._getframe(1).f_code.co_name == "_handle_fromlist":
        raise ImportError(text, name=name)
    raise AttributeError(text, name=name)
