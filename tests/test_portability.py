"""What `emulator check --production` finds: a table of lines that work here and not on the platform."""

import json

import pytest
from dev import command
from support import CONFIG

from emulator.portability import findings, handlers, native


def found(source, **options):
    return [(problem.line, problem.message.partition(":")[0]) for problem in findings(source, "entry.py", **options)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("import threading\nthreading.Thread(target=print)", [(2, "threading.Thread")], id="a thread"),
        pytest.param("from threading import Thread as T\nT()", [(2, "threading.Thread")], id="by another name"),
        pytest.param("import subprocess as s\ns.run(['ls'])", [(2, "subprocess.run")], id="a process"),
        pytest.param("import os\nos.execv('a', [])", [(2, "os.execv")], id="a family of functions"),
        pytest.param("import socket\nsocket.create_connection(x)", [(2, "socket.create_connection")], id="a socket"),
        pytest.param("import time\ndef f():\n    time.sleep(1)", [(3, "time.sleep")], id="a blocking sleep"),
        pytest.param("open('x.txt', 'w')", [(1, "open for writing")], id="a file written"),
        pytest.param("open('x.txt', mode='ab')", [(1, "open for writing")], id="a file appended to"),
        pytest.param("from pathlib import Path\nPath('x').write_text('')", [(2, "Path('x').write_text")], id="a path"),
        pytest.param("import tkinter", [(1, "the module tkinter is not there")], id="a module that is not there"),
        pytest.param("import random\nX = random.random()", [(2, "random.random")], id="entropy at import"),
        pytest.param("import uuid\nclass A:\n    id = uuid.uuid4()", [(3, "uuid.uuid4")], id="entropy in a class body"),
        pytest.param("import uuid\ndef f(id=uuid.uuid4()): pass", [(2, "uuid.uuid4")], id="entropy in a default"),
        pytest.param("import requests\nrequests.get('u')", [(2, "requests.get")], id="a request at import"),
    ],
)
def test_what_is_found(source, expected):
    """
    Each finding names its line and what it is about.
    """
    assert expected == found(source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("open('x.txt').read()", id="reading a bundled file"),
        pytest.param("import random\ndef f():\n    return random.random()", id="entropy in a handler"),
        pytest.param("import asyncio\nasync def f():\n    await asyncio.sleep(1)", id="an awaited sleep"),
        pytest.param("import threading\nlock = threading.Lock()", id="a lock"),
        pytest.param("if __name__ == '__main__':\n    input()", id="what only runs as a script"),
    ],
)
def test_what_is_not(source):
    """
    What works on the platform is not complained about.
    """
    assert [] == found(source)


def test_sockets_came_with_a_date():
    """
    From the date on that brings them, sockets are no finding.
    """
    assert [] == found("import socket\nsocket.socket()", has_sockets=True)


def test_files_that_are_not_bundled():
    """
    A text that names a file of the project is a finding when files of that kind stay behind.
    """
    source = 'a = read("data.json")\nb = read("page.html")\nc = "no-file.json"'

    assert [(1, '"data.json" is not bundled')] == found(source, is_file={"data.json", "page.html"}.__contains__)


@pytest.mark.parametrize(
    ("source", "classes_only", "expected"),
    [
        pytest.param("def on_fetch(r, e, c): pass", True, ["on_fetch"], id="an old handler at a new date"),
        pytest.param("def on_fetch(r, e, c): pass", False, [], id="at an old date"),
        pytest.param("async def queue(b, e, c): pass", False, ["queue"], id="a name that was never called"),
        pytest.param("class Default: pass\ndef fetch(): pass", True, [], id="a function beside the class"),
        pytest.param("Default = entrypoint(app)\ndef fetch(): pass", True, [], id="a class that was made"),
    ],
)
def test_module_level_handlers(source, classes_only, expected):
    """
    The platform calls a class; functions only at older dates, and only by their older names.
    """
    problems = handlers(source, "entry.py", classes_only=classes_only)

    assert expected == [problem.message.partition(" ")[0] for problem in problems]


def test_native_packages():
    """
    A package with compiled parts is a finding unless the platform carries it.
    """
    problems = list(native({"numpy": "/x/numpy/core.so", "uvloop": "/x/uvloop/loop.so"}))

    assert ["uvloop"] == [problem.message.partition(" ")[0] for problem in problems]


@pytest.mark.slow
def test_the_command(tmp_path):
    """
    `emulator check --production` reads what the worker imports, and warns without failing.
    """
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "data.json").write_text("{}")
    (tmp_path / "unused.py").write_text("import tkinter")
    (tmp_path / "helper.py").write_text("import time\n\n\ndef wait():\n    time.sleep(1)\n")
    (tmp_path / "entry.py").write_text(
        "import helper\nfrom pathlib import Path\nfrom workers import Response, WorkerEntrypoint\n\n"
        "class Default(WorkerEntrypoint):\n    def fetch(self):\n"
        "        return Response(Path('data.json').read_text())\n"
    )
    code, out, _ = command(tmp_path, "check", "--production", "--json")
    told = json.loads(out)

    assert (0, True, []) == (code, told["ok"], told["errors"])
    assert {("helper.py", 5), ("entry.py", 7)} == {(each["path"], each["line"]) for each in told["warnings"]}

    _, out, _ = command(tmp_path, "check", "--json")

    assert [] == json.loads(out)["warnings"]
