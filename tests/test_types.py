"""`emulator types`: the stub file that tells an editor what is in env."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import CONFIG, HELLO

from emulator import config as configs
from emulator.cli import group
from emulator.env_stub import stub
from emulator.errors import EmulatorError

EVERYTHING = f"""{CONFIG}
kv_namespaces = [{{ binding = "CACHE" }}]
services = [{{ binding = "STOCK", service = "stock" }}]

[vars]
GREETING = "hello"
LIMIT = 3
RATE = 0.5
OPEN = true
REGIONS = ["eu"]
ZONES = {{ eu = 1 }}
"with-hyphen" = "x"

[secrets]
required = ["API_KEY"]

[[workflows]]
name = "order"
binding = "ORDER"
class_name = "Order"

[[queues.producers]]
binding = "MAIL"
queue = "mail"

[assets]
directory = "public"
binding = "ASSETS"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "wrangler.toml").write_text(EVERYTHING)
    (tmp_path / "entry.py").write_text(HELLO)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return CliRunner().invoke(group, ["types", *words])


def annotations(text):
    """The names of class Env with their types."""
    (env,) = (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == "Env")
    return {each.target.id: ast.unparse(each.annotation) for each in env.body if isinstance(each, ast.AnnAssign)}


def test_each_name_has_its_type(project):
    """
    Bindings, variables and secrets are there, each with what it is.
    """
    text = stub(configs.load(project / "wrangler.toml"))

    assert {
        "ORDER": "WorkflowBinding",
        "MAIL": "QueueBinding",
        "STOCK": "ServiceBinding",
        "ASSETS": "AssetsBinding",
        "GREETING": "str",
        "LIMIT": "int",
        "RATE": "float",
        "OPEN": "bool",
        "REGIONS": "list[Any]",
        "ZONES": "dict[str, Any]",
        "API_KEY": "str",
        "CACHE": "Any",
    } == annotations(text)
    assert "# 'with-hyphen' cannot be written after a dot" in text


def test_an_empty_env_is_a_stub_too(tmp_path):
    """
    Without any binding the class is empty and the file is Python.
    """
    (tmp_path / "entry.py").touch()
    (tmp_path / "wrangler.toml").write_text(CONFIG)

    assert {} == annotations(stub(configs.load(tmp_path / "wrangler.toml")))


def test_it_is_written_once(project):
    """
    The second time there is nothing to do, until the config changes.
    """
    path = project / "worker_env.pyi"

    assert f"wrote {path}" in run().output
    assert f"{path} is up to date\n" == run().output
    assert 0 == run("--check").exit_code

    (project / "wrangler.toml").write_text(EVERYTHING.replace("GREETING", "WELCOME"))
    found = run("--check").exception

    assert isinstance(found, EmulatorError)
    assert "is not up to date; run `emulator types`" in str(found)
    assert "GREETING" in path.read_text()


def test_no_other_file_is_replaced(project):
    """
    A file that somebody else wrote stays as it is.
    """
    (project / "worker_env.pyi").write_text("mine = 1\n")

    assert "was not written by `emulator types`" in str(run().exception)
    assert "mine = 1\n" == (project / "worker_env.pyi").read_text()
    assert "wrote" in run("--output", "other.pyi").output


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mypy", path=str(Path(sys.executable).parent)) is None, reason="mypy is not there")
def test_a_type_checker_believes_it(project):
    """
    A strict check of a worker finds a wrong name, and nothing else.
    """
    run()
    (project / "entry.py").write_text(
        """from typing import TYPE_CHECKING

from workers import Response, WorkerEntrypoint

if TYPE_CHECKING:
    from worker_env import Env

class Default(WorkerEntrypoint):
    env: "Env"

    async def fetch(self, request: object) -> Response:
        order = await self.env.ORDER.create(params={"sku": self.env.GREETING.upper()})
        await self.env.MAIL.send({"id": order.id, "rate": self.env.RATE * self.env.LIMIT})
        await self.env.STOCK.reserve("tea")
        self.env.NOTHING
        return await self.env.ASSETS.fetch("http://assets/")
"""
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "entry.py"],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert 'entry.py:15: error: "Env" has no attribute "NOTHING"' in checked.stdout
    assert "Found 1 error in 1 file" in checked.stdout
