"""The steps of a workflow read from its source: what is written, and what comes of it."""

import ast
import json
from pathlib import Path
from textwrap import dedent, indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import graph
from emulator.errors import EmulatorError
from emulator.graph.files import reachable

PROJECT = Path(__file__).parent.parent
MAIN = Path("/worker/entry.py")
HEAD = """
import asyncio
from workers import WorkflowEntrypoint

PATIENT = {"retries": {"limit": 2, "delay": "1 second", "backoff": "linear"}, "timeout": "5 minutes"}

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
"""
STEPS = """
@step.do()
async def a(): ...
@step.do("second")
async def b(): ...
"""


def read(body, after="", **more):
    """The graph of a `run` with this body."""
    text = HEAD + indent(dedent(body).strip(), " " * 8) + "\n" + dedent(after)
    sources = {MAIN: text, **{MAIN.parent / f"{name}.py": dedent(source) for name, source in more.items()}}
    return graph.read(sources, MAIN, "Order")


def outline_of(found):
    """The outline of a graph, without its first line and its margin."""
    return "\n".join(line.removeprefix("  ") for line in graph.as_outline(found).splitlines()[1:])


def outline(body):
    """The outline of a `run` with this body."""
    return outline_of(read(body))


CASES = {
    "one step": (STEPS + "await a()", "do a"),
    "a name of its own": (STEPS + "await b()", "do second"),
    "twice": (STEPS + "await a()\nawait a()", "do a\ndo a"),
    "never": (STEPS, ""),
    "a sleep": ('await step.sleep("nap", "1 hour")', "sleep nap (1 hour)"),
    "a sleep in milliseconds": ('await step.sleep("nap", 300)', "sleep nap (300 ms)"),
    "a sleep until": ('await step.sleep_until("nap", when)', "sleep nap (until when)"),
    "a wait": ('await step.wait_for_event("ok", "go")', 'wait ok (for "go", at most 24 hours)'),
    "a wait by keywords": (
        'x = await step.wait_for_event("ok", event_type="go", timeout="1 hour")',
        'wait ok (for "go", at most 1 hour)',
    ),
    "the older spelling": ('await step.waitForEvent("ok", "go")', 'wait ok (for "go", at most 24 hours)'),
    "a name that only the run knows": (
        'await step.sleep(f"after {left}", 1)\nawait step.sleep(x, 1)',
        "sleep after {left} (1 ms)\nsleep {x} (1 ms)",
    ),
    "a step on the spot": ('await step.do("x")(fetch)()', "do x"),
    "a step with its function": ('await step.do("x", fetch)', "do x"),
    "a for loop": (
        STEPS + "for item in items:\n    await a()\n    await b()",
        "for item in items\n  do a\n  do second",
    ),
    "a while loop": (STEPS + "while await a():\n    pass", "while await a()\n  do a"),
    "what follows a while loop": (
        STEPS + "while x:\n    await a()\nelse:\n    await b()",
        "while x\n  do a\ndo second",
    ),
    "a break": (STEPS + "for x in y:\n    await a()\n    break", "for x in y\n  do a\n  break"),
    "a loop without steps": (STEPS + "for x in y:\n    z += x\nawait a()", "do a"),
    "an asynchronous loop": (STEPS + "async for x in y:\n    await a()", "for x in y\n  do a"),
    "a comprehension": (STEPS + "z = [await a() for x in y if await b()]", "for x in y\n  do second\n  do a"),
    "an if": (STEPS + "if x > 1:\n    await a()", "if x > 1\n  do a"),
    "if, elif and else": (
        STEPS + "if x:\n    await a()\nelif y:\n    await b()\nelse:\n    await a()",
        "if x\n  do a\nelif y\n  do second\nelse\n  do a",
    ),
    "a step in the condition": (STEPS + "if await a():\n    await b()", "do a\nif await a()\n  do second"),
    "an early return": (STEPS + "if x:\n    return 1\nawait a()\nreturn 2", "if x\n  return\ndo a"),
    "a conditional expression": (STEPS + "x = await a() if y else await b()", "if y\n  do a\nelse\n  do second"),
    "and": (STEPS + "x = y and await a()", "if y\n  do a"),
    "a match": (
        STEPS + "match x:\n    case 1:\n        await a()\n    case _:\n        await b()",
        "match x\n  case 1\n    do a\n  case _\n    do second",
    ),
    "a try": (
        STEPS + "try:\n    await a()\nexcept ValueError:\n    await b()\nfinally:\n    await a()",
        "try\n  do a\nexcept\n  do second\nfinally\n  do a",
    ),
    "a try with several handlers": (
        STEPS + "try:\n    pass\nexcept ValueError:\n    await a()\n    return\nexcept:\n    await b()",
        "except\n  match the error\n    case ValueError\n      do a\n      return\n    case _\n      do second",
    ),
    "a try whose handlers take no steps": (
        STEPS + "try:\n    await a()\nexcept ValueError:\n    pass\nexcept:\n    pass",
        "try\n  do a",
    ),
    "gather": (STEPS + "x, y = await asyncio.gather(a(), b())", "at once, all\n  - do a\n  - do second"),
    "gather of many": (
        STEPS + "await asyncio.gather(*[a() for x in y], return_exceptions=True)",
        "at once, all settled\n  - for x in y\n      do a",
    ),
    "the first of several": (
        STEPS + "await asyncio.wait([a(), b()], return_when=asyncio.FIRST_COMPLETED)",
        "at once, race\n  - do a\n  - do second",
    ),
    "a task group": (
        STEPS + "async with asyncio.TaskGroup() as group:\n    group.create_task(a())\n    group.create_task(b())",
        "at once, all\n  - do a\n  - do second",
    ),
    "a with": (STEPS + "with lock:\n    await a()", "do a"),
    "results that others need": (
        STEPS + "@step.do()\nasync def c(a, b): ...\nawait a()\nawait c()",
        "do a\ndo second\ndo c",
    ),
    "results that others need, at once": (
        STEPS + "@step.do(concurrent=True)\nasync def c(a, b): ...\nawait c()",
        "at once, all\n  - do a\n  - do second\ndo c",
    ),
    "a result that two others need": (
        STEPS + "@step.do()\nasync def c(b): ...\n@step.do()\nasync def d(c, b): ...\nawait d()",
        "do second\ndo c\ndo d",
    ),
    "a result that another needs as well, at once": (
        STEPS + "@step.do()\nasync def c(b): ...\n@step.do(concurrent=True)\nasync def d(c, b): ...\nawait d()",
        "do second\ndo c\ndo d",
    ),
    "results by the older way": (
        STEPS + "@step.do('third', depends=[a, b])\nasync def c(x, y): ...\nawait c()",
        "do a\ndo second\ndo third",
    ),
    "a function inside": (
        STEPS + "async def both():\n    await a()\n    await b()\nawait asyncio.gather(both(), both())",
        "at once, all\n  - both()\n  - both()\n\nboth()\ndo a\ndo second",
    ),
    "step under another name": (STEPS + "s = step\nawait s.sleep('x', 1)", "sleep x (1 ms)"),
    "step handed to a stranger": (
        STEPS + "await library.run(step)\nawait a()",
        "library.run: takes step, and cannot be read from here\ndo a",
    ),
    "step kept somewhere": ("self.step = step", "step: takes step, and cannot be read from here"),
    "no steps at all": ("return 1", ""),
}


@pytest.mark.parametrize(("body", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_written_is_what_is_read(body, expected):
    """
    Steps, waits, loops, branches and conditions, in the order in which they happen.
    """
    assert expected == outline(body)


METHODS = """
    async def both(self, step, n):
        await step.sleep("one", n)
        await self.other(n, step=step)

    async def other(self, n, *, step):
        await step.sleep("two", n)

    async def again(self, step):
        await step.sleep("round", 1)
        await self.again(step)

    def quiet(self, step):
        return 1
"""


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("await self.both(step, 1)", "other()\nsleep two (n)|both()\nsleep one (n)\nother()"),
        ("await self.again(step)", "again()\nsleep round (1 ms)\nagain()"),
        ("self.quiet(step)", ""),
        ("await helper(step)", "helper()\nsleep help (1 ms)"),
        ("await self.missing(step)", "self.missing: takes step, and cannot be read from here"),
    ],
    ids=["methods", "one that calls itself", "one without steps", "a function of the module", "none"],
)
def test_functions_that_are_handed_step_are_read_once(body, expected):
    """
    Methods and functions stand under their names, whoever calls them.
    """
    after = METHODS + '\nasync def helper(s):\n    await s.sleep("help", 1)\n'
    found = outline_of(graph.read({MAIN: f"{HEAD}        {body}\n{after}"}, MAIN, "Order"))

    assert set(expected.split("|")) <= {*found.split("\n\n"), ""}


def test_functions_of_one_name_are_told_apart():
    """
    Each has its own steps, whether it stands in a function, in a class or at the top of the file.
    """
    work = "async def work():\n    await step.sleep('{}', 1)\nawait work()\n"
    run = work.format("one") + "await self.helper(step)\n"
    helper = f"    async def helper(self, step):\n{indent(work.format('two'), ' ' * 8)}"
    found = graph.read({MAIN: HEAD + indent(run, " " * 8) + helper}, MAIN, "Order")

    assert "work()\nhelper()\n\nwork()\nsleep one (1 ms)\n\nhelper()\nwork 2()\n\nwork 2()\nsleep two (1 ms)" == (
        outline_of(found)
    )
    assert {"work", "helper", "work 2"} == set(graph.as_rest(found)["workflow"]["functions"])


def test_functions_and_bases_of_other_files_are_read():
    """
    A class may be imported, derived, and call what another file has.
    """
    flows = """
    from base import Base
    class Order(Base):
        async def run(self, event, step):
            await self.shared(step)
            await far(step)
    from tools.far import far
    """
    base = """
    class Base:
        async def shared(self, step):
            await step.sleep("shared", 1)
    """
    sources = {
        MAIN: "from flows import Order as Order\n",
        MAIN.parent / "flows.py": dedent(flows),
        MAIN.parent / "base.py": dedent(base),
        MAIN.parent / "tools/far.py": "async def far(step):\n    await step.sleep('far', 1)\n",
    }
    found = graph.read(sources, MAIN, "Order")

    assert ["far", "shared"] == sorted(found.functions)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", {"retries": {"limit": 5, "delay": 1000, "backoff": "exponential"}, "timeout": "10 minutes"}),
        (
            "config=PATIENT",
            {"retries": {"limit": 2, "delay": "1 second", "backoff": "linear"}, "timeout": "5 minutes"},
        ),
        (
            'config={"retries": {"limit": n, "delay": wait}, "timeout": timedelta(hours=1)}',
            {"retries": {"limit": 5, "delay": "wait", "backoff": "exponential"}, "timeout": "timedelta(hours=1)"},
        ),
        ("config=made()", {"retries": {"limit": 5, "delay": 1000, "backoff": "exponential"}, "timeout": "10 minutes"}),
    ],
    ids=["none", "a constant", "in part", "unknown"],
)
def test_a_steps_config_is_read_as_far_as_it_can_be(config, expected):
    """
    Constants are known, expressions stand as they were written, the rest is the default.
    """
    found = read(f'@step.do("x", {config})\nasync def x(): ...\nawait x()')
    (node,) = graph.as_rest(found)["workflow"]["nodes"]

    assert expected == node["config"]


def test_the_platforms_json_has_a_kind_for_everything():
    """
    Loops, parallels, ifs, switches, tries, calls, breaks; and for what cannot be read a call that says so.
    """
    every = "\n".join(body for body, _ in CASES.values())
    found = graph.as_rest(read(every))
    text = json.dumps(found)
    kinds = {
        "step_do", "step_sleep", "step_sleep_until", "step_wait_for_event", "loop", "parallel", "if", "switch", "try",
        "block", "function_call", "function_def", "break",
    }  # fmt: skip

    assert kinds == {kind for kind in kinds if f'"type": "{kind}"' in text}
    assert "library.run (not read)" in text


def test_mermaid_draws_everything_and_nothing_ends_a_label():
    """
    Each node is declared once, each arrow leads from one to another, quotes and brackets are escaped.
    """
    every = "\n".join(body for body, _ in CASES.values()) + "\nawait step.sleep('a\"]; end --> \\n%%{x}', 1)"
    text = graph.as_mermaid(read(every))
    names = [line.split("[")[0].split("(")[0].split("{")[0].split(">")[0].strip() for line in text.splitlines()[1:]]
    declared = [name for name in names if name and " " not in name and name.startswith("n")]

    assert text.startswith("flowchart TD\n")
    assert len(declared) == len(set(declared))
    assert '"]; end' not in text
    for line in text.splitlines():
        if "-->" in line:
            start, end = line.split()[0], line.split()[-1]

            assert {start, end} <= set(declared)


def test_a_conditional_in_mermaid():
    """
    A diamond with yes and no.
    """
    drawn = graph.as_mermaid(read(STEPS + "if x:\n    await a()\nawait b()"))

    assert [
        "flowchart TD",
        'n1(["Order"])',
        'n2{"x"}',
        "n1 --> n2",
        'n3["a"]',
        'n2 -->|"yes"| n3',
        'n4["second"]',
        "n3 --> n4",
        'n2 -->|"no"| n4',
        'n5(["end"])',
        "n4 --> n5",
    ] == [line.strip() for line in drawn.splitlines()]


@pytest.mark.parametrize(
    ("text", "words"),
    [("class Order(:", "entry.py:1"), ("x = 1\n\x00", "cannot be read")],
    ids=["a syntax error", "a null byte"],
)
def test_what_is_no_python_is_said(text, words):
    """
    With the file, and the line where there is one.
    """
    with pytest.raises(EmulatorError) as raised:
        graph.read({MAIN: text}, MAIN, "Order")

    assert words in str(raised.value)


@pytest.mark.parametrize("text", ["", "Order = 1", "class Order: ...", "from nowhere import Order"])
def test_what_is_not_there_is_none(text):
    """
    No such class, or no run.
    """
    assert graph.read({MAIN: text}, MAIN, "Order") is None


def test_an_endless_expression_is_an_error_of_one_line(monkeypatch):
    """
    Nothing that parses can bring the reader down, however little stack an interpreter has left.
    """

    def too_deep(source, *arguments, **options):
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr(ast, "parse", too_deep)

    with pytest.raises(EmulatorError, match=r"nested too deeply|cannot be read"):
        read("x = 1")


def test_a_very_deep_expression_is_read_or_refused():
    """
    Older interpreters walk no tree of that depth, newer ones do; neither ends in anything but a graph or one line.
    """
    deep = "x = " + "+".join(["1"] * 900)
    try:
        ast.parse(deep)
    except RecursionError:
        pytest.skip("this interpreter does not parse it either")
    refused = ""
    try:
        read(deep)
    except EmulatorError as error:
        refused = str(error)

    assert not refused or "nested too deeply" in refused


STATEMENTS = st.recursive(
    st.sampled_from(["await a()", "await b()", "pass", "return", "await step.sleep('n', 1)", "await other(step)"]),
    lambda inner: st.builds(
        lambda head, body: f"{head}:\n{indent(body, '    ')}" + ("\nfinally:\n    pass" if head == "try" else ""),
        st.sampled_from(["if x", "for x in y", "while x", "try", "with x", "async with asyncio.TaskGroup() as g"]),
        st.lists(inner, min_size=1, max_size=3).map("\n".join),
    ),
    max_leaves=10,
)


@given(body=st.lists(STATEMENTS, max_size=4).map("\n".join))
def test_whatever_is_written_is_drawn(body):
    """
    Each of the three forms can be made of any mixture of statements.
    """
    found = read(STEPS + body + "\npass")

    assert json.dumps(graph.as_rest(found))
    assert graph.as_outline(found).startswith("Order\n")
    assert graph.as_mermaid(found).startswith("flowchart TD\n")


def test_the_files_of_a_worker_are_found_by_its_imports():
    """
    Those it can reach, not all that lie in the folder; the sample's flows are in one of them.
    """
    main = PROJECT / "sample_worker/entry.py"
    found = reachable(main, main.parent)

    assert {main, PROJECT / "sample_worker/workflows.py"} == set(found)
    assert graph.read(found, main, "Countdown") is not None
