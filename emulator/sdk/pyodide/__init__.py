"""Stand-ins for Pyodide's package, for code that imports its conversion functions."""

from typing import Any

from emulator.sdk.workers.absent import absent

__version__ = "0.28.2"

_PARTS = ("code", "ffi", "http", "webloop")
_INSTEAD = {
    "console": "use the module code",
    "create_proxy": "import it from pyodide.ffi",
    "eval_code": "use eval() and exec()",
    "to_js": "import it from pyodide.ffi",
}


def __getattr__(name: str) -> Any:
    hint = f"; {_INSTEAD[name]}" if name in _INSTEAD else ""
    text = f"pyodide.{name} is not emulated; there are {', '.join(f'pyodide.{part}' for part in _PARTS)}{hint}"
    # The import of a submodule asks here first, and wants an AttributeError.
    raise AttributeError(text, name=name) if name in _PARTS else absent(name, text)
