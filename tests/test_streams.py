"""Step results that are streams: kept in blocks, handed out again in every pass, shown as a preview."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support import Emulated
from test_workflows import ORDER, started

from emulator.workflows import streams
from emulator.workflows.owners import Limits

GIVES = """
async def pieces():
{pieces}

@step.do("report", config={{"retries": {{"limit": 1, "delay": 1}}}})
async def report():
    ran.append(1)
    return pieces()

stream = await report()
await step.sleep("nap", "1 hour")
return [len(ran), b"".join([bytes(piece) async for piece in stream]).decode("utf-8", "replace")[-40:]]
"""


def giving(*pieces: str) -> str:
    return GIVES.format(pieces="\n".join(f"    yield {piece}" for piece in pieces))


@pytest.fixture(params=["parked", "replayed"])
async def emu(tmp_path, request):
    """A stream that is read after a wait, in the same pass and in another."""
    hot_window = timedelta(hours=2) if request.param == "parked" else timedelta()
    emulated = Emulated(tmp_path, limits=Limits(hot_window=hot_window))
    yield emulated
    await emulated.stop()


async def test_a_stream_is_kept_and_read_again(emu):
    """
    The step runs once; whoever reads its result later gets the bytes.
    """
    order = await started(emu, giving('b"one, "', 'b"two"'))
    await emu.advance(hours=1)

    assert [1, "one, two"] == order.output
    assert ["one, two"] == order.shown["__LOCAL_DEV_STEP_OUTPUTS"]


async def test_a_long_stream_is_longer_than_a_value_may_be(emu):
    """
    Three MiB in odd pieces come back whole, and the preview is short.
    """
    order = await started(emu, giving('b"x" * 1_500_001', 'b"y" * 1_500_002', 'b"the end"'))
    await emu.advance(hours=1)

    assert [1, "y" * 33 + "the end"] == order.output
    assert ["x" * 1024 + "[truncated output]"] == order.shown["__LOCAL_DEV_STEP_OUTPUTS"]


async def test_bytes_that_are_no_text_are_counted(emu):
    """
    The preview of a binary stream is its size.
    """
    order = await started(emu, giving(r'b"\xff\xfe" * 4'))

    assert ["[ReadableStream (binary): 8 bytes]"] == order.shown["__LOCAL_DEV_STEP_OUTPUTS"]


@pytest.mark.parametrize(
    ("piece", "complaint"),
    [("'text'", "pieces are bytes"), ("bytes(16 * 1024 * 1024 + 1)", "the largest allowed")],
    ids=["text", "too large"],
)
async def test_what_is_no_stream_of_bytes_fails_at_once(emu, piece, complaint):
    """
    A piece of another kind, or a huge one, is fatal: no second attempt.
    """
    order = await started(emu, giving(piece))

    assert "errored" == order.status
    assert complaint in order.error["message"]
    assert 'the step "report" returned an invalid ReadableStream output' in order.error["message"]


async def test_a_failed_attempt_leaves_no_blocks(emu):
    """
    What an attempt had written before it failed is gone when the next one has succeeded.
    """
    order = await started(
        emu,
        """
async def pieces(attempt):
    yield b"long " * 200_000 if attempt == 1 else b"short"
    if attempt == 1:
        raise ValueError("torn")

@step.do("report", config={"retries": {"limit": 1, "delay": 1}})
async def report(ctx):
    return pieces(ctx["attempt"])

return b"".join([bytes(piece) async for piece in await report()]).decode()
""",
    )
    await emu.advance(seconds=1)

    assert "short" == order.output


async def test_a_response_can_be_made_of_it(emu):
    """
    A recorded stream is a ReadableStream like any other.
    """
    order = await started(
        emu,
        """
async def pieces():
    yield b'{"a": 1}'

@step.do()
async def report():
    return pieces()

return (await Response(await report()).json())["a"]
""",
    )

    assert 1 == order.output
    assert ORDER in emu.config


async def test_an_instance_keeps_no_more_than_a_gibibyte(emu, monkeypatch):
    """
    What would lead beyond it fails the step at once, whatever its retries.
    """
    monkeypatch.setattr(streams, "LARGEST_INSTANCE", 10)
    order = await started(emu, giving('b"eleven bytes"'))

    assert {"name": "WorkflowFatalError", "message": "The instance has exceeded the 1GiB storage limit"} == order.error
    assert 1 == len(emu.emulator.engine.attempts(order.row))


async def test_a_piece_may_have_sixteen_mebibytes(emu):
    """
    It is kept like any other.
    """
    order = await started(emu, giving("b'x' * 16 * 1024 * 1024"))
    await emu.advance(hours=1)

    assert [1, "x" * 40] == order.output


async def test_an_empty_stream_is_a_stream(emu):
    """
    No block is kept, nor of an empty piece; the preview is empty.
    """
    order = await started(emu, giving('b""'))
    await emu.advance(hours=1)

    assert [1, ""] == order.output
    assert [""] == order.shown["__LOCAL_DEV_STEP_OUTPUTS"]


async def test_a_sensitive_stream_is_hidden(emu):
    """
    The workflow has its bytes, people have not.
    """
    order = await started(emu, giving('b"hush"').replace('"delay": 1}', '"delay": 1}, "sensitive": "output"'))
    await emu.advance(hours=1)

    assert [1, "hush"] == order.output
    assert ["[REDACTED]"] == order.shown["__LOCAL_DEV_STEP_OUTPUTS"]


async def test_a_stream_is_read_within_the_time_of_its_attempt(emu):
    """
    One that does not end is a time-out like another, and the next attempt begins with nothing of it.
    """
    emu.options["settle_seconds"] = 0.05
    order = await started(
        emu,
        """
async def pieces(ctx):
    yield b"x" * 300_000 if ctx["attempt"] == 1 else b"whole"
    if ctx["attempt"] == 1:
        await asyncio.Event().wait()

@step.do("report", config={"timeout": "1 minute", "retries": {"limit": 1, "delay": 0}})
async def report(ctx):
    return pieces(ctx)

return b"".join([bytes(piece) async for piece in await report()]).decode()
""",
    )
    await emu.advance(minutes=1)
    first, _ = emu.emulator.engine.attempts(order.row)

    assert "whole" == order.output
    assert "Execution timed out after 60000ms" == first.error.message
