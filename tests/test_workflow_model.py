"""
Any sequence of calls, moments and crashes against a model of forty lines.

More examples: `WORKFLOW_MODEL_EXAMPLES=2000 pytest tests/test_workflow_model.py`.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flows import ORDER, notes, worker
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support import Emulated, Handle

from emulator.errors import WorkflowError
from emulator.models import StepKind
from emulator.store.listing import Listing
from emulator.workflows.engine import Wanted
from emulator.workflows.owners import Limits

CODE = """
id = event["instanceId"]

@step.do("a", config={"retries": {"limit": 3, "delay": "10 seconds", "backoff": "constant"}})
async def a(ctx):
    note(f"exec {id} a {ctx['attempt']}")
    if ctx["attempt"] == 1:
        raise OSError("not yet")
    return "a"

@step.do("b")
async def b(ctx):
    note(f"exec {id} b {ctx['attempt']}")
    return "b"

async def event_or_none(name):
    try:
        return (await step.wait_for_event(name, "go", timeout="100 seconds"))["payload"]
    except Exception:
        return None

await a()
note(f"ack {id} a")
await step.sleep("nap", "1 minute")
first = await event_or_none("w1")
if first == "fail":
    raise ValueError("as told")
await b()
note(f"ack {id} b")
return [first, await event_or_none("w2")]
"""

START = datetime(2030, 1, 1, tzinfo=UTC)
IDS = st.sampled_from(["one", "two", "three"])


@dataclass
class Expected:
    """What an instance should be. Times are seconds since the start."""

    status: str = "waiting"
    stands_in: str = "a"
    until: float = 0
    paused_at: float = 0
    events: list[Any] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)

    def begin(self, now: float) -> Expected:
        self.until = now + 10
        return self

    def interrupted(self, now: float) -> None:
        """The first attempt of `a`, which would have failed, was cut off: the second one runs at once and works."""
        self.stands_in, self.until = "nap", now + 60
        self.go_on(now)

    def go_on(self, now: float) -> None:
        """As far as it comes at this moment."""
        while self.status == "waiting":
            due = now >= self.until
            if self.stands_in in ("w1", "w2") and (self.events or due):
                self._take(self.events.pop(0) if self.events else None, now)
            elif self.stands_in in ("a", "nap") and due:
                self.stands_in, wait = ("nap", 60) if self.stands_in == "a" else ("w1", 100)
                self.until = now + wait
            else:
                return

    def _take(self, payload: Any, now: float) -> None:
        self.got.append(payload)
        if self.stands_in == "w2":
            self.status, self.stands_in = "complete", "the end"
        elif payload == "fail":
            self.status = "errored"
        else:
            self.stands_in, self.until = "w2", now + 100

    def pass_time(self, to: float) -> None:
        while self.status == "waiting" and self.until <= to:
            self.go_on(self.until)

    @property
    def is_final(self) -> bool:
        return self.status in ("complete", "errored", "terminated")

    @property
    def has_b(self) -> bool:
        return self.stands_in in ("w2", "the end")

    @property
    def steps(self) -> dict[str, str]:
        found = {"a-1": "done", "nap-1": "done", "w1-1": "started", "b-1": "done", "w2-1": "started"}
        for label, payload in zip(("w1-1", "w2-1"), self.got, strict=False):
            found[label] = "failed" if payload is None else "done"
        match self.stands_in:
            case "a":
                return {"a-1": "backing off"}
            case "nap":
                return {"a-1": "done", "nap-1": "started"}
            case "w1":
                return {label: found[label] for label in ("a-1", "nap-1", "w1-1")}
            case _:
                return found


class Workflows(RuleBasedStateMachine):
    """The real engine on a real store, on a clock that stands, beside the model."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.model: dict[str, Expected] = {}
        self.streams = sys.stdout, sys.stderr
        self.payloads = 0
        self.crashes = 0

    @initialize(hot=st.booleans())
    def start(self, hot: bool) -> None:
        limits = Limits(hot_window=timedelta(seconds=1 if hot else 0))
        self.emu = Emulated(Path(self.folder.name), limits=limits)
        self.run(self.emu.start(worker(CODE), config=ORDER))

    def teardown(self) -> None:
        self.run(self.emu.stop())
        self.loop.close()
        sys.stdout, sys.stderr = self.streams
        self.folder.cleanup()

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @property
    def now(self) -> float:
        return (self.emu.clock.now() - START).total_seconds()

    @property
    def engine(self) -> Any:
        return self.emu.emulator.engine

    def refused(self, work: Any) -> str | None:
        """The code of the refusal, None if it was done."""

        async def act() -> None:
            await work
            await self.emu.settle()

        try:
            self.run(act())
        except WorkflowError as error:
            return error.code.removeprefix("instance.")
        return None

    # What is asked for

    @rule(id=IDS)
    def create(self, id: str) -> None:
        refused = self.refused(self.engine.create("order", Wanted(id=id)))

        assert refused == ("already_exists" if id in self.model else None)

        self.model.setdefault(id, Expected().begin(self.now))

    @rule(ids=st.lists(IDS, min_size=1, max_size=4))
    def create_batch(self, ids: list[str]) -> None:
        made = self.run(self.engine.create_batch("order", [Wanted(id=id) for id in ids]))
        self.run(self.emu.settle())
        new = [id for id in dict.fromkeys(ids) if id not in self.model]

        assert new == [instance.id for instance in made]

        self.model |= {id: Expected().begin(self.now) for id in new}

    @rule(id=IDS, fails=st.integers(0, 5))
    def send_event(self, id: str, fails: int) -> None:
        payload = self.payload(fails)
        text = f'"{payload}"'
        refused = self.refused(self.engine.send_event("order", id, event_type="go", payload=text))
        expected = self.model.get(id)

        assert refused == self.why_not(expected, expected is None or expected.is_final, "cannot_receive_event")

        if refused is None and expected is not None:
            expected.events.append(payload)
            expected.go_on(self.now)

    @rule(id=IDS)
    def pause(self, id: str) -> None:
        refused = self.refused(self.engine.pause("order", id))
        expected = self.model.get(id)

        assert refused == self.why_not(expected, expected is None or expected.status != "waiting", "cannot_pause")

        if refused is None and expected is not None:
            expected.status, expected.paused_at = "paused", self.now

    @rule(id=IDS)
    def resume(self, id: str) -> None:
        refused = self.refused(self.engine.resume("order", id))
        expected = self.model.get(id)

        assert refused == self.why_not(expected, expected is None or expected.status != "paused", "cannot_resume")

        if refused is None and expected is not None:
            expected.status = "waiting"
            expected.until += self.now - expected.paused_at
            expected.go_on(self.now)

    @rule(id=IDS)
    def terminate(self, id: str) -> None:
        refused = self.refused(self.engine.terminate("order", id))
        expected = self.model.get(id)

        assert refused == self.why_not(expected, expected is None or expected.is_final, "cannot_terminate")

        if refused is None and expected is not None:
            expected.status = "terminated"

    @rule(id=IDS)
    def restart(self, id: str) -> None:
        self.note(f"restart {id} a b") if id in self.model else None
        refused = self.refused(self.engine.restart("order", id))

        assert refused == (None if id in self.model else "not_found")

        if id in self.model:
            self.model[id] = Expected().begin(self.now)

    @rule(id=IDS)
    def restart_from_b(self, id: str) -> None:
        expected = self.model.get(id)
        if expected is not None and expected.has_b:
            self.note(f"restart {id} b")
        refused = self.refused(self.engine.restart("order", id, from_step=(StepKind.DO, "b", 1)))

        assert refused == self.why_not(expected, expected is None or not expected.has_b, "cannot_restart")

        if refused is None and expected is not None:
            expected.status, expected.stands_in, expected.got = "waiting", "w2", expected.got[:1]
            expected.until = self.now + 100
            expected.go_on(self.now)

    @rule(id=IDS)
    def delete(self, id: str) -> None:
        self.note(f"restart {id} a b")
        refused = self.refused(self.engine.delete("order", id))

        assert refused == (None if id in self.model else "not_found")

        self.model.pop(id, None)

    @rule(seconds=st.sampled_from([1, 9, 10, 30, 60, 99, 100, 250]))
    def advance(self, seconds: int) -> None:
        to = self.now + seconds
        self.run(self.emu.advance(seconds=seconds))
        for expected in self.model.values():
            expected.pass_time(to)

    # What happens to the emulator

    @rule(seconds=st.sampled_from([0, 0, 50, 500]), end=st.sampled_from(["stop", "crash"]))
    def be_down(self, seconds: int, end: str) -> None:
        self.run(getattr(self.emu, end)())
        self.run(self.emu.clock.advance(timedelta(seconds=seconds)))
        self.run(self.emu.start())
        for expected in self.model.values():
            expected.go_on(self.now)

    @rule()
    def reload(self) -> None:
        self.run(self.emu.reload())

    @precondition(lambda self: self.crashes < 6)
    @rule(
        id=IDS,
        call=st.sampled_from(["create", "send_event", "pause", "terminate", "advance"]),
        turns=st.integers(0, 60),
    )
    def crash_in_the_middle(self, id: str, call: str, turns: int) -> None:
        """
        The emulator dies so many turns of the loop into a call. A call that had returned holds; any other did or not.
        """
        self.crashes += 1
        payload = self.payload(1)
        returned = self.run(self._crash(id, call, turns, payload))
        done = self._was_done(id, call, payload)

        assert done or not returned

        expected = self.model.get(id)
        if call == "create" and expected is None and done:
            self.model[id] = Expected().begin(self.now)
        elif expected is not None and not expected.is_final and done:
            if call == "send_event":
                expected.events.append(payload)
            if call == "pause" and expected.status == "waiting":
                expected.status, expected.paused_at = "paused", self.now
            if call == "terminate":
                expected.status = "terminated"
        self.run(self.emu.start())
        for each, instance in self.model.items():
            if call == "advance":
                instance.pass_time(self.now)
            instance.go_on(self.now)
            if instance.stands_in == "a" and instance.status == "waiting" and self._first_was_interrupted(each):
                instance.interrupted(self.now)

    async def _crash(self, id: str, call: str, turns: int, payload: str) -> bool:
        calls = {
            "create": lambda: self.engine.create("order", Wanted(id=id)),
            "send_event": lambda: self.engine.send_event("order", id, event_type="go", payload=f'"{payload}"'),
            "pause": lambda: self.engine.pause("order", id),
            "terminate": lambda: self.engine.terminate("order", id),
            "advance": lambda: self.emu.advance(seconds=70),
        }
        task = asyncio.ensure_future(calls[call]())
        for _ in range(turns):
            await asyncio.sleep(0)
        returned = task.done() and task.exception() is None
        reached = self.emu.clock.now()
        await self.emu.crash()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.emu.clock._stands = reached
        return returned

    def _was_done(self, id: str, call: str, payload: str) -> bool:
        if call == "advance":
            return True
        with closing(sqlite3.connect(self.emu.folder / ".emulator" / "state.db")) as db:
            found = {
                "create": "select count(*) from instances where id = :id",
                "send_event": """
                    select (select count(*) from events where payload like :payload)
                        + (select count(*) from steps where result like :payload)
                    """,
                "pause": "select count(*) from instances where id = :id and status in ('paused', 'waitingForPause')",
                "terminate": "select count(*) from instances where id = :id and status = 'terminated'",
            }
            (count,) = db.execute(found[call], {"id": id, "payload": f"%{payload}%"}).fetchone()
        db.close()
        return bool(count)

    def _first_was_interrupted(self, id: str) -> bool:
        attempts = self.engine.attempts(self.engine.get("order", id))
        return bool(attempts) and attempts[0].error is not None and attempts[0].error.name == "Interrupted"

    # What must hold

    @invariant()
    def every_instance_is_as_expected(self) -> None:
        if not hasattr(self, "emu"):
            return
        real = {row.id: row for row in self.emu.emulator.store.instances.listed(Listing(workflow="order"))}

        assert real.keys() == self.model.keys()

        for id, expected in self.model.items():
            handle = Handle(self.emu, "order", id)

            assert (id, expected.status, expected.steps) == (id, handle.status, handle.steps)
            assert handle.output == (expected.got if expected.status == "complete" else None)
            assert len(expected.events) == self._buffered(real[id].key)
            assert expected.is_final == (real[id].ended_at is not None)
            assert not expected.is_final or all(a.ended_at for a in self.engine.attempts(real[id]))

    @invariant()
    def what_was_handed_out_never_runs_again(self) -> None:
        """Between two restarts: no body after its result was received, and every attempt has a higher number."""
        if not hasattr(self, "emu"):
            return
        handed_out: set[tuple[str, str]] = set()
        latest: Counter[tuple[str, str]] = Counter()
        for line in notes(self.emu):
            what, id, *rest = line.split()
            match what:
                case "restart":
                    handed_out -= {(id, name) for name in rest}
                    for name in rest:
                        latest.pop((id, name), None)
                case "ack":
                    handed_out.add((id, rest[0]))
                case "exec":
                    assert (id, rest[0]) not in handed_out
                    assert int(rest[1]) > latest[id, rest[0]]

                    latest[id, rest[0]] = int(rest[1])
        assert all(count <= 2 + self.crashes for count in latest.values())

    # Parts of the above

    def payload(self, fails: int) -> str:
        self.payloads += 1
        return "fail" if fails == 0 else f"event {self.payloads}."

    def note(self, text: str) -> None:
        with (self.emu.folder / "notes.txt").open("a") as file:
            file.write(text + "\n")

    def _buffered(self, key: int) -> int:
        (count,) = self.emu.emulator.store._db.execute(
            "select count(*) from events where instance = ?", (key,)
        ).fetchone()
        return int(count)

    @staticmethod
    def why_not(expected: Expected | None, impossible: bool, code: str) -> str | None:
        if expected is None:
            return "not_found"
        return code if impossible else None


MORE = os.environ.get("WORKFLOW_MODEL_EXAMPLES")

TestWorkflows = Workflows.TestCase
TestWorkflows.pytestmark = [pytest.mark.timeout(0 if MORE else 60)]
TestWorkflows.settings = settings(
    max_examples=int(MORE or 30),
    stateful_step_count=25,
    derandomize=MORE is None,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
