"""kill -9 as a way to stop: either process may die at any moment, and what was accepted is finished all the same."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from dev import Dev, eventually, is_running

pytestmark = pytest.mark.slow

CONFIG = """
[[workflows]]
name = "order"
binding = "ORDER"
class_name = "Order"

[[queues.producers]]
queue = "orders"
binding = "ORDERS"

[[queues.consumers]]
queue = "orders"
max_batch_size = 10
max_batch_timeout = 1
"""

WORKER = """
import asyncio, ctypes, os, signal, sys, threading, time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

LINES = Path(__file__).parent / "lines.log"

def write(*words):
    with LINES.open("a") as lines:
        lines.write(" ".join(map(str, words)) + "\\n")

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        self.id = event["instanceId"]
        self.kind = event["payload"]["kind"]
        write("begin", self.id)
        await self.take(step, "first")
        await getattr(self, self.kind)(step)
        await self.take(step, "last")
        write("end", self.id)
        return self.kind

    async def take(self, step, name, seconds=0.0):
        @step.do(name)
        async def body():
            write("exec", self.id, name)
            await asyncio.sleep(seconds)
            return name
        await body()
        write("ack", self.id, name)

    async def stepping(self, step):
        for number in range(20):
            await self.take(step, f"step-{number}", 0.05)

    async def lasting(self, step):
        @step.do("lasting")
        async def body():
            write("in", os.getpid())
            await asyncio.sleep(60)
        await body()

    async def sleeping(self, step):
        await step.sleep("nap", "2 seconds")

    async def waiting(self, step):
        await step.wait_for_event("answer", "answer", timeout="1 hour")

    async def retrying(self, step):
        @step.do("flaky", config={"retries": {"limit": 3, "delay": "1 second", "backoff": "constant"}})
        async def flaky(ctx):
            write("attempt", self.id, ctx["attempt"])
            if ctx["attempt"] < 2:
                raise ValueError("once more")
        await flaky()

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        match url.path:
            case "/create":
                await self.env.ORDER.create(id=query["id"], params={"kind": query["kind"]})
            case "/answer":
                await (await self.env.ORDER.get(query["id"])).send_event({"type": "answer", "payload": 1})
            case "/status":
                return Response.json(await (await self.env.ORDER.get(query["id"])).status())
            case "/send":
                await self.env.ORDERS.send(query["text"])
            case "/block":
                time.sleep(60)
            case "/spin":
                while True:
                    pass
            case "/die":
                deaths[query["how"]]()
        return Response("ok")

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            write("message", message.body)

deaths = {
    "exit": lambda: os._exit(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "abort": os.abort,
    "crash": lambda: ctypes.string_at(0),
    "close": lambda: os.closerange(3, 256),
}
"""

KINDS = ("stepping", "sleeping", "waiting", "retrying")


def lines(folder, *words):
    """The lines of the worker that begin so."""
    try:
        found = (folder / "lines.log").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [line for line in found if line.split()[: len(words)] == list(words)]


def begin_everything(dev):
    """An instance of each kind, each under way, and messages that wait for their batch."""
    for kind in KINDS:
        dev.get(f"/create?id={kind}&kind={kind}")
    for number in range(5):
        dev.get(f"/send?text=m{number}")
    assert eventually(lambda: lines(dev.folder, "attempt", "retrying") and lines(dev.folder, "ack", "waiting"))
    assert eventually(lambda: lines(dev.folder, "ack", "stepping", "step-2"))


def everything_ends(dev):
    """All instances end, without a touch but the event that one of them waits for."""
    dev.until("/answer?id=waiting", lambda answer: answer.status == 200)
    return all(eventually(lambda kind=kind: lines(dev.folder, "end", kind), 6) for kind in KINDS)


def ran_again(folder):
    """Steps that ran although their result had been handed over before."""
    acked, again = set(), []
    for line in lines(folder):
        kind, *step = line.split()
        if kind == "ack":
            acked.add(tuple(step))
        if kind == "exec" and tuple(step) in acked:
            again.append(line)
    return again


def restarted(tmp_path, *, kill_worker, kill_emulator):
    """Begin everything, kill, start again where that is needed; the running server."""
    dev = Dev(tmp_path, "--no-reload", code=WORKER, config=CONFIG)
    dev.__enter__()
    begin_everything(dev)
    children = dev.children()
    if not kill_emulator:
        for child in children:
            os.kill(child, signal.SIGKILL)
        return dev, children
    dev.kill(also=children if kill_worker else ())
    dev.__exit__()
    again = Dev(tmp_path, "--no-reload")
    again.__enter__()
    return again, children


@pytest.mark.parametrize(
    ("kill_worker", "kill_emulator"),
    [(True, False), (False, True), (True, True)],
    ids=["the worker", "the emulator", "both"],
)
def test_nothing_is_lost_when_a_process_is_killed(tmp_path, kill_worker, kill_emulator):
    """
    Whichever process is killed, within two seconds the instances go on, no finished step runs again, all messages come.
    """
    dev, old = restarted(tmp_path, kill_worker=kill_worker, kill_emulator=kill_emulator)
    try:
        began = len(lines(tmp_path, "begin", "stepping"))
        resumed = eventually(lambda: len(lines(tmp_path, "begin", "stepping")) > max(began, 1) or began > 1, 2)
        ended = everything_ends(dev)
        delivered = eventually(
            lambda: {f"message m{number}" for number in range(5)} <= set(lines(tmp_path, "message")), 3
        )
        statuses = [dev.until(f"/status?id={kind}", lambda answer: answer.status == 200).json for kind in KINDS]

        assert resumed
        assert ended
        assert delivered
        assert [] == ran_again(tmp_path)
        assert [("complete", kind) for kind in KINDS] == [(each["status"], each["output"]) for each in statuses]
        assert ["attempt retrying 1", "attempt retrying 2"] == lines(tmp_path, "attempt")
        assert all(len(lines(tmp_path, "exec", "stepping", f"step-{number}")) <= 2 for number in range(20))
        assert eventually(lambda: not any(map(is_running, old)), 2)
    finally:
        dev.__exit__()


def test_nothing_is_lost_when_an_old_version_is_killed_while_it_drains(tmp_path):
    """
    After a save the old process may still end its step; when it is killed over it, the new one takes the instance on.
    """
    with Dev(tmp_path, code=WORKER, config=CONFIG) as dev:
        dev.get("/create?id=lasting&kind=lasting")
        eventually(lambda: lines(tmp_path, "in"))
        (old,) = lines(tmp_path, "in")
        dev.save("entry.py", WORKER.replace("asyncio.sleep(60)", "asyncio.sleep(0)"))
        dev.wait_for("RELOAD")
        os.kill(int(old.split()[1]), signal.SIGKILL)

        assert eventually(lambda: lines(tmp_path, "end", "lasting"), 5)
        assert 2 == len(lines(tmp_path, "in"))
        assert "complete" == dev.get("/status?id=lasting").json["status"]


def test_the_worker_goes_when_the_emulator_is_killed(tmp_path):
    """
    No process of the worker outlives its emulator, even one whose handler blocks.
    """
    with Dev(tmp_path, code=WORKER, config=CONFIG) as dev:
        eventually(lambda: len(dev.children()) == 2)
        dev.later("GET", "/block")
        time.sleep(0.1)
        children = dev.children()
        dev.kill()

        assert len(children) == 2
        assert eventually(lambda: not any(map(is_running, children)), 2)


@pytest.mark.parametrize("how", ["exit", "kill", "abort", "crash", "close"])
def test_a_worker_that_dies_in_a_request_is_replaced(tmp_path, how):
    """
    The request gets a 503 that says why; the next one works.
    """
    with Dev(tmp_path, code=WORKER, config=CONFIG) as dev:
        died = dev.get(f"/die?how={how}")
        began = time.monotonic()
        after = dev.get("/")

        assert 503 == died.status
        assert "process ended" in died.text
        assert (200, "ok") == (after.status, after.text)
        assert time.monotonic() - began < 1
        assert "starting it again" in dev.text
        assert "Traceback" not in dev.text


@pytest.mark.parametrize("path", ["/block", "/spin"])
def test_a_handler_that_blocks_is_named(tmp_path, path):
    """
    Within two seconds file and line of it are shown; meanwhile our own routes answer at once.
    """
    line = next(number for number, text in enumerate(WORKER.splitlines(), 1) if text.strip() == "time.sleep(60)")
    with Dev(tmp_path, code=WORKER, config=CONFIG) as dev:
        dev.get("/cdn-cgi/local/health")
        dev.later("GET", path)
        slowest = 0.0
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline and "has blocked" not in dev.text:
            began = time.monotonic()
            dev.get("/cdn-cgi/local/health")
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.02)

        assert "has blocked" in dev.text
        assert "entry.py:" in dev.wait_for("has blocked")
        assert path != "/block" or f"entry.py:{line}" in dev.wait_for("has blocked")
        assert slowest < 0.1
        assert 1 == dev.text.count("has blocked")


def test_a_save_frees_a_blocked_worker(tmp_path):
    """
    While a handler blocks, a save brings a new process that answers.
    """
    with Dev(tmp_path, code=WORKER, config=CONFIG) as dev:
        dev.later("GET", "/block")
        time.sleep(0.1)
        dev.save("entry.py", WORKER.replace('Response("ok")', 'Response("new")'))
        dev.wait_for("RELOAD")

        assert "new" == dev.get("/").text


def test_a_worker_that_dies_each_time_does_not_keep_the_machine_busy(tmp_path):
    """
    Process after process that ends at once is started anew with pauses, and good requests still work in between.
    """
    with Dev(tmp_path, code=WORKER, config=CONFIG) as dev:
        statuses = [dev.get("/die?how=exit").status for _ in range(4)]

        assert [503] * 4 == statuses
        assert "ok" == dev.get("/").text


HOSTILE = """
import asyncio, builtins, json, os, sys, time
from workers import Response, WorkerEntrypoint

class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no text")

def mute():
    raise Mute

def long():
    raise ValueError("m" * 10_000_000)

def deep():
    return deep()

def interrupt():
    raise KeyboardInterrupt

def cancel_all():
    for task in asyncio.all_tasks():
        task.cancel()

def patch():
    time.time = json.dumps = builtins.open = None

def move():
    os.chdir("/")
    os.umask(0o777)

HARM = {
    "mute": mute,
    "long": long,
    "deep": deep,
    "interrupt": interrupt,
    "exit": lambda: sys.exit(3),
    "break the head": lambda: Response("x", headers={"a": "b\\r\\nc: d"}),
    "status 99": lambda: Response("x", status=99),
    "status 1000": lambda: Response("x", status=1000),
    "no response": lambda: 7,
    "cancel all": cancel_all,
    "stop the loop": lambda: asyncio.get_running_loop().stop(),
    "close the loop": lambda: asyncio.get_running_loop().close(),
    "write to the descriptor": lambda: os.write(1, b"straight\\n"),
    "print a long line": lambda: print("y" * 10_000_000),
    "print controls": lambda: print("\\x1b[31mred \\ud800 \\x00"),
    "patch": patch,
    "move": move,
}

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        name = request.headers.get("harm")
        if name:
            found = HARM[name]()
            await asyncio.sleep(0)
            return Response("done") if found is None else found
        return Response("ok")
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    with Dev(tmp_path_factory.mktemp("hostile"), "--no-reload", code=HOSTILE) as dev:
        yield dev


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("mute", "Mute"),
        ("long", "ValueError: mmm"),
        ("deep", "RecursionError"),
        ("interrupt", "KeyboardInterrupt"),
        ("exit", "SystemExit: 3"),
        ("break the head", "line break"),
        ("status 99", "99"),
        ("status 1000", "1000"),
        ("no response", "must return a Response, got int"),
        ("close the loop", "RuntimeError"),
    ],
)
def test_a_hostile_handler_harms_only_itself(hostile, harm, words):
    """
    Whatever a handler does, its request is told what happened, and soon the next one works.
    """
    answer = hostile.get("/", harm=harm)

    assert answer.status in (500, 503)
    assert words in answer.text
    assert "Internal Server Error" not in answer.text
    assert len(answer.body) < 200_000
    assert "ok" == hostile.until("/", lambda answer: answer.status == 200, 2).text


@pytest.mark.parametrize("harm", ["cancel all", "stop the loop"])
def test_a_handler_that_ends_its_loop_gets_a_new_process(tmp_path, harm):
    """
    The request is told, the process is replaced, and the next one works.
    """
    with Dev(tmp_path, code=HOSTILE) as dev:
        answer = dev.get("/", harm=harm)
        dev.wait_for("starting it again")

        assert answer.status in (500, 503)
        assert "Internal Server Error" not in answer.text
        assert "ok" == dev.until("/", lambda answer: answer.status == 200, 2).text


@pytest.mark.parametrize("harm", ["write to the descriptor", "print a long line", "print controls", "patch", "move"])
def test_odd_handlers_are_let_be(hostile, harm):
    """
    What a handler does to its own process does not reach the emulator, nor control characters the terminal.
    """
    hostile.get("/", harm=harm)

    assert "ok" == hostile.get("/").text
    assert 200 == hostile.get("/cdn-cgi/local/health").status
    assert not [line for line in hostile.lines if "\x1b" in line or "\x00" in line or len(line) > 70_000]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for children in /proc")
async def test_a_process_that_is_being_replaced_at_the_end_is_ended_too(emu_processes):
    """
    Whoever stops while a new process is being loaded leaves none behind.
    """
    before = _children()
    await emu_processes.start("import time\ntime.sleep(0.3)\n")
    os.kill(emu_processes.emulator.workers[0].current.launched.process.pid, signal.SIGKILL)
    await asyncio.sleep(0.1)

    assert before < _children()

    await emu_processes.stop()

    assert before == _children()


def _children():
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())
