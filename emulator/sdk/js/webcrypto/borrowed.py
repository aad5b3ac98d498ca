"""The package cryptography, for what the standard library has not: imported when it is first called for."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def borrowed(name: str) -> Any:
    """The module `cryptography.<name>`. Raises ModuleNotFoundError with what to install, and where."""
    try:
        importlib.import_module("cryptography")
    except ModuleNotFoundError:
        text = (
            "this part of crypto.subtle needs the package cryptography in the worker's own Python:"
            f" {sys.executable} -m pip install cryptography; HMAC, PBKDF2, HKDF and digests work without it"
        )
        raise ModuleNotFoundError(text, name="cryptography") from None
    return importlib.import_module(f"cryptography.{name}")
