"""A step's function and `run` as Python sees them: what they may take, what each needs, what a wrong one is told."""

import pytest
from flows import ACT, HEAD, ORDER, notes, started, worker

RUNS = [
    ("def run(self, event, step):", 'return [event.payload, "sync"]', [1, "sync"]),
    ("async def run(self):", "return 2", 2),
    ("async def run(self, event):", 'return event["payload"]', 1),
    (
        "async def run(self, event, step):",
        'return await step.do("s")(lambda ctx: ctx["step"])()',
        {"name": "s", "count": 1},
    ),
    ("async def run(self, event, step):", "return await step.do(config=None)(named)()", "named"),
]


@pytest.mark.parametrize(("signature", "body", "output"), RUNS, ids=["sync", "nothing", "event", "lambda", "named"])
async def test_functions_need_not_be_coroutines_nor_take_everything(emu, signature, body, output):
    """
    `run` and a step's function take what they name; a step without a name is called after its function.
    """
    named = "def named(ctx):\n    return ctx['step']['name']\n"
    await emu.start(
        f"{HEAD}\n{named}\nclass Order(WorkflowEntrypoint):\n    {signature}\n        {body}\n{ACT}", config=ORDER
    )
    order = await emu.create("order", 1)

    assert output == order.output


async def test_what_is_needed_and_fails_fails_who_needs_it(emu):
    """
    The error goes through, and the body that needed the result never runs.
    """
    order = await started(
        emu,
        """
@step.do("one", config={"retries": {"limit": 0, "delay": 0}})
async def one():
    raise ValueError("no")

@step.do()
async def two(one):
    note("two")

try:
    await two()
except ValueError as error:
    return str(error)
""",
    )

    assert "no" == order.output
    assert {"one-1": "failed"} == order.steps
    assert [] == notes(emu)


WRONG = {
    '@step.do("s")\nasync def s(x): ...\nawait s()': "Step has 1 non-ctx parameter(s) but no 'depends' list provided",
    '@step.do("s", depends=[])\nasync def s(x, ctx): ...\nawait s()': (
        "Step declares 1 non-ctx parameter(s) but 'depends' has 0 item(s)"
    ),
    '@step.do("s", depends=[print])\nasync def s(x): ...\nawait s()': (
        "'depends' entry for parameter 'x' is not a function decorated with step.do"
    ),
    "@step.do()\nasync def s(): ...": "do() missing 1 required positional argument: 'name'",
    'step.do("s")(5)': 'Step "s" requires a callback function',
}


@pytest.mark.parametrize("code", WRONG, ids=list(WRONG.values()))
async def test_the_older_way_says_what_is_wrong(emu, code):
    """
    A TypeError in the platform's words, and nothing is recorded.
    """
    emu.config = emu.config.replace("2026-06-01", "2025-11-02")
    await emu.start(worker(code), config=ORDER)
    order = await emu.create("order")

    assert {"name": "TypeError", "message": WRONG[code]} == order.error
    assert {} == order.steps
