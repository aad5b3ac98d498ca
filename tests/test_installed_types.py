"""What a type checker finds in an environment that the emulator is installed in."""

import subprocess
import sys
import venv
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

from emulator.runtime.loader import _ALIASES
from emulator.template import write

builders = pytest.importorskip("hatchling.builders.wheel")
pytest.importorskip("mypy")
pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parent.parent
STUBS = PROJECT / "emulator" / "stubs"
MODULES = sorted(
    ".".join(stub.relative_to(STUBS).with_suffix("").parts).replace("-stubs", "").removesuffix(".__init__")
    for stub in STUBS.rglob("*.pyi")
)


class Installed:
    """An environment of its own with the wheel unpacked in it, as pip does."""

    def __init__(self, folder):
        venv.create(folder, symlinks=True)
        self.python = next(path for path in folder.glob("*/python*") if path.stem == "python")
        self._cache = folder / "cache"
        self.site = Path(self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
        wheel = next(builders.WheelBuilder(str(PROJECT)).build(directory=str(folder), versions=["standard"]))
        zipfile.ZipFile(wheel).extractall(self.site)

    def run(self, *words):
        return subprocess.run([self.python, *words], capture_output=True, text=True, timeout=60)

    def check(self, folder, file):
        """What a strict mypy says of a file there."""
        command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", self._cache]
        asked = [*command, "--python-executable", self.python, file]
        return subprocess.run(asked, cwd=folder, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("installed"))


def public(module):
    """The names that a module is there for: what it exports, or else what it defines."""
    loaded = import_module(f"emulator.sdk.{module}")
    defined = [name for name, value in vars(loaded).items() if getattr(value, "__module__", "") == loaded.__name__]
    return [name for name in getattr(loaded, "__all__", defined) if not name.startswith("_")]


def test_each_module_that_stands_for_the_platforms_has_types():
    """
    There is a stub-only package for each name that the loader answers, and it leaves room for a real one's modules.
    """
    assert set(_ALIASES) == {folder.name.removesuffix("-stubs") for folder in STUBS.iterdir()}
    assert {"partial\n"} == {(STUBS / f"{name}-stubs" / "py.typed").read_text() for name in _ALIASES}


def test_every_public_name_has_its_type(installed, tmp_path):
    """
    All that can be imported when the worker runs can be when it is checked.
    """
    names = {module: [*public(module)] for module in MODULES} | {"js": dir(import_module("emulator.sdk.js"))}
    lines = [
        f"from {module} import {name} as {module.replace('.', '_')}_{name}\n"
        for module in names
        for name in names[module]
    ]
    (tmp_path / "entry.py").write_text("".join(lines))

    assert len(lines) > 150
    assert "Success: no issues found in 1 source file\n" == installed.check(tmp_path, "entry.py")


def test_a_misspelt_name_is_found(installed, tmp_path):
    """
    The types are those of the classes, and a module or a name that there is not is an error.
    """
    lines = [
        "import js.arrays",
        "from workers import Answer",
        "from workers.workflows import WorkflowSteps",
        "from workers import Response",
        "reveal_type(Response.json(1).status)",
    ]
    (tmp_path / "entry.py").write_text("\n".join(lines))
    said = installed.check(tmp_path, "entry.py")

    assert 'entry.py:1: error: Cannot find implementation or library stub for module named "js.arrays"' in said
    assert 'entry.py:2: error: Module "workers" has no attribute "Answer"' in said
    assert 'entry.py:3: error: Module "workers.workflows" has no attribute "WorkflowSteps"' in said
    assert 'entry.py:5: note: Revealed type is "int"' in said


def test_the_project_of_init_is_believed(installed, tmp_path):
    """
    What `emulator init` writes passes a strict check as it is.
    """
    write(tmp_path / "shop")

    assert "Success: no issues found in 1 source file\n" == installed.check(tmp_path / "shop", "src/entry.py")


def test_the_modules_of_a_real_package_stay_in_sight(tmp_path):
    """
    Where the platform's own `workers` is installed as well, a module that only it has keeps its types.
    """
    installed = Installed(tmp_path / "installed")
    real = installed.site / "workers"
    real.mkdir()
    for name, text in (("__init__.py", ""), ("py.typed", ""), ("extra.py", "limit: int = 3\n")):
        (real / name).write_text(text)
    (tmp_path / "entry.py").write_text("from workers import Response\nfrom workers.extra import limit\n")

    assert "Success: no issues found in 1 source file\n" == installed.check(tmp_path, "entry.py")


@pytest.mark.parametrize("name", _ALIASES)
def test_nothing_is_imported_from_them(installed, name):
    """
    Where no worker is loaded, Python finds no module of the platform's: the stubs are for checkers alone.
    """
    said = installed.run("-c", f"import emulator, {name}").stderr

    assert f"ModuleNotFoundError: No module named '{name}'" in said
