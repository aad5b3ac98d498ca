"""Saved files: what takes effect, what a broken save leaves running, and how the next good one mends it."""

import asyncio
import threading
import time

import pytest
from dev import Dev
from support import CONFIG, HELLO, Emulated

from emulator import worker as worker_module
from emulator.errors import ConfigError, WorkerGone

SAYS = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response({says})
"""

MODULES = """
from workers import Response, WorkerEntrypoint
import plain
from kitchen.recipes import tea

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(f"{plain.NAME} {tea.NAME}")
"""

BACKGROUND = """
import asyncio
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

VERSION = 1

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        @step.do("first")
        async def first():
            return VERSION
        a = await first()
        await step.sleep("nap", "1 hour")
        @step.do("second")
        async def second():
            return VERSION
        return [a, await second()]

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "/send" in request.url:
            await self.env.ORDERS.send({"sku": "tea"})
        if "/slow" in request.url:
            await asyncio.sleep(0.2)
        return Response(str(VERSION))

    async def scheduled(self, controller, env, ctx):
        print("tick of version", VERSION)

    async def queue(self, batch, env, ctx):
        print("batch of version", VERSION)
"""

BACKGROUND_CONFIG = """
[[workflows]]
name = "order"
binding = "ORDER"
class_name = "Order"

[[queues.producers]]
queue = "orders"
binding = "ORDERS"

[[queues.consumers]]
queue = "orders"
max_batch_size = 1

[triggers]
crons = ["*/10 * * * *"]
"""

HALF_SAVED = """
import threading
from pathlib import Path

half = Path(__file__).with_name("plain.py")
half.write_text("")
threading.Timer(0.03, half.write_text, ["NAME = 'whole'"]).start()

import plain
"""

LATER = """
import asyncio

async def later():
    await asyncio.sleep(1)
    print("later done")
"""

BROKEN = {
    "a syntax error": ("def broken(:\n", "SyntaxError"),
    "a missing module": ("import no_such_module\n", "no_such_module"),
    "a missing name": ("from json import no_such_name\n", "no_such_name"),
    "an exception": ("raise RuntimeError('not today')\n", "not today"),
    "an exit": ("import sys\nsys.exit(3)\n", "SystemExit"),
    "an interrupt": ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    "a missing workflow": (HELLO, 'exports no workflow "Order"'),
    "a hard exit": ("import os\nos._exit(3)\n", "exited with code 3"),
    "a file that is no text": ("\x00\x01", "null bytes"),
}


async def until(is_so, seconds=5):
    """Look until it is so, or for so long."""
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:  # noqa: ASYNC110 - nobody could set an event
        await asyncio.sleep(0.01)


# What takes effect


async def test_the_entry_file_takes_effect(emu):
    """
    A save of the main module answers the next request.
    """
    await emu.start(HELLO)
    await emu.reload(HELLO.replace("hello", "changed"))

    assert "changed" == (await emu.get("/")).text


@pytest.mark.parametrize("name", ["plain.py", "kitchen/recipes/tea.py"])
async def test_an_imported_module_takes_effect(emu, name):
    """
    A save of a module beside the main one, or of one in a package's package, answers the next request.
    """
    emu.save("plain.py", "NAME = 'old'\n")
    emu.save("kitchen/__init__.py", "")
    emu.save("kitchen/recipes/__init__.py", "")
    emu.save("kitchen/recipes/tea.py", "NAME = 'old'\n")
    await emu.start(MODULES)
    emu.save(name, "NAME = 'new'\n")
    await emu.reload()

    assert sorted(["old", "new"]) == sorted((await emu.get("/")).text.split())


async def test_a_module_may_appear(emu):
    """
    A module that did not exist when the worker was first loaded can be imported by a later save.
    """
    await emu.start(HELLO)
    emu.save("fresh.py", "NAME = 'fresh'\n")
    await emu.reload("import fresh\n" + SAYS.format(says="fresh.NAME"))

    assert "fresh" == (await emu.get("/")).text


async def test_saves_of_one_size_within_a_second_all_count(emu):
    """
    Saves that differ neither in size nor, at a second's resolution, in time are not mistaken for each other.
    """
    emu.save("plain.py", "NAME = 'a'\n")
    await emu.start("import plain\n" + SAYS.format(says="plain.NAME"))
    seen = []
    for letter in "bcde":
        emu.save("plain.py", f"NAME = '{letter}'\n")
        await emu.reload()
        seen.append((await emu.get("/")).text)

    assert list("bcde") == seen
    assert not list(emu.folder.glob("**/__pycache__"))


async def test_half_a_save_is_not_loaded(emu):
    """
    A module that an editor has just emptied is imported when it has been written.
    """
    emu.save("plain.py", "NAME = 'old'\n")
    await emu.start(HALF_SAVED + SAYS.format(says="plain.NAME"))

    assert "whole" == (await emu.get("/")).text


async def test_a_variable_takes_effect(emu):
    """
    A changed [vars] is what env says at the next request.
    """
    await emu.start(SAYS.format(says="self.env.COLOUR"), config='[vars]\nCOLOUR = "red"\n')
    emu.save("wrangler.toml", emu.config.replace("red", "blue"))
    await emu.reload()

    assert "blue" == (await emu.get("/")).text


async def test_a_renamed_binding_takes_effect(emu):
    """
    The new name of a binding is there, the old one is not.
    """
    says = "' '.join(name for name in ('ORDERS', 'SALES') if hasattr(self.env, name))"
    await emu.start(SAYS.format(says=says), config='[[queues.producers]]\nqueue = "orders"\nbinding = "ORDERS"\n')
    before = (await emu.get("/")).text
    emu.save("wrangler.toml", emu.config.replace('"ORDERS"', '"SALES"'))
    await emu.reload()

    assert "ORDERS" == before
    assert "SALES" == (await emu.get("/")).text


async def test_a_new_cron_takes_effect(emu):
    """
    A cron that is added fires, one that is taken away does not.
    """
    await emu.start(BACKGROUND, config=BACKGROUND_CONFIG)
    emu.save("wrangler.toml", emu.config.replace("*/10 * * * *", "30 * * * *"))
    await emu.reload()
    await emu.advance(minutes=29)
    before = emu.lines.count("tick of version")
    await emu.advance(minutes=2)

    assert 0 == before
    assert 1 == emu.lines.count("tick of version")


async def test_secrets_may_appear(emu):
    """
    .dev.vars takes effect when it changes, also when it was not there before.
    """
    await emu.start(SAYS.format(says="getattr(self.env, 'SECRET', 'none')"))
    seen = [(await emu.get("/")).text]
    for value in ("one", "two"):
        emu.save(".dev.vars", f"SECRET={value}\n")
        await emu.reload()
        seen.append((await emu.get("/")).text)

    assert ["none", "one", "two"] == seen


# What a broken save leaves running


@pytest.mark.parametrize(("code", "words"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_save_is_shown_and_the_next_good_one_mends_it(emu_processes, code, words):
    """
    Whatever goes wrong in a module body, requests get the error, the terminal shows it once, and a good save mends it.
    """
    emu = emu_processes
    await emu.start(BACKGROUND, config=BACKGROUND_CONFIG)
    await emu.reload(code)
    shown = [await emu.get("/"), await emu.get("/")]
    lines = emu.lines
    await emu.reload(BACKGROUND.replace("VERSION = 1", "VERSION = 2"))
    mended = await emu.get("/")

    assert {500, 503} >= {answer.status for answer in shown}
    assert words in shown[1].text
    assert words in lines
    assert lines.count("Traceback (most recent call last)") <= 1
    assert "2" == mended.text


@pytest.mark.parametrize(("code", "words"), BROKEN.values(), ids=BROKEN)
async def test_a_worker_that_never_loaded_is_waited_for(emu_processes, code, words):
    """
    The emulator starts with a broken worker too, shows why at once, and serves the first save that loads.
    """
    emu = emu_processes
    await emu.start(code, config=BACKGROUND_CONFIG)
    loop = asyncio.get_running_loop()
    began = loop.time()
    shown = await emu.get("/")
    took = loop.time() - began
    await emu.reload(BACKGROUND)

    assert words in shown.text
    assert took < 1
    assert 'File "' not in shown.text or "entry.py" in shown.text[shown.text.index('File "') :].splitlines()[0]
    assert "1" == (await emu.get("/")).text


async def test_a_tick_of_a_worker_that_never_loaded_is_refused_at_once(emu):
    """
    Nobody waits for a version that no save has brought yet.
    """
    await emu.start("import no_such_module\n")
    loop = asyncio.get_running_loop()
    began = loop.time()

    with pytest.raises(WorkerGone, match="no_such_module"):
        await emu.tick()

    assert loop.time() - began < 1


async def test_background_work_goes_on_with_the_last_good_version(emu):
    """
    After a broken save ticks, batches and steps still run, as they were last loaded.
    """
    await emu.start(BACKGROUND, config=BACKGROUND_CONFIG)
    order = await emu.create("order")
    await emu.get("/send")
    await emu.reload("def broken(:\n")
    await emu.advance(minutes=61)

    assert 1 == emu.lines.count("batch of version 1")
    assert 6 == emu.lines.count("tick of version 1")
    assert [1, 1] == order.output


async def test_a_broken_config_is_shown_and_the_next_good_one_mends_it(emu):
    """
    An invalid wrangler.toml leaves the worker running; the error names file and line until it is put right.
    """
    await emu.start(BACKGROUND, config=BACKGROUND_CONFIG)
    emu.save("wrangler.toml", emu.config + "\n[[workflows]]\nname = 3\n")
    await emu.reload()
    shown = await emu.get("/")
    await emu.advance(minutes=10)
    ticks = emu.lines.count("tick of version 1")
    emu.save("wrangler.toml", emu.config)
    await emu.reload()

    assert 500 == shown.status
    assert "wrangler.toml:" in shown.text
    assert 1 == ticks
    assert "1" == (await emu.get("/")).text


@pytest.mark.parametrize("text", ["name = \n", "\x00", "[[workflows]\n", ""], ids=["half", "NUL", "bracket", "empty"])
async def test_a_config_that_cannot_be_read_is_shown(emu, text):
    """
    A file that is no TOML, or that says nothing, is an error to show and not the end.
    """
    await emu.start(HELLO)
    emu.save("wrangler.toml", text)
    await emu.reload()

    assert 500 == (await emu.get("/")).status


async def test_a_config_that_is_gone_is_shown(emu):
    """
    Between an editor's delete and its write the file is missing; that is an error to show and not the end.
    """
    await emu.start(HELLO)
    (emu.folder / "wrangler.toml").unlink()
    await emu.reload()
    shown = await emu.get("/")
    emu.save("wrangler.toml", emu.config)
    await emu.reload()

    assert 500 == shown.status
    assert "hello" == (await emu.get("/")).text


async def test_a_main_that_is_gone_is_shown(emu):
    """
    A main module that is missing is named.
    """
    await emu.start(HELLO)
    (emu.folder / "entry.py").unlink()
    await emu.reload()

    assert "entry.py" in (await emu.get("/")).text


# Old and new side by side


async def test_a_request_finishes_on_the_version_it_began_with(emu_processes):
    """
    A request that is under way during a save is answered by the code that it was sent to.
    """
    emu = emu_processes
    await emu.start(BACKGROUND, config=BACKGROUND_CONFIG)
    under_way = asyncio.create_task(emu.get("/slow"))
    await asyncio.sleep(0.05)
    emu.save("entry.py", BACKGROUND.replace("VERSION = 1", "VERSION = 2"))
    await emu.emulator.reload(emu.emulator.workers[0])
    after = (await emu.get("/")).text

    assert "2" == after
    assert "1" == (await under_way).text


async def test_a_request_that_outlives_its_version_is_told(emu_processes, monkeypatch):
    """
    A request that still runs when the old version has had its time to finish gets a 503.
    """
    monkeypatch.setattr(worker_module, "DRAIN_SECONDS", 0.05)
    emu = emu_processes
    await emu.start(BACKGROUND.replace("sleep(0.2)", "sleep(60)"), config=BACKGROUND_CONFIG)
    under_way = asyncio.create_task(emu.get("/slow"))
    await asyncio.sleep(0.05)
    await emu.emulator.reload(emu.emulator.workers[0])

    assert 503 == (await under_way).status


async def test_a_sleeping_instance_goes_on_with_the_new_code(emu):
    """
    What it did before the save stays done; what comes after is the new code's.
    """
    await emu.start(BACKGROUND, config=BACKGROUND_CONFIG)
    order = await emu.create("order")
    await emu.reload(BACKGROUND.replace("VERSION = 1", "VERSION = 2"))
    await emu.advance(hours=1)

    assert [1, 2] == order.output


@pytest.mark.parametrize("processes", [False, True], ids=["in process", "processes"])
async def test_a_step_that_outlives_its_version_runs_again(tmp_path, monkeypatch, processes):
    """
    A step that still runs when the old version has had its time is cut off and runs with the new one.
    """
    monkeypatch.setattr(worker_module, "DRAIN_SECONDS", 0.05)
    emu = Emulated(tmp_path, processes=processes, settle_seconds=0.2)
    stuck = BACKGROUND.replace(
        "            return VERSION\n        a", "            await asyncio.sleep(60)\n        a"
    )
    try:
        await emu.start(stuck, config=BACKGROUND_CONFIG)
        order = await emu.create("order")
        emu.save("entry.py", BACKGROUND.replace("VERSION = 1", "VERSION = 2"))
        await emu.emulator.reload(emu.emulator.workers[0])
        await until(lambda: order.status == "waiting")
        await emu.advance(hours=1)
        await until(lambda: order.status == "complete")

        assert [2, 2] == order.output
    finally:
        await emu.stop()


async def test_a_process_that_dies_while_a_save_is_broken_comes_back(emu_processes):
    """
    The last good version cannot be read from disk any more; the emulator says so and does not spin.
    """
    emu = emu_processes
    await emu.start(BACKGROUND, config=BACKGROUND_CONFIG)
    await emu.reload("def broken(:\n")
    emu.emulator.workers[0].current.launched.kill("a test")
    await asyncio.sleep(0.3)
    await emu.reload(BACKGROUND.replace("VERSION = 1", "VERSION = 2"))

    assert "2" == (await emu.get("/")).text


async def test_a_renamed_worker_is_the_same_worker(emu):
    """
    Its crons go on under the new name, and so does all that is shown of it.
    """
    await emu.start(BACKGROUND, config=BACKGROUND_CONFIG)
    emu.save("wrangler.toml", emu.config.replace("test-worker", "shop"))
    await emu.reload()
    await emu.advance(minutes=10)

    assert ["shop"] == list(emu.emulator.timetable.crons())
    assert 1 == emu.lines.count("tick of version 1")
    assert "shop" in "\n".join(emu.emulator.banner())


async def test_a_save_is_newer_than_a_revival(emu):
    """
    A process that ends while a save is being loaded is not brought back with the config of before.
    """
    await emu.start(SAYS.format(says="self.env.NAME"), config='[vars]\nNAME = "old"\n')
    worker = emu.emulator.workers[0]
    await worker.current.stop()
    emu.save("wrangler.toml", emu.config.replace("old", "new"))
    saving = asyncio.create_task(emu.emulator.reload(worker))
    while not worker._loading.locked():  # noqa: ASYNC110
        await asyncio.sleep(0)
    worker.revive()
    await saving
    await asyncio.gather(*worker._tasks)

    assert "new" == (await emu.get("/")).text
    assert 2 == worker.current.number


async def test_a_revival_mends_no_config(emu):
    """
    The last good version comes back, and the error of the last save goes on being shown.
    """
    await emu.start(HELLO)
    worker = emu.emulator.workers[0]
    emu.save("wrangler.toml", "name = [")
    await emu.reload()
    await worker.current.stop()
    worker.revive()
    await asyncio.gather(*worker._tasks)

    assert worker.current.alive
    assert isinstance(worker.error, ConfigError)


# Real saves


@pytest.mark.slow
def test_a_save_is_not_kept_waiting_by_one_that_never_loads(tmp_path):
    """
    A module body that blocks for ever does not end the reloading: the next save is loaded in its place.
    """
    with Dev(tmp_path, code=HELLO) as dev:
        dev.save("entry.py", "while True: pass\n")
        time.sleep(0.3)
        before = dev.get("/").text
        dev.save("entry.py", HELLO.replace("hello", "changed"))

        assert "hello" == before
        assert "changed" == dev.until("/", lambda answer: answer.text == "changed", 3).text
        assert "Traceback" not in dev.text


@pytest.mark.slow
def test_real_saves_take_effect(tmp_path):
    """
    Saves of code, of a new package, of the config and of a new .dev.vars are noticed; a broken one is shown and mended.
    """
    says = SAYS.format(says="f\"hello {getattr(self.env, 'SECRET', '')}\"")
    with Dev(tmp_path, code=says) as dev:
        dev.wait_for("Ready on ")
        seen = []

        def saved(name, text, expected):
            dev.save(name, text)
            seen.append((name, dev.until("/", lambda answer: expected in answer.text, 3).text))
            return expected in seen[-1][1]

        assert saved("entry.py", says.replace("hello", "changed"), "changed")
        assert saved(".dev.vars", "SECRET=hush\n", "hush")
        assert saved(".dev.vars", "SECRET=loud\n", "loud")
        dev.save("fresh/__init__.py", "NAME = 'one'\n")
        assert saved("entry.py", "import fresh\n" + SAYS.format(says="fresh.NAME"), "one")
        assert saved("fresh/__init__.py", "NAME = 'two'\n", "two")
        assert saved("wrangler.toml", CONFIG + "[[workflows]]\nname = 3\n", "wrangler.toml")
        assert saved("wrangler.toml", CONFIG + "\n", "two")
        assert saved("entry.py", "def broken(:\n", "SyntaxError")

        page = dev.get("/", accept="text/html")

        assert "text/html; charset=utf-8" == page.header("content-type")
        assert "SyntaxError" in page.text
        assert "SyntaxError" in dev.get("/cdn-cgi/local/health").json["worker"]["error"]
        assert saved("entry.py", HELLO, "hello")
        assert 1 == dev.text.count("SyntaxError: ")


@pytest.mark.slow
def test_no_request_fails_while_saves_come_in(tmp_path):
    """
    Three clients that ask all the time get an answer from one version or another, through ten saves.
    """
    with Dev(tmp_path, code=HELLO) as dev:
        answers, saving = [], threading.Event()
        saving.set()

        def ask():
            while saving.is_set():
                answer = dev.get("/")
                answers.append((answer.status, answer.text.partition(" ")[0] if answer.status == 200 else answer.text))

        clients = [threading.Thread(target=ask) for _ in range(3)]
        for client in clients:
            client.start()
        for number in range(10):
            dev.save("entry.py", HELLO.replace("hello", f"hello {number}"))
            time.sleep(0.15)
        last = dev.until("/", lambda answer: answer.text == "hello 9", 3).text
        saving.clear()
        for client in clients:
            client.join()

        assert "hello 9" == last
        assert {(200, "hello")} == set(answers)


@pytest.mark.slow
def test_work_after_an_answer_is_finished_by_the_version_that_began_it(tmp_path):
    """
    What was handed to waitUntil goes on to its end although a save has brought a new version.
    """
    code = SAYS.format(says="str(self.ctx.waitUntil(later()))") + LATER
    with Dev(tmp_path, code=code) as dev:
        dev.get("/")
        time.sleep(0.1)
        dev.save("entry.py", HELLO)
        dev.until("/", lambda answer: answer.text == "hello", 3)

        dev.wait_for("later done", 2)


@pytest.mark.slow
def test_an_editors_way_of_saving_is_noticed(tmp_path):
    """
    A file that is written beside and moved into place counts as saved, for code and for the config.
    """
    with Dev(tmp_path, code=SAYS.format(says="self.env.X"), config="vars = { X = 'one' }\n") as dev:
        for name, text, expected in (
            ("entry.py", SAYS.format(says="'moved'"), "moved"),
            ("entry.py", SAYS.format(says="self.env.X"), "one"),
            ("wrangler.toml", CONFIG + "vars = { X = 'two' }\n", "two"),
        ):
            dev.save(name + "~", text)
            (tmp_path / (name + "~")).rename(tmp_path / name)

            assert expected == dev.until("/", lambda answer, expected=expected: answer.text == expected, 3).text


@pytest.mark.slow
def test_a_main_in_another_folder_is_watched(tmp_path):
    """
    When the config moves the main module to another folder and that is broken, the save that mends it is noticed.
    """
    config = CONFIG.replace("entry.py", "{}/entry.py")
    dev = Dev(tmp_path)
    dev.save("one/entry.py", HELLO)
    dev.save("wrangler.toml", config.format("one"))
    with dev:
        dev.save("two/entry.py", "def broken(:\n")
        dev.save("wrangler.toml", config.format("two"))
        dev.until("/", lambda answer: "SyntaxError" in answer.text, 3)
        dev.save("two/entry.py", HELLO.replace("hello", "two"))

        assert "two" == dev.until("/", lambda answer: answer.text == "two", 2).text
