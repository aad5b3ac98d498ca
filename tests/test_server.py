"""The emulator as a whole: what it says of its configs, and who may be served together."""

import asyncio
import io

import pytest
from flows import ORDER, started
from support import HELLO

from emulator import processes
from emulator.errors import StoreError, WorkerGone
from emulator.processes import InProcess, Processes
from emulator.server import Emulator, Options
from emulator.terminal import Terminal


async def test_a_warning_about_the_config_is_said_once(emu):
    """
    A key nobody knows is named with its line, at the start and not again at each reload.
    """
    await emu.start(HELLO, config='mode = "fast"\n')
    await emu.reload()

    assert 1 == emu.lines.count("wrangler.toml:6: mode: there is no such key")


async def test_a_tick_is_said_in_one_line(emu):
    """
    An event is a line: its kind, what it is about, how it ended.
    """
    await emu.start("async def scheduled(controller, env, ctx):\n    pass\n")
    await emu.tick("0 9 * * *")

    assert "CRON   0 9 * * *                    ok" in emu.lines


async def test_the_trace_of_a_failed_import_begins_with_the_workers_own_line(emu):
    """
    How we import a worker is not what its author wants to read.
    """
    emu.save("prices.py", "def of(item:\n")
    await emu.start("import prices\n")
    text = (await emu.get("/")).text

    assert 'entry.py", line 1, in <module>\n    import prices' in text
    assert "importlib" not in text


# What goes wrong beside the worker's own code

WAITS = """
import asyncio
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        return 1

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/create"):
            try:
                await self.env.ORDER.create()
            except RuntimeError as error:
                return Response(f"refused: {error}")
        try:
            await asyncio.sleep(60)
        finally:
            print("left")

    async def scheduled(self, controller, env, ctx):
        print("tick")
"""
CRON = '[triggers]\ncrons = ["* * * * *"]\n'
HEAD = {"method": "GET", "url": "http://localhost/", "headers": [], "has_body": False, "cf": None}


def refuse(*_):
    raise StoreError("the disk is full")


async def test_a_reload_on_a_full_disk_is_a_reload_all_the_same(emu, monkeypatch):
    """
    Instances are taken up again when there is room; crons follow, and the old version ends.
    """
    await emu.start(HELLO)
    old = emu.emulator.workers[0].current
    monkeypatch.setattr(emu.emulator.engine, "adopt", refuse)
    emu.configure(CRON)
    await emu.reload(WAITS)
    await emu.advance(minutes=1)

    assert 1 == emu.lines.count("tick")
    assert not old.alive


async def test_a_swap_that_nobody_could_follow_ends_the_old_version(emu, monkeypatch):
    """
    Whatever is wrong with the parts that are told of a new version, the old one is let go and the next one is prepared.
    """
    await emu.start(HELLO)
    worker = emu.emulator.workers[0]
    old = worker.current
    monkeypatch.setattr(emu.emulator.timetable, "plan", refuse)

    with pytest.raises(StoreError):
        await emu.reload(HELLO)

    await asyncio.gather(*worker._tasks)

    assert not old.alive
    assert worker.current.alive


async def test_nothing_is_prepared_after_the_end(emu):
    """
    Two saves in a row, and a stop right after: no process is started that nobody would end.
    """
    await emu.start(HELLO)
    worker = emu.emulator.workers[0]
    first = worker._spare_soon
    await emu.reload(HELLO)

    assert first.cancelled()


async def test_a_request_that_is_left_at_once_is_over(emu):
    """
    The browser may have gone before the worker has begun; the conversation ends all the same.
    """
    await emu.start(WAITS, config=ORDER)
    conversation = emu.emulator.workers[0].current.open("fetch", HEAD)
    conversation.send("cancel")
    done = await asyncio.wait_for(conversation.done(), 1)

    assert "canceled" == done.head["outcome"]


async def test_a_bug_of_our_own_is_told_to_who_asked(emu, monkeypatch, caplog):
    """
    A call that no part of the emulator could answer raises in the worker, and the trace is in the log.
    """

    async def create(*_, **options):
        raise RuntimeError("not thought of")

    await emu.start(WAITS, config=ORDER)
    monkeypatch.setattr(emu.emulator.engine, "create", create)
    answer = await asyncio.wait_for(emu.get("/create"), 5)

    assert "refused: not thought of" == answer.text
    assert "a bug of the emulator's own" in caplog.text
    assert "Traceback" in caplog.text


class Unsendable:
    """An event whose other side cannot take what the worker says."""

    kind = label = "fetch"
    title = "/"

    def frame(self):
        return HEAD, b""

    def result(self, outcome):
        return outcome.outcome

    async def converse(self, conversation):
        await conversation.generation.settle()
        raise RuntimeError("this cannot be sent")


async def test_a_worker_that_nobody_listens_to_is_told(emu):
    """
    When the server cannot go on with a request, the handler is cancelled.
    """
    await emu.start(WAITS, config=ORDER)

    with pytest.raises(RuntimeError):
        await emu.emulator.dispatch(emu.emulator.workers[0], Unsendable())

    await emu.settle()

    assert "left" in emu.lines
    assert not emu.emulator.workers[0].current._conversations


async def test_a_tick_without_a_worker_is_shown(emu):
    """
    Nobody waits for the answer of a cron, so the terminal says that it came to nothing.
    """
    await emu.start("import no_such_module\n")

    with pytest.raises(WorkerGone):
        await emu.tick("0 9 * * *")

    assert "CRON   0 9 * * *                    exception" in emu.lines
    assert "the worker is not loaded" in emu.lines


async def test_only_the_process_that_serves_is_started_again(emu, monkeypatch):
    """
    One that was kept ready, or is on its way out, may end without anything being started; a full disk changes nothing.
    """
    await emu.start(HELLO)
    worker = emu.emulator.workers[0]
    served = worker.current
    monkeypatch.setattr(emu.emulator.engine, "lost", refuse)
    emu.emulator._died(await worker._warm_up(()), "killed by SIGKILL")

    assert "the worker's process ended (killed by SIGKILL)" in emu.lines
    assert "starting it again" not in emu.lines

    await served.stop()
    emu.emulator._died(served, "killed by SIGKILL")
    await asyncio.gather(*worker._tasks)

    assert "starting it again" in emu.lines
    assert worker.current.alive


async def test_who_gave_up_waiting_is_no_trouble_at_the_end(emu):
    """
    A generation that ends tells all who wait for it, and passes over who waits no more.
    """
    await emu.start(HELLO)
    generation = emu.emulator.workers[0].current
    waiting = asyncio.create_task(generation.settle())
    await asyncio.sleep(0)
    waiting.cancel()
    generation.channel.on_close()

    assert not generation.alive


async def test_settling_has_an_end(emu, monkeypatch):
    """
    A worker that does not say when it is at rest is not waited for beyond the limit.
    """
    emu.options["settle_seconds"] = 0.05
    await emu.start(HELLO)
    monkeypatch.setattr(emu.emulator.workers[0].current, "settle", asyncio.Event().wait)

    await asyncio.wait_for(emu.settle(), 5)


async def test_a_start_that_is_given_up_leaves_no_process(emu, monkeypatch):
    """
    A newer save may come while the process is being connected to.
    """
    started = []

    async def connect(launched):
        started.append(launched)
        await asyncio.Event().wait()

    await emu.start(HELLO)
    monkeypatch.setattr(processes, "connect", connect)
    worker = emu.emulator.workers[0]
    starting = asyncio.create_task(Processes().start(worker.config, 9, worker._hooks))
    while not started:  # noqa: ASYNC110
        await asyncio.sleep(0)
    starting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await starting

    assert -9 == started[0].process.wait(5)
    assert started[0].stack_file.closed


async def test_what_is_done_to_an_instance_is_said(emu):
    """
    Pause, resume, restart, terminate and delete are a line each, like what a step does.
    """
    order = await _sleeping(emu)
    for verb in ("pause", "resume", "restart", "terminate", "delete"):
        await order.ask(verb)

    told = [line.split()[-1] for line in emu.lines.splitlines() if line.startswith("FLOW") and "›" not in line]

    assert ["paused", "resumed", "restarted", "terminated", "deleted"] == told


async def test_unfinished_instances_are_told_of_at_the_end_and_at_the_start(emu):
    """
    Whoever stops the emulator half-way is told that nothing is lost; so is whoever starts it again.
    """
    await _sleeping(emu)
    await emu.stop()

    assert "1 unfinished workflow instance goes on at the next start" in emu.out.getvalue()

    await emu.start()

    assert "1 unfinished workflow instance goes on" == emu.emulator.banner()[-1]


async def test_a_start_that_is_refused_says_nothing_of_instances(emu):
    """
    Where the port is taken, say, the emulator ends before it boots: nothing was going on that it would interrupt.
    """
    await _sleeping(emu)
    await emu.stop()
    out = io.StringIO()
    refused = Emulator(Options(configs=(emu.folder / "wrangler.toml",)), InProcess().start, Terminal(out))
    await refused.stop()

    assert "" == out.getvalue()


async def test_a_save_that_cannot_be_loaded_has_a_line_of_its_own(emu):
    """
    RELOAD … failed comes first, and then what is wrong.
    """
    await emu.start(HELLO)
    await emu.reload("import nothing_of_this_name\n")
    lines = emu.lines.splitlines()

    assert "RELOAD entry.py                     failed" == lines[0]
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in "\n".join(lines[1:])


@pytest.mark.parametrize(
    ("saved", "title"),
    [(("src/helper.py",), "src/helper.py"), (("entry.py", "helper.py"), "2 files"), ((), "entry.py")],
    ids=["one", "several", "none"],
)
@pytest.mark.parametrize(("code", "result"), [(HELLO, "ok"), ("1 / 0", "failed")], ids=["good", "broken"])
async def test_a_reload_names_what_was_saved(emu, saved, title, code, result):
    """
    The file that was saved, or how many, whether it loads or not; the main module where it is not because of a save.
    """
    await emu.start(HELLO)
    emu.save("entry.py", code)
    paths = [str(emu.folder / name) for name in saved]
    await emu.emulator.wait_for_debugger(emu.emulator.workers[0], paths)
    await emu.emulator.reload(emu.emulator.workers[0], paths)

    assert f"RELOAD {title:<28} {result}" in emu.lines


async def test_the_save_that_mends_the_first_load_is_a_reload(emu):
    """
    LOAD is the first line of a worker that cannot be loaded, RELOAD each after it.
    """
    await emu.start("1 / 0")
    await emu.emulator.reload(emu.emulator.workers[0], [str(emu.folder / "entry.py")])

    assert ["LOAD   entry.py", "RELOAD entry.py"] == [line[:15] for line in emu.lines.splitlines() if "LOAD" in line]


async def test_a_rollback_is_no_reason_to_complain_of_the_code(emu):
    """
    What a terminated instance would have done next is not missing from the code.
    """
    order = await started(
        emu,
        """
async def refund():
    pass

@step.do("charge", rollback=refund)
async def charge():
    pass

await charge()
await step.sleep("nap", "1 hour")
""",
    )
    await order.ask("terminate", rollback=True)

    assert "was not reached" not in emu.lines


async def _sleeping(emu):
    return await started(emu, 'await step.sleep("nap", "1 hour")')
