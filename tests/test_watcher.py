"""What makes a reload and what does not: bursts, ways to save, links, folders that go and come, no more watches."""

import asyncio
import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest
from support import HELLO

from emulator import watch as watching
from emulator.watch import watch

pytestmark = pytest.mark.slow


class Watched:
    """A folder that is watched, with the reloads counted."""

    def __init__(self, root):
        self.root = root
        self.entry = root / "entry.py"
        self.config = root.parent / "wrangler.toml"
        self.loaded = []
        self.saved = []
        self._news = asyncio.Event()

    @property
    def reloads(self):
        return len(self.loaded)

    async def reload(self, saved):
        self.saved.append({Path(path).name for path in saved})
        self.loaded.append(self.entry.read_text() if self.entry.exists() else None)
        self._news.set()

    async def until(self, reloads, seconds=5):
        """Return when there were so many reloads."""
        async with asyncio.timeout(seconds):
            while self.reloads < reloads:
                self._news.clear()
                await self._news.wait()

    async def quiet(self, seconds=0.3):
        """Wait for what must not come; returns the number of reloads."""
        await asyncio.sleep(seconds)
        return self.reloads


@contextlib.asynccontextmanager
async def watched(root, since=None):
    found = Watched(root)
    since = time.time() if since is None else since
    task = asyncio.create_task(
        watch(lambda: [root], lambda: [found.config], lambda saved: found.reload(saved), since=since)
    )
    # The watch is set up in a thread, which nobody is told of.
    await asyncio.sleep(0.1)
    try:
        yield found
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def source(tmp_path):
    root = tmp_path / "src"
    root.mkdir()
    (root / "entry.py").write_text(HELLO)
    (tmp_path / "wrangler.toml").write_text("")
    await asyncio.sleep(0.05)
    async with watched(root) as found:
        yield found


async def test_a_save_is_a_reload_at_once(source):
    """
    One save, one reload, a few milliseconds later.
    """
    began = time.monotonic()
    source.entry.write_text("1")
    await source.until(1)

    assert time.monotonic() - began < 0.1
    assert 1 == await source.quiet()


async def test_half_a_save_is_not_loaded(source):
    """
    A file that is emptied first and written a moment later is loaded once, with what was written.
    """
    source.entry.write_text("")
    await asyncio.sleep(0.03)

    assert 0 == source.reloads

    source.entry.write_text("whole")
    await source.until(1)

    assert ["whole"] == source.loaded


async def test_a_reload_is_told_what_was_saved(source):
    """
    Only what counts: no other file of the same burst, and no folder.
    """
    (source.root / "notes.md").write_text("")
    (source.root / "other.py").write_text("1")
    await source.until(1)

    assert [{"other.py"}] == source.saved


async def test_a_reload_that_begins_anew_is_told_of_all(source):
    """
    A save while another is being loaded: the reload that is seen to its end is of both.
    """
    stuck, usual = asyncio.Event(), source.reload

    async def slow(saved):
        await usual(saved)
        if len(source.saved) == 1:
            await stuck.wait()

    source.reload = slow
    source.entry.write_text("1")
    await source.until(1)
    (source.root / "other.py").write_text("1")
    await source.until(2)
    source.entry.write_text("2")
    await source.until(3)

    assert [{"entry.py"}, {"entry.py", "other.py"}, {"entry.py"}] == source.saved


async def test_half_a_save_is_not_loaded_with_another(source):
    """
    A second file that is saved meanwhile does not make half of the first one load.
    """
    source.entry.write_text("")
    await asyncio.sleep(0.02)
    (source.root / "other.py").write_text("other")
    await asyncio.sleep(0.03)
    source.entry.write_text("whole")
    await source.until(1)

    assert "whole" == source.loaded[0]


async def test_a_file_that_is_meant_to_be_empty_is_loaded(source):
    """
    What stays empty was saved so.
    """
    source.entry.write_text("")
    await source.until(1, 1)

    assert [""] == source.loaded


async def test_ten_thousand_files_are_few_reloads(source):
    """
    A burst is loaded at its beginning and at its end, and at most ten times a second between.
    """
    began = time.monotonic()
    for number in range(10_000):
        (source.root / f"module{number % 500}.py").write_text(str(number))
        if number % 100 == 0:
            await asyncio.sleep(0)
    took = time.monotonic() - began
    await source.until(1)

    assert await source.quiet(0.5) <= 3 + took / 0.1


async def test_the_end_of_a_burst_is_loaded(source):
    """
    What is saved while the first save is being loaded, or right after it, is not forgotten.
    """
    for _ in range(3):
        source.entry.write_text(f"{time.time()}")
        await asyncio.sleep(0.02)
    await source.until(2)

    assert 2 == await source.quiet()


@pytest.mark.parametrize(
    "save",
    [
        pytest.param(lambda path: path.write_text("2"), id="in place"),
        pytest.param(lambda path: path.with_suffix(".tmp").rename(path), id="a rename over it"),
        pytest.param(
            lambda path: (path.rename(f"{path}~"), path.write_text("2")), id="the old one moved away, a new one written"
        ),
        pytest.param(lambda path: (path.unlink(), path.write_text("2")), id="deleted and written"),
        pytest.param(lambda path: os.utime(path), id="touched"),
    ],
)
async def test_each_way_to_save(source, save):
    """
    However an editor saves, it is a reload.
    """
    source.entry.with_suffix(".tmp").write_text("2")

    assert 0 == await source.quiet(0.1)

    save(source.entry)
    await source.until(1)


@pytest.mark.parametrize(
    "name",
    [".entry.py.swp", ".entry.py.swx", "4913", "entry.py~", ".#entry.py", "#entry.py#", "entry.py.tmp", "notes.md"],
)
async def test_what_editors_leave_beside_it(source, name):
    """
    Swap files, backups and what is no code are no reload.
    """
    (source.root / name).write_text("x")
    (source.root / name).unlink()

    assert 0 == await source.quiet()


async def test_the_state_within_the_source(tmp_path, emu):
    """
    A state folder in the middle of the watched code causes no reload, however much is written there.
    """
    emu.options["persist_to"] = emu.folder / "state"
    await emu.start(HELLO)
    await asyncio.sleep(0.05)
    async with watched(emu.folder) as source:
        store = emu.emulator.store
        for _ in range(100):
            with store.transaction():
                store._db.execute("insert or replace into queues (name, bytes) values ('a', random())")
            await store.durable()
        emu.emulator.attendance.note()

        assert 0 == await source.quiet()


async def test_links_that_go_round_in_circles(tmp_path):
    """
    A link to a folder above does not make the watch endless.
    """
    root = tmp_path / "src"
    (root / "inner").mkdir(parents=True)
    (root / "inner" / "up").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    async with watched(root) as source:
        (root / "inner" / "code.py").write_text("1")
        await source.until(1)

        assert 1 == await source.quiet()


async def test_a_new_folder_is_watched(source):
    """
    Code in a folder that is made later counts.
    """
    (source.root / "later").mkdir()
    await asyncio.sleep(0.2)
    before = source.reloads
    (source.root / "later" / "code.py").write_text("1")
    await source.until(before + 1)


async def test_a_root_that_goes_and_comes_back(source):
    """
    The whole folder is deleted and written again, as a checkout does; saves in the new one count.
    """
    shutil.rmtree(source.root)
    await source.until(1)
    await asyncio.sleep(0.5)
    source.root.mkdir()
    source.entry.write_text("back")
    await source.until(2)
    await source.quiet()
    before = source.reloads
    source.entry.write_text("and changed")
    await source.until(before + 1)


async def test_a_root_that_is_exchanged(source):
    """
    The folder is deleted and made anew in one go; saves in the new one count.
    """
    shutil.rmtree(source.root)
    source.root.mkdir()
    source.entry.write_text("new")
    await source.until(1)
    await source.quiet(0.5)
    before = source.reloads
    source.entry.write_text("and changed")
    await source.until(before + 1)


async def test_without_watches_saves_are_looked_for(tmp_path, monkeypatch, caplog):
    """
    When the system has no watches left there is one warning, and saves are noticed all the same.
    """

    def awatch(*folders, **options):
        raise OSError("OS file watch limit reached.")

    monkeypatch.setattr(watching, "awatch", awatch)
    root = tmp_path / "src"
    root.mkdir()
    (root / "entry.py").write_text("0")
    await asyncio.sleep(0.05)
    async with watched(root) as source:
        for number in range(1, 4):
            source.entry.write_text(str(number))
            await source.until(number)
        (root / "later").mkdir()
        await asyncio.sleep(0.7)
        (root / "later" / "code.py").write_text("1")
        await source.until(4)

    assert 1 == caplog.text.count("the system does not tell of saves (OS file watch limit reached.)")
