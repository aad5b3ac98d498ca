"""Is told what happened in another worker."""

import json
from typing import Any

from workers import WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def tail(self, events: list[Any], env: Any, ctx: Any) -> None:
        for event in events:
            logs = [[log.level, *log.message] for log in event.logs]
            told = event.event
            if "request" in told:
                told = [told.request.method, told.request.url, told.get("response", {}).get("status")]
            raised = [error.message.strip().splitlines()[-1] for error in event.exceptions]
            print(json.dumps([event.scriptName, event.outcome, told, logs, raised]))
