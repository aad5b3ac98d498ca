"""The store: whole or not at all, on disk when it says so, one holder per folder."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

from emulator.errors import StateInUse, StoreError
from emulator.models import Attempt, Failure, Status, Step, StepKind, StepState, Trigger
from emulator.store import Store, Superseded

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path):
    opened = Store(tmp_path / "state")
    yield opened
    opened.close()


def add(store, id="one", workflow="order"):
    return store.instances.add(workflow, id, params='{"sku":"tea"}', trigger=Trigger.BINDING, at=NOW)


def done(key, order, name):
    """A step that has gone well."""
    return Step(
        instance=key,
        kind=StepKind.DO,
        name=name,
        count=1,
        order=order,
        state=StepState.DONE,
        started_at=NOW,
        result="1",
    )


def counted_by_another(store, table):
    """How many rows another connection sees."""
    with closing(sqlite3.connect(store.folder / "state.db")) as db:
        return db.execute(f"select count(*) from {table}").fetchone()[0]


async def test_what_was_written_is_on_disk_after_durable(store):
    """
    Another connection sees a change once `durable` has returned, and not before.
    """
    with store.transaction():
        add(store)

    assert 0 == counted_by_another(store, "instances")

    await store.durable()

    assert 1 == counted_by_another(store, "instances")


async def test_all_transactions_of_one_turn_share_a_commit(store):
    """
    A failed transaction takes nothing of its neighbours in the same turn with it.
    """
    with store.transaction():
        add(store, "kept")
    with pytest.raises(ZeroDivisionError), store.transaction():  # noqa: PT012 - the write before the error is the point
        add(store, "dropped")
        raise ZeroDivisionError
    with store.transaction():
        add(store, "kept too")
    await store.durable()

    assert store.instances.get("order", "kept")
    assert store.instances.get("order", "kept too")
    assert store.instances.get("order", "dropped") is None


async def test_a_commit_that_fails_is_told_to_who_waits_and_nothing_is_kept(store):
    """
    When the commit is refused, `durable` raises StoreError and the change is gone.
    """
    with store.transaction():
        add(store)
        # A foreign key that is only checked at the commit stands for a disk that refuses it.
        store._db.execute("pragma defer_foreign_keys = on")
        store._db.execute("insert into events (instance, type, payload, sent_at) values (999, 'x', '1', 0)")

    with pytest.raises(StoreError, match="nothing of this change was kept"):
        await store.durable()

    assert store.instances.get("order", "one") is None


async def test_an_id_is_taken_once_per_workflow(store):
    """
    A second instance of the same id is refused; another workflow may use the id.
    """
    with store.transaction():
        first = add(store)

        assert first is not None
        assert add(store) is None
        assert add(store, workflow="refund") is not None


async def test_an_instance_comes_back_as_it_was_written(store):
    """
    Times keep their microseconds, errors their class and text, params their bytes.
    """
    exact = NOW.replace(microsecond=123456)
    error = Failure(name="ValueError", message="no tea", trace="…", type="builtins:ValueError")
    with store.transaction():
        instance = add(store)
        store.instances.change(instance.key, at=exact, status=Status.ERRORED, ended_at=exact, error=error)

    found = store.instances.get("order", "one")

    assert (Status.ERRORED, exact, error) == (found.status, found.ended_at, found.error)
    assert ('{"sku":"tea"}', NOW) == (found.params, found.created_at)


async def test_a_superseded_run_cannot_write(store):
    """
    Claiming an instance raises its epoch; a write with the older one is refused.
    """
    with store.transaction():
        instance = add(store)
        old = store.instances.claim(instance.key, at=NOW)
        new = store.instances.claim(instance.key, at=NOW)

    assert old.epoch < new.epoch

    with pytest.raises(Superseded), store.transaction():
        store.instances.change(instance.key, epoch=old.epoch, at=NOW, status=Status.COMPLETE)

    with store.transaction():
        store.instances.change(instance.key, epoch=new.epoch, at=NOW, status=Status.COMPLETE)

    assert Status.COMPLETE == store.instances.get("order", "one").status


async def test_steps_come_back_in_the_order_in_which_they_started(store):
    """
    Steps are listed by their order, whatever their names.
    """
    with store.transaction():
        key = add(store).key
        for order, name in enumerate(["z", "a", "m"]):
            store.steps.put(done(key, order, name))

    assert ["z", "a", "m"] == [step.name for step in store.steps.of(key)]


async def test_events_are_taken_oldest_first_and_by_type(store):
    """
    Eleven and more events of a type come back in the order in which they were sent.
    """
    with store.transaction():
        key = add(store).key
        for number in range(12):
            store.events.add(key, "go", payload=str(number), at=NOW)
        store.events.add(key, "stop", payload='"other"', at=NOW)

    taken = []
    while (event := store.events.oldest(key, "go")) is not None:
        taken.append(event.payload)
        with store.transaction():
            store.events.forget(event.sequence)

    assert [str(number) for number in range(12)] == taken


async def test_forgetting_steps_forgets_an_attempt_that_has_no_step_yet(store):
    """
    What was numbered ahead of a step that never came does not count for the one that takes its place.
    """
    with store.transaction():
        key = add(store).key
        for order in (1, 2, 3):
            store.steps.put_attempt(Attempt(instance=key, order=order, attempt=1, started_at=NOW))
        for order in (1, 2):
            store.steps.put(done(key, order, f"s{order}"))
        store.steps.forget(key, [2])

    assert [1] == [each.order for each in store.steps.attempts(key)]


async def test_deleting_an_instance_forgets_all_that_belongs_to_it(store):
    """
    Steps, attempts and events go with their instance.
    """
    with store.transaction():
        key = add(store).key
        store.events.add(key, "go", payload="1", at=NOW)
        store.instances.delete(key)
    await store.durable()

    assert 0 == counted_by_another(store, "events")


async def test_the_settings_that_make_it_durable_are_on(store):
    """
    The connection uses the write-ahead log and syncs each commit.
    """
    assert "wal" == store._db.execute("pragma journal_mode").fetchone()[0]
    assert 2 == store._db.execute("pragma synchronous").fetchone()[0]


async def test_a_second_holder_of_a_folder_is_told_who_has_it(store):
    """
    Another process on the same folder ends with a line that names pid and port.
    """
    store.lock.note_port(8787)
    code = "import sys; from pathlib import Path; from emulator.store import Store; Store(Path(sys.argv[1]))"

    second = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code, str(store.folder)], capture_output=True, text=True, check=False
    )

    assert 0 != second.returncode
    assert "StateInUse" in second.stderr
    assert "on port 8787" in second.stderr


async def test_a_lock_is_free_again_once_it_was_released(tmp_path):
    """
    Closing a store lets the next one open the folder at once.
    """
    Store(tmp_path).close()
    Store(tmp_path).close()


async def test_holding_a_folder_twice_in_one_process_is_refused_too(store):
    """
    The lock also stands between two stores of one process.
    """
    with pytest.raises(StateInUse):
        Store(store.folder)


@pytest.mark.parametrize(
    "content",
    [b"this is no database, it is a text of more than a hundred bytes " * 3, b"SQLite format 3\0" + b"\xff" * 200],
    ids=["text", "a damaged head"],
)
async def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path, content):
    """
    A foreign file in the place of the database gives one clear line and is not touched.
    """
    (tmp_path / "state.db").write_bytes(content)

    with pytest.raises(StoreError, match=r"state\.db"):
        Store(tmp_path)

    assert content == (tmp_path / "state.db").read_bytes()


async def test_a_database_of_a_newer_emulator_is_refused(tmp_path):
    """
    A schema newer than ours is left alone, and the line says what to do.
    """
    db = sqlite3.connect(tmp_path / "state.db")
    db.execute("pragma user_version = 999")
    db.close()

    with pytest.raises(StoreError, match="newer emulator"):
        Store(tmp_path)


async def test_what_need_not_be_synced_shares_a_turn_with_what_must(store):
    """
    Both are kept, in whatever order they come, and the next turn begins with its own setting.
    """
    for light in (True, False, True):
        with store.transaction(synced=not light):
            add(store, f"first {light} {store.instances.count_by_status('order')}")
        with store.transaction():
            add(store, f"second {light} {store.instances.count_by_status('order')}")
        with store.transaction(synced=False):
            add(store, f"third {light} {store.instances.count_by_status('order')}")
        await store.durable()

    assert {"queued": 9} == store.instances.count_by_status("order")
    assert 2 == store._db.execute("pragma synchronous").fetchone()[0]
