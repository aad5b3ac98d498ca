"""The fixtures that several files begin with."""

import pytest
from api import CODE, FLOW, INSTANCES, Api
from modes import MODES, PARKED, cut, limits
from support import Emulated

from emulator.cli import main


def pytest_addoption(parser):
    parser.addoption("--passes", choices=MODES, default=PARKED, help="how passes of workflow instances are held")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--passes") != PARKED:
        for item in items:
            if item.get_closest_marker("parked"):
                item.add_marker(pytest.mark.skip("it is about what a parked pass has in memory"))


@pytest.fixture
async def emu(tmp_path, request, monkeypatch):
    mode = request.config.getoption("--passes")
    if mode == "cut":
        cut(monkeypatch)
    emulated = Emulated(tmp_path, limits=limits(mode))
    yield emulated
    await emulated.stop()


@pytest.fixture
async def emu_processes(tmp_path):
    emulated = Emulated(tmp_path, processes=True)
    yield emulated
    await emulated.stop()


@pytest.fixture
async def api(emu):
    """A client of the API behind the guard, where one instance waits."""
    await emu.start(CODE, config=FLOW)
    api = Api(emu, guarded=True)
    await api.result("POST", INSTANCES, {"instance_id": "one"})
    await emu.settle()
    return api


@pytest.fixture
def run(monkeypatch, capsys):
    """A command in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["emulator", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
