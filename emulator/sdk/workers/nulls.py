"""`json.dumps` writes `jsnull` as null, as Pyodide has it."""

from __future__ import annotations

import json
from typing import Any

from .proxy import JsNull

_default = json.JSONEncoder.default


def teach_json() -> None:
    """Let all encoders of this process know `jsnull`, but for those with a `default` of their own."""
    json.JSONEncoder.default = _null_or_default  # type: ignore[method-assign, assignment]


def _null_or_default(encoder: json.JSONEncoder, value: Any) -> Any:
    return None if isinstance(value, JsNull) else _default(encoder, value)
