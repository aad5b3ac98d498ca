"""The user's process, started by the emulator: `python …/runtime/__main__.py SOCKET LIFELINE STACK_FILE MEMORY`."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def _make_emulator_importable() -> None:
    """
    Give this process the package `emulator`, and nothing of what is installed beside it.

    The interpreter may be any, with no emulator in its site-packages; this script's folder must not shadow anything.
    """
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]
    spec = importlib.util.spec_from_file_location(
        "emulator", _PACKAGE / "__init__.py", submodule_search_locations=[str(_PACKAGE)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["emulator"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    _make_emulator_importable()
    process = importlib.import_module("emulator.runtime.process")
    try:
        process.main(*map(int, sys.argv[1:]))
    except BaseException as error:
        print(f"the worker's event loop has ended: {type(error).__name__}: {error}", file=sys.__stderr__, flush=True)
    # Threads that the worker left behind must not keep the process.
    os._exit(1)
