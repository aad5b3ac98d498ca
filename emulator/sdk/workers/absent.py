"""What a module says of a name that it has not."""

from __future__ import annotations

import sys


def absent(name: str, text: str) -> Exception:
    """
    The error for `__getattr__` of a module to raise.

    `from module import name` asks with hasattr() first: only there can an ImportError carry the text.
    """
    if not name.startswith("__") and sys._getframe(2).f_code.co_name == "_handle_fromlist":
        return ImportError(text, name=name)
    return AttributeError(text, name=name)
