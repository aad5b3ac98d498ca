"""No page of another origin can change anything here, whatever it sends; and nothing that is sent is trusted."""

import json

import pytest
from api import ACCOUNT, EXPLORER, INSTANCES
from support import Emulated

from emulator.api import explorer, openapi, rest

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE", "PROPFIND", "CONNECT", "TRACE", "get"]
ORIGINS = [
    "https://evil.example",
    "null",
    "http://127.0.0.1:9999",
    "http://[::1]:9",
    "https://127.0.0.1:8787.evil.example",
]
BODIES = {
    "application/json": b'{"status": "terminate", "instance_id": "x"}',
    "text/plain": b'{"status": "terminate"}',
    "application/x-www-form-urlencoded": b"status=terminate",
    "multipart/form-data; boundary=b": b"--b--",
}


def state_of(emu: Emulated):
    """All rows of all tables."""
    db = emu.emulator.store._db
    names = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
    return {name: db.execute(f"select * from {name}").fetchall() for name in names}


def places():
    """Every path of both APIs with names that are there."""
    known = {"account": "local", "workflow": "order", "instance": "one", "event": "go", "queue": "orders"}
    known |= {"version": "x", "script": "test-worker", "consumer": "x", "subscription": "x"}
    paths = {ACCOUNT.removesuffix("/accounts/local") + openapi.written(each) for each in rest.OPERATIONS}
    paths |= {EXPLORER + openapi.written(each) for each in explorer.OPERATIONS}
    return sorted(path.format(**known) for path in paths)


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("method", METHODS)
async def test_a_foreign_origin_changes_nothing(api, emu, method, origin):
    """
    Every route of both APIs, every method, every foreign origin: 403, and no row of any table is another.
    """
    before = state_of(emu)
    for path in places():
        answer = await api.ask(method, path, BODIES["application/json"], {"origin": origin})

        assert 403 == answer.status
        assert not [name for name, _ in answer.headers if name.startswith("access-control-")]
    await emu.settle()

    assert before == state_of(emu)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("method", METHODS)
async def test_a_page_that_hides_its_origin_changes_nothing(api, emu, method, site):
    """
    What a browser says of where a request comes from is enough.
    """
    before = state_of(emu)
    for path in places():
        answer = await api.ask(method, path, BODIES["application/json"], {"sec-fetch-site": site})

        assert 403 == answer.status
    await emu.settle()

    assert before == state_of(emu)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "evil.example:8787"])
async def test_a_foreign_name_changes_nothing(api, emu, host):
    """
    A name that was made to point here is no name of ours, with and without an origin.
    """
    before = state_of(emu)
    for path in places():
        for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
            answer = await api.ask(method, path, BODIES["application/json"], {"host": host})

            assert 403 == answer.status

    assert before == state_of(emu)


@pytest.mark.parametrize("content_type", [each for each in BODIES if each != "application/json"])
async def test_a_form_changes_nothing(api, emu, content_type):
    """
    What a page can send without asking first is no JSON, and is refused.
    """
    before = state_of(emu)
    for path in places():
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            answer = await api.ask(method, path, BODIES[content_type], {"content-type": content_type})

            assert 415 == answer.status

    assert before == state_of(emu)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({"content-type": "text/plain"}, (415, 10002, "application/json"), id="a body of another type"),
        pytest.param({"content-type": ""}, (415, 10002, "application/json"), id="a body of no type"),
        pytest.param({"origin": "https://evil.example"}, (403, 10000, "leave Origin out"), id="a foreign page"),
        pytest.param({"host": "evil.example"}, (403, 10000, "say localhost"), id="a foreign name"),
        pytest.param({"host": "a b"}, (400, 10002, "host name"), id="no name at all"),
    ],
)
async def test_a_refusal_is_an_envelope(api, headers, expected):
    """
    Who is kept out of the REST API is told so in the shape, with the numbers and with the advice of its other errors.
    """
    status, code, why = await api.error("POST", INSTANCES, b"{}", headers)

    assert expected[:2] == (status, code)
    assert expected[2] in why
    assert "rfc822" not in why


TOKENS = [{"authorization": "Bearer x"}, {"x-auth-key": "x", "x-auth-email": "x"}]


@pytest.mark.parametrize("token", TOKENS, ids=["bearer", "key"])
async def test_a_token_excuses_a_missing_content_type_and_nothing_else(api, emu, token):
    """
    Some clients send JSON as text. No page can send a token without asking, and with a foreign origin it is refused.
    """
    text = {"content-type": "text/plain;charset=UTF-8", **token}
    paused = await api.ask("PATCH", "/queues/orders", {"settings": {"delivery_paused": True}}, text)

    assert (200, True) == (paused.status, paused.json["result"]["settings"]["delivery_paused"])

    before = state_of(emu)
    for path in places():
        for more in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"host": "evil.example"}):
            assert 403 == (await api.ask("PATCH", path, BODIES["text/plain"], {**text, **more})).status

    assert before == state_of(emu)


@pytest.mark.parametrize("value", ["Basic eDp4", "bearer x", "Bearer", ""])
async def test_what_a_browser_sends_by_itself_is_no_token(api, value):
    """
    A name and a password in an address become a header, too.
    """
    headers = {"content-type": "text/plain", "authorization": value}

    assert 415 == (await api.ask("PATCH", "/queues/orders", b"{}", headers)).status


async def test_reading_changes_nothing(api, emu):
    """
    GET and HEAD leave every row as it was, on every route.
    """
    before = state_of(emu)
    for path in places():
        for method in ("GET", "HEAD"):
            await api.ask(method, path)
    await emu.settle()

    assert before == state_of(emu)


async def test_a_method_cannot_be_overridden(api, emu):
    """
    A header that names another method means nothing.
    """
    for header in ("x-http-method-override", "x-http-method", "x-method-override"):
        await api.ask("GET", f"{INSTANCES}/one", headers={header: "DELETE"})

    assert "one" == (await api.result("GET", INSTANCES))[0]["id"]


async def test_no_origin_is_invited(api):
    """
    A preflight gets no permission, and answers may not be embedded elsewhere.
    """
    asked = {"origin": "https://evil.example", "access-control-request-method": "DELETE"}
    preflight = await api.ask("OPTIONS", f"{INSTANCES}/one", headers=asked)
    answer = await api.get("/workflows")

    assert 403 == preflight.status
    assert "same-origin" == answer.header("cross-origin-resource-policy")
    assert "nosniff" == answer.header("x-content-type-options")


HOSTILE = [
    "'; drop table instances; --",
    '" or 1=1 --',
    "%",
    "_",
    "..",
    "../../../etc/passwd",
    "a/../b",
    "x\x00y",
    "x\ny",
    "\u202edrow",
    "\uff4fne",
    "one\u200b",
    "<img src=x onerror=alert(1)>",
    "x" * 10_000,
    "{instance}",
    "status",
    "settings",
]


@pytest.mark.parametrize("id", HOSTILE, ids=lambda id: ascii(id)[:30])
async def test_an_id_is_never_more_than_an_id(api, emu, id):
    """
    No id reaches SQL, a path, or another instance; what fits no pattern is refused or is not there.
    """
    before, escaped = state_of(emu), "".join(f"%{byte:02X}" for byte in id.encode())
    for prefix, body in (("", {"instance_id": id}), (EXPLORER, {"id": id})):
        if id not in ("status", "settings", "_"):
            assert 400 == (await api.ask("POST", prefix + INSTANCES, body)).status
        for path in (f"{INSTANCES}/{escaped}", f"{INSTANCES}/{escaped}/step?name=a&type=step"):
            assert (await api.ask("GET", prefix + path)).status in (400, 404)
        assert 404 == (await api.ask("PATCH", f"{prefix}{INSTANCES}/{escaped}/status", {"status": "terminate"})).status
        assert 404 == (await api.ask("DELETE", f"{prefix}{INSTANCES}/{escaped}")).status
    assert 404 == (await api.ask("GET", f"/workflows/{escaped}/instances")).status
    assert (await api.ask("GET", f"/queues/{escaped}")).status in (400, 404)

    assert before == state_of(emu)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"params":' + b"9" * 5_000 + b"}",
        b" " * (2 << 20),
        json.dumps({"params": "x" * (1 << 20)}).encode(),
    ],
    ids=["deep lists", "deep objects", "a huge number", "blanks", "over the limit"],
)
@pytest.mark.parametrize("prefix", [ACCOUNT, EXPLORER], ids=["rest", "explorer"])
async def test_a_body_has_limits(api, emu, prefix, body):
    """
    Too deep, too large, too long a number: refused, and nothing is kept.
    """
    before = state_of(emu)
    answer = await api.ask("POST", prefix + INSTANCES, body)

    assert answer.status in (400, 413)
    assert not answer.json["success"]
    assert before == state_of(emu)
