"""A disk that is full or fails: nothing is acknowledged that is not on it, and all goes on when there is room again."""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pytest
from dev import PROJECT, Dev
from flows import ORDER, worker
from support import HELLO, Emulated

from emulator.errors import StoreError
from emulator.workflows import recovery, sleepers
from emulator.workflows.owners import Limits

resource = pytest.importorskip("resource")

WORKER = """
import os
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

def note(*words):
    with open(os.environ["LINES"], "a") as lines:
        lines.write(" ".join(map(str, words)) + "\\n")

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        id = event["instanceId"]
        for number in range(6):
            @step.do(f"leg {number}")
            async def leg():
                note("exec", id, number)
                return number * "x" * 100
            await leg()
            note("ack", id, number)
            await step.sleep(f"rest {number}", 50)

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        path = request.url.rpartition("/")[2]
        if path == "create":
            return Response((await self.env.ORDER.create()).id)
        if path.startswith("send"):
            await self.env.MAIL.send(path)
            return Response("sent")
        if path == "":
            return Response("hello")
        order = await self.env.ORDER.get(path)
        return Response((await order.status())["status"])

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            note("got", message.body)
"""
CONFIG = (
    ORDER
    + """
[[queues.producers]]
queue = "mail"
binding = "MAIL"
[[queues.consumers]]
queue = "mail"
max_batch_timeout = 0
"""
)
REST = "/cdn-cgi/client/v4/accounts/local"


@contextlib.contextmanager
def refuse_writes(process):
    """No file can be written by a process. Its children may go on, and so may it later."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextlib.contextmanager
def fill(folder):
    """Not a byte is left on the disk of a folder."""
    stuffing = folder / "stuffing"
    with stuffing.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    try:
        yield
    finally:
        stuffing.unlink()


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, of twelve megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk can be made on Linux by root only")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def served(folder, *options):
    environment = {"LINES": str(folder / "lines.txt")}
    return Dev(folder, "--no-reload", *options, code=WORKER, config=CONFIG, environment=environment)


def ask_for_writes(dev, number):
    """Everything that must not be acknowledged now: path, status, text."""
    answers = {path: dev.get(path) for path in ("/create", f"/send-refused-{number}")}
    answers["local"] = dev.post("/cdn-cgi/local/queues/mail/messages", {"body": f"refused {number}"})
    answers["rest"] = dev.post(f"{REST}/workflows/order/instances", {})
    return {name: (answer.status, answer.text) for name, answer in answers.items()}


def all_complete(dev, ids, seconds=5):
    deadline = time.monotonic() + seconds
    while (found := Counter(dev.get(f"/{id}").text for id in ids)) != {"complete": len(ids)}:
        if time.monotonic() > deadline:
            return found
        time.sleep(0.02)
    return "all"


def check_lines(folder, ids):
    """Each step ran, none again after its result was handed over; and nothing came of what was refused."""
    lines = [line.split() for line in (folder / "lines.txt").read_text().splitlines()]
    acked = set()
    again = []
    for kind, *subject in lines:
        again += [subject] if kind == "exec" and tuple(subject) in acked else []
        acked |= {tuple(subject)} if kind == "ack" else set()

    assert [] == again
    assert {id for id, _ in acked} == set(ids)
    assert [] == [words for words in lines if "refused" in " ".join(words)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets limits of another process")
def test_a_disk_that_refuses_every_write(tmp_path):
    """
    Three times over: reads go on, no write is acknowledged, each refusal names the cause, and all ends afterwards.
    """
    with served(tmp_path) as dev:
        ids = []
        for number in range(3):
            ids += [dev.get("/create").text for _ in range(4)]
            with refuse_writes(dev.process):
                answers = ask_for_writes(dev, number)

                assert "hello" == dev.get("/").text
                assert dev.get(f"/{ids[0]}").text in ("running", "waiting", "complete")

                time.sleep(0.3)

            assert {500, 507} == {status for status, _ in answers.values()}
            assert all(
                "state.db: disk I/O error; nothing of this change was kept" in text for _, text in answers.values()
            )
            assert "all" == all_complete(dev, ids)
            assert "sent" == dev.get(f"/send-{number}").text

        dev.wait_for("can be written again")

        assert str(PROJECT / "emulator") not in dev.text, "a traceback of the emulator's own"
        assert (0, []) == (dev.stop()[0], [])

    check_lines(tmp_path, ids)


@pytest.mark.slow
def test_a_full_disk(tmp_path, disk):
    """
    The same on a disk without a byte left; the refusal says to make room.
    """
    with served(tmp_path, "--persist-to", disk / "state") as dev:
        ids = [dev.get("/create").text for _ in range(4)]
        with fill(disk):
            while (
                answer := dev.post(f"{REST}/workflows/order/instances", {"params": {"a": 3000 * "x"}})
            ).status == 200:
                ids.append(answer.json["result"]["id"])

            assert 507 == answer.status
            assert "database or disk is full; nothing of this change was kept; make room on the disk" in answer.text
            assert "hello" == dev.get("/").text

            time.sleep(0.3)

        assert "all" == all_complete(dev, ids)
        assert 0 == dev.stop()[0]

    check_lines(tmp_path, ids)


# The store by itself


def refuse_commits(store, times):
    """The next so many commits fail, as a disk makes them fail."""
    run, left = store._run, [times]

    def refuse(sql):
        if sql == "commit" and left[0]:
            left[0] -= 1
            store._db.execute("rollback")
            raise store._refusal(sqlite3.OperationalError("disk I/O error"))
        run(sql)

    store._run = refuse


async def test_a_refused_commit_is_known_in_a_later_turn(emu):
    """
    Whoever could not wait within the turn asks the commit itself.
    """
    store = (await emu.start(HELLO)).emulator.store
    refuse_commits(store, 1)
    with store.transaction():
        pass
    commit = store.commit
    await asyncio.sleep(0.01)

    with pytest.raises(StoreError, match="nothing of this change was kept"):
        await commit


async def test_what_sqlite_refuses_is_an_error_of_the_store(emu):
    """
    An error within a transaction undoes it, says what is wrong, and leaves the store usable.
    """
    store = (await emu.start(HELLO)).emulator.store
    with pytest.raises(StoreError, match="no such table: nowhere"), store.transaction():
        store._db.execute("insert into nowhere values (1)")
    with store.transaction():
        store._db.execute("insert into queues (name) values ('kept')")
    await store.durable()

    assert ("kept",) == store._db.execute("select name from queues").fetchone()


async def test_a_turn_that_sqlite_gave_up_is_refused_whole(emu):
    """
    When a full disk has undone the turn, what is written later in it is refused too: nothing is kept in part.
    """
    store = (await emu.start(HELLO)).emulator.store
    with store.transaction():
        store._db.execute("insert into queues (name) values ('first')")
    store._db.execute("rollback")

    with pytest.raises(StoreError, match="refused"), store.transaction():
        store._db.execute("insert into queues (name) values ('second')")
    with pytest.raises(StoreError):
        await store.durable()

    assert [] == store._db.execute("select name from queues").fetchall()


@pytest.mark.parametrize("refused", range(2, 9))
@pytest.mark.parametrize("code", ["return 1", "await step.sleep('z', '1 hour')\nreturn 1"], ids=["ends", "sleeps"])
async def test_an_instance_goes_on_whichever_commit_is_refused(emu, monkeypatch, code, refused):
    """
    The n-th commit after its creation fails, whatever it was: the instance ends all the same, without a restart.
    """
    monkeypatch.setattr(recovery, "AFTER", 0.01)
    steps = """
@step.do("a")
async def a():
    return 1
await a()
"""
    await emu.start(worker(steps + code), config=ORDER)
    store = emu.emulator.store
    run, count = store._run, [0]

    def refuse(sql):
        count[0] += sql == "commit"
        if sql == "commit" and count[0] == refused:
            store._db.execute("rollback")
            raise store._refusal(sqlite3.OperationalError("disk I/O error"))
        run(sql)

    store._run = refuse
    order = await emu.create("order")
    for _ in range(40):
        if order.status == "complete":
            break
        await asyncio.sleep(0.02)
        await emu.advance(hours=1)

    assert "complete" == order.status


class Unreadable:
    """A connection to a file whose disk is gone."""

    def execute(self, *_):
        raise sqlite3.OperationalError("disk I/O error")


async def test_a_read_that_the_disk_refuses_is_a_store_error(emu):
    """
    Who asks is told in a sentence of ours, with a remedy.
    """
    await emu.start(worker("return 1"), config=ORDER)
    order = await emu.create("order")
    emu.emulator.store.instances._db = Unreadable()

    with pytest.raises(StoreError, match="could not be read: disk I/O error; when"):
        emu.emulator.engine.get("order", order.id)


async def test_sleepers_wake_although_a_read_failed_once(tmp_path, monkeypatch):
    """
    The one who wakes them all looks again a little later.
    """
    monkeypatch.setattr(sleepers, "_AGAIN_AFTER", 0.01)
    emu = Emulated(tmp_path, limits=Limits(hot_window=timedelta()))
    await emu.start(worker('await step.sleep("nap", "1 hour")\nreturn 1'), config=ORDER)
    order = await emu.create("order")
    table = emu.emulator.store.instances
    db, table._db = table._db, Unreadable()
    emu.emulator.engine._passes._sleepers.look_again()
    for _ in range(20):
        await asyncio.sleep(0.001)
    table._db = db
    for _ in range(20):
        await asyncio.sleep(0.002)
    await emu.advance(hours=1)

    assert 1 == order.output

    await emu.stop()


async def test_a_termination_whose_end_the_disk_refuses_is_no_success(emu, monkeypatch):
    """
    Who asked for terminate(rollback=True) is told; the instance ends all the same when there is room again.
    """
    monkeypatch.setattr(recovery, "AFTER", 0.01)
    undone = """
@step.do("a", rollback=lambda: None)
async def a():
    return 1
await a()
await step.sleep("nap", "1 day")
"""
    await emu.start(worker(undone), config=ORDER)
    order = await emu.create("order")
    store, endings = emu.emulator.store, emu.emulator.engine._passes.endings
    run, record = store._run, endings.record

    def refuse(sql):
        store._run = run
        store._db.execute("rollback")
        raise store._refusal(sqlite3.OperationalError("disk I/O error"))

    def recorded(*arguments, **options):
        endings.record = record
        record(*arguments, **options)
        store._run = refuse

    endings.record = recorded

    with pytest.raises(StoreError):
        await emu.emulator.engine.terminate("order", order.id, rollback=True)

    for _ in range(50):
        await asyncio.sleep(0.002)

    assert "terminated" == order.status
