# mypy: disable-error-code="import-not-found"
from typing import Any

from workers.asgi import App as App
from workers.asgi import Options as Options
from workers.asgi import entrypoint as entrypoint
from workers.asgi import fetch as fetch
from workers.asgi import request_to_scope as request_to_scope
from workers.asgi import run_in_background as run_in_background
from workers.asgi import websocket as websocket

env: Any
