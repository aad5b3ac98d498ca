"""Names that third-party packages import from here."""

from typing import Any

from .later import part


def _to_js_headers(headers: Any) -> Any:
    """A `js.Headers` of a dict or pairs."""
    return part("js.headers").Headers.new(headers)
