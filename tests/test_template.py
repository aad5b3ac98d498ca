"""`emulator init`: what it writes, and what it leaves alone."""

import ast
import importlib.util
import json
import re
import subprocess
import tomllib
from pathlib import Path
from shutil import which
from xml.etree import ElementTree

import pytest

from emulator.cli import group
from emulator.errors import EmulatorError
from emulator.template import worker_name, write


def test_a_project_is_written_and_its_parts_fit(tmp_path):
    """
    The config names the folder, an entry file that is there, and a workflow class that it defines.
    """
    written = write(tmp_path / "Tea House")
    config = tomllib.loads((tmp_path / "Tea House" / "wrangler.toml").read_text())
    code = ast.parse((tmp_path / "Tea House" / config["main"]).read_text())
    classes = {node.name for node in code.body if isinstance(node, ast.ClassDef)}
    files = [path.relative_to(tmp_path / "Tea House").as_posix() for path in written]

    assert ["wrangler.toml", "src/entry.py", ".gitignore"] == files[:3]
    assert ["pyrightconfig.json", ".vscode/launch.json", ".run/emulator dev.run.xml"] == files[3:]
    assert "tea-house" == config["name"]
    assert {"Default", *(each["class_name"] for each in config["workflows"])} == classes


def test_nothing_is_replaced(tmp_path):
    """
    A folder that holds one of the files is left as it is.
    """
    (tmp_path / ".gitignore").write_text("mine")

    with pytest.raises(EmulatorError, match=r"\.gitignore exists already"):
        write(tmp_path)

    assert [tmp_path / ".gitignore"] == list(tmp_path.iterdir())


@pytest.mark.skipif(which("git") is None, reason="asks git")
@pytest.mark.parametrize(
    ("name", "is_ignored"),
    [
        *((name, True) for name in (".env", ".env.local", ".env.staging", ".dev.vars", ".dev.vars.staging")),
        *((name, True) for name in ("sub/.env.production.local", ".emulator/state.db", ".venv/pyvenv.cfg")),
        *((name, False) for name in (".env.example", ".dev.vars.example", "src/entry.py", "wrangler.toml")),
    ],
)
def test_secrets_stay_out_of_git_and_their_examples_do_not(tmp_path, name, is_ignored):
    """
    Every file that secrets are read from is ignored; the examples that people copy are shared.
    """
    write(tmp_path / "shop")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path / "shop", check=True)
    asked = subprocess.run(["git", "check-ignore", "-q", name], cwd=tmp_path / "shop", check=False)

    assert is_ignored is (asked.returncode == 0)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    """
    A file in the way is named.
    """
    (tmp_path / "file").write_text("")

    with pytest.raises(EmulatorError, match="file"):
        write(tmp_path / "file" / "worker")


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("shop", "shop"),
        ("My Shop_2", "my-shop-2"),
        ("--", "my-worker"),
        ("été", "t"),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_worker_is_named_after_its_folder(folder, name):
    """
    The name is one that the platform takes.
    """
    assert name == worker_name(Path(folder))


@pytest.fixture
def made(tmp_path):
    write(tmp_path)
    return tmp_path


def launches(folder):
    """What VS Code offers, by name; it takes comments."""
    text = (folder / ".vscode" / "launch.json").read_text()
    return {
        each["name"]: each for each in json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))["configurations"]
    }


def understood(arguments):
    """The values that `emulator …` would take from a command line; raises where it has no such option."""
    name, *rest = arguments
    return group.commands[name].make_context(name, rest).params


def test_vs_code_starts_and_follows_the_worker(made):
    """
    What F5 starts is a command that there is, on a terminal, and the debugger follows into the worker's process.
    """
    found = launches(made)["emulator dev"]

    assert importlib.util.find_spec(found["module"])
    assert 8787 == understood(found["args"])["port"]
    assert ("debugpy", "launch", "integratedTerminal") == (found["type"], found["request"], found["console"])
    assert found["subProcess"]


def test_vs_code_attaches_to_what_its_comment_starts(made):
    """
    The port in the comment is the one that is attached to.
    """
    listening = re.search(r"--listen (\d+) -m emulator dev", (made / ".vscode" / "launch.json").read_text())
    found = launches(made)["attach to emulator dev"]

    assert int(listening[1]) == found["connect"]["port"]
    assert found["subProcess"]


def test_pycharm_starts_the_same(made):
    """
    PyCharm reads a module and its parameters from the file; they are those of VS Code.
    """
    (found,) = ElementTree.parse(made / ".run" / "emulator dev.run.xml").getroot()
    options = {option.get("name"): option.get("value") for option in found.iter("option")}
    code = launches(made)["emulator dev"]

    assert ("emulator dev", "PythonConfigurationType") == (found.get("name"), found.get("type"))
    assert ("true", code["module"]) == (options["MODULE_MODE"], options["SCRIPT_NAME"])
    assert code["args"] == options["PARAMETERS"].split()
    assert "$PROJECT_DIR$" == options["WORKING_DIRECTORY"]


async def test_the_written_project_runs(emu):
    """
    The template's worker answers, its workflow finishes, its cron prints.
    """
    write(emu.folder / "made")
    emu.config = (emu.folder / "made" / "wrangler.toml").read_text()
    emu.save("wrangler.toml", emu.config)
    emu.save("src/entry.py", (emu.folder / "made" / "src" / "entry.py").read_text())
    await emu.start()

    made = (await emu.get("/")).json

    assert f"/?id={made['id']}" == made["see"]

    await emu.advance(seconds=6)

    assert "Hello, world. And goodbye." == (await emu.get(made["see"])).json["output"]
    assert "ok" == await emu.tick("0 * * * *")
    assert "Hello, it is time for 0 * * * *" in emu.lines
