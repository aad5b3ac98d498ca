"""What `emulator check --production` finds: a table of lines that work here and not on the platform."""

import functools
import json
from pathlib import Path

import pytest
from dev import command
from support import CONFIG

from emulator import config, leftovers
from emulator.portability import findings, handlers, native


def found(source, **options):
    return [(problem.line, problem.message.partition(":")[0]) for problem in findings(source, "entry.py", **options)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # threads
        pytest.param("import threading\nthreading.Thread(target=print)", [(2, "threading.Thread")], id="a thread"),
        pytest.param("from threading import Thread as T\nT()", [(2, "threading.Thread")], id="by another name"),
        pytest.param(
            "import threading\nclass T(threading.Thread): pass", [(2, "threading.Thread")], id="a class of it"
        ),
        pytest.param(
            "from concurrent import futures\nfutures.ThreadPoolExecutor()",
            [(2, "concurrent.futures.ThreadPoolExecutor")],
            id="a pool of threads",
        ),
        pytest.param("def f(): loop.run_in_executor(None, g)", [(1, "loop.run_in_executor")], id="the loop's threads"),
        # subprocesses
        pytest.param("import subprocess as s\ns.run(['ls'])", [(2, "subprocess.run")], id="a process"),
        pytest.param("import os\nos.execv('a', [])", [(2, "os.execv")], id="a family of functions"),
        pytest.param("import multiprocessing as m\nm.Pool()", [(2, "multiprocessing.Pool")], id="a pool of processes"),
        pytest.param(
            "import asyncio\nasync def f(): await asyncio.create_subprocess_shell('ls')",
            [(2, "asyncio.create_subprocess_shell")],
            id="an awaited process",
        ),
        # sockets
        pytest.param("import socket\nsocket.create_connection(x)", [(2, "socket.create_connection")], id="a socket"),
        pytest.param("import smtplib\nsmtplib.SMTP('h')", [(2, "smtplib.SMTP")], id="a protocol over one"),
        pytest.param("import asyncpg\ndef f(): asyncpg.connect()", [(2, "asyncpg.connect")], id="a database's driver"),
        pytest.param(
            "from urllib.request import urlopen\ndef f(): urlopen('u')", [(2, "urllib.request.urlopen")], id="urllib"
        ),
        # blocking sleeps
        pytest.param("import time\ndef f():\n    time.sleep(1)", [(3, "time.sleep")], id="a blocking sleep"),
        pytest.param("from time import sleep\ndef f(): sleep(1)", [(2, "time.sleep")], id="one by its name alone"),
        # file writes
        pytest.param("open('x.txt', 'w')", [(1, "open for writing")], id="a file written"),
        pytest.param("open('x.txt', mode='ab')", [(1, "open for writing")], id="a file appended to"),
        pytest.param("import gzip\ngzip.open('x.gz', 'wb')", [(2, "gzip.open for writing")], id="a packed file"),
        pytest.param("from pathlib import Path\nPath('x').write_text('')", [(2, "Path('x').write_text")], id="a path"),
        pytest.param("def f(path): path.open('w')", [(1, "path.open for writing")], id="a path that is opened"),
        pytest.param("import shutil\nshutil.rmtree('x')", [(2, "shutil.rmtree")], id="a folder removed"),
        pytest.param("import sqlite3\nsqlite3.connect('x.db')", [(2, "sqlite3.connect")], id="a database in a file"),
        pytest.param("import logging\nlogging.FileHandler('x')", [(2, "logging.FileHandler")], id="a log in a file"),
        # modules that are not there
        pytest.param("import tkinter", [(1, "the module tkinter is not there")], id="a module that is not there"),
        pytest.param("def f():\n    import fcntl", [(2, "the module fcntl is not there")], id="one imported late"),
        # entropy and input and output while the module is imported
        pytest.param("import random\nX = random.random()", [(2, "random.random")], id="entropy at import"),
        pytest.param("import random\nX = random.Random()", [(2, "random.Random")], id="a generator without a seed"),
        pytest.param("import os\nX = os.urandom(8)", [(2, "os.urandom")], id="the system's entropy"),
        pytest.param(
            "from js import crypto\nX = crypto.randomUUID()", [(2, "js.crypto.randomUUID")], id="JavaScript's"
        ),
        pytest.param("import uuid\nclass A:\n    id = uuid.uuid4()", [(3, "uuid.uuid4")], id="entropy in a class body"),
        pytest.param("import uuid\ndef f(id=uuid.uuid4()): pass", [(2, "uuid.uuid4")], id="entropy in a default"),
        pytest.param("import uuid\n@g(uuid.uuid4())\ndef f(): pass", [(2, "uuid.uuid4")], id="entropy in a decorator"),
        pytest.param(
            "import secrets\ndef f(): return secrets.token_hex()\ndef g(): return f()\nKEY = g()",
            [(2, "secrets.token_hex")],
            id="entropy in a function that the import calls",
        ),
        pytest.param("import requests\nrequests.get('u')", [(2, "requests.get")], id="a request at import"),
        pytest.param("from workers import fetch\nX = fetch('u')", [(2, "workers.fetch")], id="a fetch at import"),
        pytest.param("import asyncio\nasyncio.run(f())", [(2, "asyncio.run")], id="a wait at import"),
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
        pytest.param("def f(socket): socket.send('x')", id="a variable called like a module"),
        pytest.param("import random\ndef f():\n    return random.random()", id="entropy in a handler"),
        pytest.param("import random\nX = random.Random(7)", id="a generator with a seed"),
        pytest.param("import asyncio\nasync def f():\n    await asyncio.sleep(1)", id="an awaited sleep"),
        pytest.param("import threading\nlock = threading.Lock()", id="a lock"),
        pytest.param("import httpx\nclient = httpx.AsyncClient()", id="a client that is only made"),
        pytest.param("import sqlite3\nsqlite3.connect(':memory:')", id="a database in memory"),
        pytest.param("def f(archive): archive.open('wxa.txt')", id="a member of an archive"),
        pytest.param("if __name__ == '__main__':\n    input()", id="what only runs as a script"),
        pytest.param("import sys\nif sys.platform != 'emscripten':\n    import fcntl", id="what only runs elsewhere"),
        pytest.param("import sys\nif 'pyodide' not in sys.modules:\n    input()", id="asked in another way"),
        pytest.param("import sys\nif sys.platform == 'emscripten': pass\nelse: input()", id="the other branch"),
        pytest.param("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None", id="a module one can do without"),
        pytest.param("import uuid\nasync def f(): uuid.uuid4()\nf()", id="a coroutine that nobody awaits"),
        pytest.param(
            "import uuid\ndef make(): pass\nmake()\nclass A:\n    def make(self): uuid.uuid4()",
            id="a method called like a function that the import calls",
        ),
        pytest.param(
            "import sys, uuid\ndef f(): uuid.uuid4()\nif 'pyodide' in sys.modules: pass\nelse: f()",
            id="a function that is called elsewhere",
        ),
        pytest.param("from .files import open\nopen('x.txt', 'w')", id="a function of the worker's own"),
        pytest.param("from . import os\nos.kill(1)", id="a module of the worker's own"),
    ],
)
def test_what_is_not(source):
    """
    What works on the platform is not complained about.
    """
    assert [] == found(source)


def test_what_runs_in_the_other_branch():
    """
    Where a condition is known, the branch that runs there is read.
    """
    source = "import sys\nif sys.platform != 'emscripten':\n    input()\nelse:\n    import fcntl"

    assert [(5, "the module fcntl is not there")] == found(source)


def test_sockets_came_with_a_date():
    """
    From the date on that brings them, sockets are no finding.
    """
    assert [] == found("import socket\nsocket.socket()", has_sockets=True)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("read('data.json')", "data.json"),
        ("open(Path(__file__).parent / 'data' / 'a.json')", "data/a.json"),
        ("Path('data') / 'a.json'", "data/a.json"),
        ("HERE.joinpath('data', 'a.json')", "data/a.json"),
        ("os.path.join(here, 'data', 'a.json')", "data/a.json"),
        ("StaticFiles(directory='static')", "static"),
        ("StaticFiles(directory=Path(__file__).parent / 'static')", "static"),
        ("FileSystemLoader('templates')", "templates"),
    ],
)
def test_files_that_are_not_bundled(source, name):
    """
    Whatever way a path is written, it is asked whether what it names stays behind.
    """
    (problem,) = findings(source, "entry.py", left_behind={name: "for a reason"}.get)

    assert (1, f'"{name}" is not bundled: for a reason') == (problem.line, problem.message)


def test_texts_that_name_nothing():
    """
    Folders are asked about only where one is read, long texts and texts of several lines never.
    """
    asked = []
    source = f"a = 'static'\nb = 'x.{'y' * 300}'\nc = 'x.y\\nz'\nd = 1 / 2\ne = ', '.join(['a'])"

    assert [] == findings(source, "entry.py", left_behind=asked.append)
    assert [] == asked


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


@pytest.fixture
def project(tmp_path):
    """A worker in src, with files of several kinds beside it."""
    for name in ("entry.py", "page.html", "data.json", "static/a.css", "static/b.css", "static/c.txt", "notes/n.txt"):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "outside.txt").write_text("")
    return tmp_path


def loaded(folder, more=""):
    (folder / "wrangler.toml").write_text(CONFIG.replace('"entry.py"', '"src/entry.py"') + more)
    return config.load(folder / "wrangler.toml")


RULE = '[[rules]]\ntype = "Text"\nglobs = ["**/*.json", "**/*.css"]\n'


@pytest.mark.parametrize(
    ("name", "more", "expected"),
    [
        pytest.param("page.html", "", None, id="a file the platform takes"),
        pytest.param("data.json", "", "only **/*.py, **/*.txt,", id="one it does not"),
        pytest.param("data.json", RULE, None, id="one that a rule takes"),
        pytest.param("page.html", RULE, "lacks fallthrough = true", id="one that the rule drives out"),
        pytest.param("page.html", RULE + "fallthrough = true\n", None, id="unless it falls through"),
        pytest.param("nothing.json", "", None, id="no file"),
        pytest.param("static", "", "a.css and 1 more in it: of the files", id="a folder"),
        pytest.param("static", RULE + "fallthrough = true\n", None, id="a folder that a rule takes"),
        pytest.param("static", '[assets]\ndirectory = "src/static"\n', None, id="the folder of assets"),
        pytest.param("notes", "", None, id="a folder of texts"),
        pytest.param("../outside.txt", "", "does not lie in src", id="a file elsewhere"),
        pytest.param(".", "", None, id="the folder itself"),
        pytest.param("/", "", None, id="a route"),
    ],
)
def test_which_files_stay_behind(project, name, more, expected):
    """
    The rules of the config decide, and the reason says what to change.
    """
    why = leftovers.left_behind(loaded(project, more), project / "src", name)

    assert why is None if expected is None else expected in why


def test_modules_that_stay_behind(project):
    """
    A module elsewhere, or any but the main one if the config says so, is a finding.
    """
    files = (project / "src" / "entry.py", project / "src" / "helper.py", project / "outside.py")

    assert ["outside.py"] == [problem.file for problem in leftovers.modules(loaded(project), files)]

    alone = loaded(project, "find_additional_modules = false\n")

    assert ["src/helper.py", "outside.py"] == [problem.file for problem in leftovers.modules(alone, files)]


def test_what_must_not_lie_beside_the_main_module(project):
    """
    Packages for the platform lie beside the config, an environment and node's packages anywhere else.
    """
    for name in ("python_modules/x.py", "node_modules/x.js", ".venv/pyvenv.cfg"):
        path = project / "src" / name
        path.parent.mkdir()
        path.touch()
    texts = [problem.message for problem in leftovers.module_root(loaded(project))]

    assert ["src/python_modules", "all modules", "all modules"] == [text[: text.find(" ", 4)] for text in texts]
    assert "src/.venv" in texts[1]
    assert "src/node_modules" in texts[2]


TREE = Path(__file__).parent.parent
PORTABLE = [
    TREE,
    TREE / "emulator" / "template",
    *sorted(
        path.parent for path in (TREE / "tests" / "workers").rglob("wrangler.toml") if path.parent.name != "hostile"
    ),
]


@pytest.mark.parametrize("folder", PORTABLE, ids=lambda folder: "sample_worker" if folder == TREE else folder.name)
def test_no_false_alarm(folder):
    """
    Workers that run there as they run here have no finding.
    """
    found = config.load(folder / "wrangler.toml")
    problems = list(leftovers.module_root(found))
    for file in sorted(found.module_root.rglob("*.py")):
        left_behind = functools.partial(leftovers.left_behind, found, file.parent)
        problems += findings(file.read_text(), file.name, left_behind=left_behind)

    assert [] == list(map(str, problems))


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


@pytest.mark.slow
@pytest.mark.parametrize("folder", [TREE, TREE / "emulator" / "template"], ids=["sample_worker", "template"])
def test_the_command_has_no_false_alarm(folder):
    """
    The sample and the template pass as they are, also where the emulator lies in the same folder.
    """
    _, out, _ = command(folder, "check", "--production", "--json")

    assert [] == json.loads(out)["warnings"]
