from typing import Any

from emulator.sdk.workers.asgi import App as App
from emulator.sdk.workers.asgi import Options as Options
from emulator.sdk.workers.asgi import entrypoint as entrypoint
from emulator.sdk.workers.asgi import fetch as fetch
from emulator.sdk.workers.asgi import request_to_scope as request_to_scope
from emulator.sdk.workers.asgi import run_in_background as run_in_background
from emulator.sdk.workers.asgi import websocket as websocket

env: Any
