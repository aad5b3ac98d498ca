"""What README promises of the sample worker."""

import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def shop(emu):
    """The sample worker on a folder of its own."""
    shutil.copytree(
        PROJECT / "sample_worker", emu.folder / "sample_worker", ignore=shutil.ignore_patterns("__pycache__")
    )
    emu.config = (PROJECT / "wrangler.toml").read_text()
    emu.save("wrangler.toml", emu.config)
    return await emu.start()


async def status(shop, instance, path="/"):
    return (await shop.get(f"{path}?instanceId={instance}")).json["status"]


async def test_an_order_is_made_and_completes(shop):
    """
    GET / makes an instance; its payment fails twice, works, the tea steeps, and the receipt is its output.
    """
    made = (await shop.get("/")).json

    assert {"id", "details"} == made.keys()
    assert made["details"]["status"] in ("queued", "running", "waiting")

    await shop.advance(seconds=1)
    await shop.advance(seconds=2)
    await shop.advance(seconds=3)

    receipt = "The Corner Teahouse: a pot of tea, paid at attempt 3"
    shown = await status(shop, made["id"])

    assert "complete" == shown["status"]
    assert {"receipt": receipt, "served_by": "the house"} == shown["output"]


async def test_an_order_waits_for_its_approval(shop):
    """
    With approve=true the instance is waiting until the event comes.
    """
    made = (await shop.get("/?approve=true")).json
    await shop.advance(minutes=5)

    assert "waiting" == (await status(shop, made["id"]))["status"]

    sent = await shop.post(f"/events?instanceId={made['id']}&type=approval", {"by": "ann"})
    await shop.settle()
    shown = await status(shop, made["id"])

    assert 200 == sent.status
    assert "complete" == shown["status"]
    assert "ann" == shown["output"]["served_by"]

    again = await shop.post(f"/events?instanceId={made['id']}&type=approval", {"by": "bob"})

    assert 409 == again.status


@pytest.mark.parametrize(
    ("method", "path", "code", "words"),
    [
        ("GET", f"/?instanceId={UNKNOWN}", 404, f'there is no instance "{UNKNOWN}"'),
        ("GET", "/?instanceId=", 404, 'there is no instance ""'),
        ("GET", f"/countdown?instanceId={UNKNOWN}", 404, f'there is no instance "{UNKNOWN}"'),
        ("POST", f"/events?instanceId={UNKNOWN}&type=approval", 404, f'there is no instance "{UNKNOWN}"'),
        ("POST", "/events?type=approval", 400, "say which instance"),
        ("GET", "/nowhere", 404, "no route for GET /nowhere"),
        ("POST", "/demo", 404, "no route for POST /demo"),
    ],
)
async def test_what_cannot_be_answered_is_said_clearly(shop, method, path, code, words):
    """
    Unknown instances and routes get their status and one sentence in JSON.
    """
    answer = await shop.request(method, path, body=b"")

    assert code == answer.status
    assert words in answer.json["error"]


async def test_a_message_becomes_an_instance(shop):
    """
    POST /enqueue answers with the id of the instance that the queue handler makes.
    """
    sent = await shop.post("/enqueue", {"item": "a cup to go"})

    assert 202 == sent.status

    await shop.advance(seconds=1)
    await shop.advance(seconds=30)
    shown = await status(shop, sent.json["id"])

    assert "complete" == shown["status"]
    assert "a cup to go" in shown["output"]["receipt"]


async def test_a_tick_becomes_an_instance(shop):
    """
    The cron of wrangler.toml fires by itself and orders.
    """
    await shop.advance(minutes=15)
    await shop.settle()

    assert "the cron */15 * * * * ordered" in shop.lines


async def test_a_worker_may_bind_several_workflows(shop):
    """
    The second workflow counts down, a step and a sleep at a time.
    """
    made = (await shop.get("/countdown")).json
    for _ in range(5):
        await shop.advance(seconds=1)
    shown = await status(shop, made["id"], "/countdown")

    assert "lift-off" == shown["output"]


async def test_the_demo_page_needs_nothing_else(shop):
    """
    One page of HTML, without anything to load from elsewhere.
    """
    page = await shop.get("/demo")

    assert 200 == page.status
    assert "text/html; charset=utf-8" == page.header("content-type")
    assert "src=" not in page.text
    assert "https://" not in page.text
