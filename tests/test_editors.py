"""A stop in an editor, driven through the protocol that editors speak, as `emulator init` has configured it."""

import json
import re
import sys
import time

import pytest
from dap import Editor
from dev import PROJECT, Dev

from emulator.template import write

pytest.importorskip("debugpy")
pytestmark = pytest.mark.slow

WORKER = """
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

class Held(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("look", config={"timeout": "1 second", "retries": {"limit": 0, "delay": 0}})
        async def look():
            kept = 41
            return kept + 1
        return await look()

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/create"):
            await self.env.HELD.create(id="one")
        held = await self.env.HELD.get("one")
        return Response.json(await held.status())
"""

WORKFLOW = '[[workflows]]\nname = "held"\nbinding = "HELD"\nclass_name = "Held"\n'
STOP = WORKER.splitlines().index("            return kept + 1") + 1


@pytest.fixture
def configuration(tmp_path):
    """What F5 starts in a project that `emulator init` wrote, on a free port."""
    write(tmp_path / "made")
    text = (tmp_path / "made" / ".vscode" / "launch.json").read_text()
    first = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))["configurations"][0]
    environment = {**first["env"], "PYTHONPATH": str(PROJECT)}
    return {
        **first,
        "args": ["dev", "--port", "0"],
        "cwd": str(tmp_path),
        "env": environment,
        "python": [sys.executable],
    }


def test_an_editor_stops_inside_a_step(tmp_path, configuration):
    """
    A step that is held for longer than its time-out goes on; a save meanwhile waits, and nothing is said to block.
    """
    dev = Dev(tmp_path, code=WORKER, config=WORKFLOW)
    with Editor({tmp_path / "entry.py": [STOP]}) as editor:
        editor.launch(**configuration)
        worker = editor.follow()
        dev.port = int(re.search(r"Ready on http://127\.0\.0\.1:(\d+)", editor.main.see("Ready on"))[1])
        dev.later("GET", "/create")
        stopped = worker.event("stopped")
        threads = worker.request("threads")["threads"]
        began = time.monotonic()
        frame = worker.request("stackTrace", threadId=stopped["threadId"])["stackFrames"][0]
        scope = worker.request("scopes", frameId=frame["id"])["scopes"][0]
        seen = worker.request("variables", variablesReference=scope["variablesReference"])["variables"]
        time.sleep(1.4)
        dev.save("entry.py", WORKER + "# saved\n")
        editor.main.see("waits until the debugger lets go")
        held = time.monotonic() - began
        worker.request("continue", threadId=stopped["threadId"])
        editor.follow(2)
        status = dev.until("/status", lambda answer: answer.json["status"] != "running", 5).json
        said = editor.main.see("RELOAD entry.py                     ok")

    assert ["MainThread"] == [thread["name"] for thread in threads]
    assert ("look", STOP) == (frame["name"], frame["line"])
    assert "41" in [variable["value"] for variable in seen if variable["name"] == "kept"]
    assert held > 1
    assert ("complete", 42) == (status["status"], status["output"])
    assert "has blocked" not in said
