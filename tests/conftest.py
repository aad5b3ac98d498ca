"""The fixture most tests begin with."""

import pytest
from support import Emulated


@pytest.fixture
async def emu(tmp_path):
    emulated = Emulated(tmp_path)
    yield emulated
    await emulated.stop()


@pytest.fixture
async def emu_processes(tmp_path):
    emulated = Emulated(tmp_path, processes=True)
    yield emulated
    await emulated.stop()
