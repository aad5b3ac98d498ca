"""E-mail for a worker: what its handler may do with it, and what the route says."""

import pytest
from api import Api
from hypothesis import given
from hypothesis import strategies as st
from support import HELLO
from test_real_workers import run

from emulator.mime import headers_of

__all__ = ["run"]

MESSAGE = "From: Ada <ada@example.com>\r\nMessage-ID: <1@example.com>\r\nSubject: {}\r\n\r\nhello\r\n"
ROUTE = "/cdn-cgi/local/email?from=ada@example.com&to=shop@example.com"


@pytest.fixture
async def mail(run):
    return await run("email")


async def send(emu, subject, *, route=ROUTE, message=MESSAGE):
    return await Api(emu).ask("POST", route, message.format(subject).encode())


@pytest.mark.parametrize(
    ("subject", "status", "text", "line"),
    [
        pytest.param("An order", 200, "processed", "forwarded to team@example.com", id="forwarded"),
        pytest.param("A question?", 200, "processed", "replied to ada@example.com", id="answered"),
        pytest.param("spam", 400, "no spam, please", "rejected: no spam, please", id="rejected"),
        pytest.param("crash", 500, "LookupError: nobody wants crash", "exception", id="the handler raises"),
    ],
)
async def test_what_becomes_of_an_email(mail, subject, status, text, line):
    """
    The answer says what the handler did, and so does the terminal.
    """
    answer = await send(mail, subject)

    assert status == answer.status
    assert text in answer.text
    assert f"EMAIL  ada@example.com → shop@example.com {line}" in mail.lines


async def test_the_handler_reads_the_whole_message(mail):
    """
    The stream has all bytes of it.
    """
    await send(mail, "An order")

    assert "86 of 86 bytes" in mail.lines


async def test_a_forward_as_json(mail):
    """
    Recipient, headers and what happened when, by the emulator's clock.
    """
    told = (await send(mail, "An order", route=f"{ROUTE}&format=json")).json
    (forward,) = told["forwards"]

    assert ("ok", "team@example.com", {"x-shop": "1"}) == (told["outcome"], forward["recipient"], forward["headers"])
    assert [] == told["replies"]
    assert [("received", "<1@example.com>"), ("forward", forward["messageId"])] == [
        (event["type"], event["messageId"]) for event in told["events"]
    ]
    assert int(mail.clock.now().timestamp() * 1000) == told["events"][0]["timestamp"]


async def test_a_reply_as_json(mail):
    """
    The answer that would have been sent, whole.
    """
    (reply,) = (await send(mail, "When?", route=f"{ROUTE}&format=json")).json["replies"]

    assert ("<answer@shop.example>", "shop@example.com") == (reply["messageId"], reply["sender"])
    assert "In-Reply-To: <1@example.com>\nSubject: Re: When?" in reply["raw"]


@pytest.mark.parametrize(
    ("subject", "status", "outcome", "kinds"),
    [
        pytest.param("spam", 200, "ok", ["received", "reject"], id="rejected"),
        pytest.param("crash", 500, "exception", ["received"], id="the handler raises"),
    ],
)
async def test_other_ends_as_json(mail, subject, status, outcome, kinds):
    """
    A rejection is an answer like any other, an exception is not.
    """
    answer = await send(mail, subject, route=f"{ROUTE}&format=json")

    assert (status, outcome) == (answer.status, answer.json["outcome"])
    assert kinds == [event["type"] for event in answer.json["events"]]


@pytest.mark.parametrize(
    ("route", "message", "text"),
    [
        pytest.param(
            "/cdn-cgi/local/email?from=ada@example.com", MESSAGE, "say who it is from and to", id="no recipient"
        ),
        pytest.param(ROUTE, "", "this one is empty", id="no message"),
        pytest.param(ROUTE, "hello\r\n\r\nhello", "'hello' is no header", id="no headers"),
        pytest.param(ROUTE, "Subject: x\r\n\r\nhello", "has no Message-ID", id="no id"),
        pytest.param(ROUTE, MESSAGE + "x" * (1 << 20), "a message may have 1048576 bytes", id="too large"),
        pytest.param(f"{ROUTE}&worker=nobody", MESSAGE, "no worker is called", id="another worker"),
    ],
)
async def test_what_is_no_email_is_refused(mail, route, message, text):
    """
    With a word on what is wrong; no handler is called.
    """
    answer = await send(mail, "x", route=route, message=message)

    assert 400 == answer.status
    assert text in answer.text
    assert "EMAIL" not in mail.lines


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param(("In-Reply-To: {id}", "X-Other: 1"), "has to be <1@example.com>", id="an answer to nothing"),
        pytest.param(("Message-ID: <answer@shop.example>\n", ""), "needs a Message-ID", id="no id"),
        pytest.param(
            ("new(message.to, message.from_", 'new(message.to, "eve@example.com"'), "not to eve", id="another"
        ),
        pytest.param(
            ('"X-Shop"', '"Subject"'), "headers that begin with X- only, got subject", id="a forwarded header"
        ),
    ],
)
async def test_what_the_platform_would_not_send(run, mail, change, text):
    """
    It raises in the handler.
    """
    path = mail.folder / "email/entry.py"
    path.write_text(path.read_text().replace(*change))
    await mail.reload()
    answer = await send(mail, "x" if "X-Shop" in change[0] else "x?")

    assert 500 == answer.status
    assert text in answer.text


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        pytest.param("message/rfc822", 200, id="an email"),
        pytest.param("application/json", 200, id="as wrangler's users send it"),
        pytest.param("application/x-www-form-urlencoded", 415, id="a form of any page"),
        pytest.param("text/plain", 415, id="text of any page"),
    ],
)
async def test_a_page_cannot_send_one_without_asking(mail, content_type, status):
    """
    The type of the body is one that browsers ask for first.
    """
    api = Api(mail, guarded=True)
    answer = await api.ask("POST", ROUTE, MESSAGE.format("x").encode(), {"content-type": content_type})

    assert status == answer.status


async def test_a_worker_without_the_handler(emu):
    """
    It says that there is none.
    """
    await emu.start(HELLO)

    assert "handler does not export an email() function" in (await send(emu, "x")).text


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=30)


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=6), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_headers_are_read_however_they_are_folded(headers, newline, is_folded):
    """
    Names in lower case, values as they were, whatever the line ends.
    """
    fold = newline + "\t" if is_folded else " "
    text = newline.join(f"{name}:{fold}{value}" for name, value in headers) + newline * 2 + "body: no header"

    assert [(name.lower(), value) for name, value in headers] == headers_of(text.encode())
