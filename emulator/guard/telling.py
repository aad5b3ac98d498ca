"""How the guard refuses those who speak the platform's API: numbers and names that its clients know. Pure."""

from __future__ import annotations

from typing import Any

NO_TOKEN = (401, 10000, "Authentication error")
FOREIGN = (403, 10000, "Authentication error")
TOO_OFTEN = (429, 971, "Please wait and consider throttling your request speed")
MALFORMED = (10002, "workflows.api.error.body")


def envelope(code: int, name: str, why: str) -> dict[str, Any]:
    """The envelope of one error."""
    error = {"code": code, "message": name, "error_chain": [{"code": code, "message": why}]}
    return {"success": False, "errors": [error], "messages": [], "result": None}
