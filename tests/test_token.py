"""The token: who must have one, how it is given, how often one may be wrong, and that nothing shows it."""

import base64
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from api import EXPLORER, PREFIX
from dev import Dev
from hypothesis import given
from hypothesis import strategies as st
from support import HELLO

from emulator.api.envelope import NO_TOKEN, TOO_OFTEN
from emulator.guard import Gate, origins, token_problem, with_token
from emulator.guard.token import SECONDS, WRONG
from emulator.guard.token import given as given_token

TOKEN = "0123456789abcdef0123456789ABCDEF"
HEALTH = "/cdn-cgi/local/health"
BEARER = f"Bearer {TOKEN}"


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


class Visitor:
    """Asks a gate that stands before an app, at a time that the test says."""

    def __init__(self):
        self.now = 0.0
        self.reached = 0
        self._app = origins(
            with_token(self._answer, Gate(TOKEN, lambda: self.now)), hosts=frozenset, strict_host=False, by_address=True
        )

    async def _answer(self, scope, receive, send):
        self.reached += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(
        self, *authorization, path=HEALTH, client="10.0.0.9", host="10.0.0.1:8787", kind="http", method="GET", **headers
    ):
        sent = []

        async def send(message):
            sent.append(message)

        raw = [(b"host", host.encode()), *((b"authorization", each.encode("latin-1")) for each in authorization)]
        raw += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {
            "type": kind,
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": raw,
            "client": (client, 1),
        }
        scope["extensions"] = {"websocket.http.response": {}}
        await self._app(scope, None, send)
        return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"].decode()


@pytest.fixture
def visitor():
    return Visitor()


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ([], None),
        ([BEARER], TOKEN),
        ([f"bearer   {TOKEN} "], TOKEN),
        ([basic(f"anybody:{TOKEN}")], TOKEN),
        ([basic(f":{TOKEN}")], TOKEN),
        ([basic(TOKEN)], None),
        (["Basic ???"], None),
        (["Basic /w=="], None),
        ([f"Token {TOKEN}"], None),
        ([TOKEN], None),
        ([BEARER, BEARER], None),
        (["Bearer"], ""),
    ],
    ids=lambda each: ascii(each)[:30],
)
def test_a_token_is_a_bearer_or_a_browsers_password(authorization, expected):
    """
    In one Authorization header; nothing else is looked at.
    """
    assert expected == given_token(authorization)


@given(st.lists(st.text(alphabet=st.characters(max_codepoint=255)), max_size=2))
def test_any_header_gets_a_verdict(authorization):
    """
    Whatever a client sends, it is no token or some text, and never an error.
    """
    found = given_token(authorization)
    denial = Gate(TOKEN).denial("x", authorization)

    assert (found == TOKEN) is (denial is None)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (TOKEN, None),
        ("x" * 31, "31 characters"),
        ("", "0 characters"),
        ("a b" * 20, "blank"),
        ("é" * 40, "no header"),
        (TOKEN + "\n", "no header"),
    ],
)
def test_a_token_has_128_bits(token, words):
    """
    32 characters are, even where all are hexadecimal digits; and it can be sent.
    """
    found = token_problem(token)

    assert (found is None) if words is None else words in found


async def test_without_a_token_nothing_is_done(visitor):
    """
    401 in words that the platform's clients, our commands and people read; scripts are not asked for a password.
    """
    status, headers, body = await visitor.ask()

    assert (401, 0) == (status, visitor.reached)
    assert b'Bearer realm="emulator"' == headers[b"www-authenticate"]
    assert b"no-store" == headers[b"cache-control"]
    assert (False, 10000, None) == tuple(
        (told := json.loads(body))[key] if key != "code" else told["errors"][0]["code"]
        for key in ("success", "code", "result")
    )
    assert "EMULATOR_API_TOKEN" in json.loads(body)["error"]


async def test_a_browser_asks_its_user(visitor):
    """
    Who visits a page of ours may type the token as a password; the browser keeps it for this very origin, in no cookie.
    """
    status, headers, _ = await visitor.ask(accept="text/html,application/xhtml+xml,*/*;q=0.8")

    assert (401, b"Basic") == (status, headers[b"www-authenticate"][:5])
    assert 200 == (await visitor.ask(basic(f"x:{TOKEN}"), accept="text/html"))[0]
    assert b"set-cookie" not in headers


async def test_what_a_browser_sends_by_itself_runs_nothing(visitor):
    """
    A picture in a foreign page may ask for a URL that runs a handler, and brings the password: only POST does so here.
    """
    for authorization in (basic(f"x:{TOKEN}"), BEARER):
        assert 403 == (await visitor.ask(authorization, path="/cdn-cgi/local/scheduled"))[0]
        assert 200 == (await visitor.ask(authorization, path="/cdn-cgi/local/scheduled", method="POST"))[0]


async def test_ten_wrong_ones_in_a_minute_and_no_more(visitor, caplog):
    """
    The eleventh is not looked at, be it right; others are served meanwhile, and so is this client a minute later.
    """
    caplog.set_level(logging.WARNING, "emulator")
    statuses = [(await visitor.ask(f"Bearer {number}"))[0] for number in range(WRONG)]

    assert [401] * 10 == statuses

    status, headers, body = await visitor.ask(BEARER)

    assert (429, b"60", 971) == (status, headers[b"retry-after"], json.loads(body)["errors"][0]["code"])
    assert 200 == (await visitor.ask(BEARER, client="10.0.0.8"))[0]

    visitor.now += SECONDS

    assert 200 == (await visitor.ask(BEARER))[0]
    assert ["10 wrong tokens within a minute from 10.0.0.9; it is refused for the rest of it"] == caplog.messages


async def test_having_no_token_is_no_guess(visitor):
    """
    A browser that has not been told yet does not shut itself out.
    """
    for _ in range(20):
        await visitor.ask()

    assert 200 == (await visitor.ask(BEARER))[0]


async def test_slow_guessing_goes_on_and_is_hopeless(visitor):
    """
    Ten a minute, on and on: each is compared, none locks anybody out for longer than a minute.
    """
    for _ in range(30):
        visitor.now += SECONDS / (WRONG - 1)

        assert 401 == (await visitor.ask("Bearer no"))[0]


async def test_guesses_are_counted_for_so_many_clients():
    """
    Whoever has a million addresses does not fill the memory.
    """
    gate = Gate(TOKEN)
    for number in range(3_000):
        gate.denial(str(number), ["Bearer no"])

    assert 1_000 == len(gate._wrong)
    assert "2999" in gate._wrong


async def test_a_foreign_page_does_not_get_as_far_as_guessing(visitor):
    """
    Host and Origin come first: no page can shut anybody out, and a name that was made to point here is refused.
    """
    for _ in range(20):
        assert 403 == (await visitor.ask("Bearer no", origin="https://evil.example"))[0]
        assert 403 == (await visitor.ask("Bearer no", host="evil.example"))[0]

    assert 403 == (await visitor.ask(BEARER, host="evil.example"))[0]
    assert 200 == (await visitor.ask(BEARER))[0]


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("10.0.0.1:8787", None, 200),
        ("[fd00::1]:8787", None, 200),
        ("localhost:8787", None, 200),
        ("10.0.0.1:8787", "http://10.0.0.1:8787", 200),
        ("10.0.0.1:8787", "http://10.0.0.2:8787", 403),
        ("10.0.0.1:8787", "http://10.0.0.1:9", 403),
        ("10.0.0.1.nip.io:8787", None, 403),
        ("10.0.0.1@evil.example", None, 400),
    ],
)
async def test_an_address_is_a_host_of_ours(visitor, host, origin, expected):
    """
    Whoever listens on the network is asked by address; a page must come from that very address and port.
    """
    headers = {} if origin is None else {"origin": origin}

    assert expected == (await visitor.ask(BEARER, host=host, **headers))[0]


async def test_a_web_socket_needs_the_token_too(visitor):
    """
    It is refused before the upgrade.
    """
    assert 401 == (await visitor.ask(kind="websocket"))[0]
    assert 0 == visitor.reached


@pytest.mark.parametrize(("kind", "status"), [(NO_TOKEN, 401), (TOO_OFTEN, 429)], ids=["401", "429"])
async def test_the_document_has_what_the_gate_says(visitor, kind, status):
    """
    Numbers and names of a refusal are those of the API's errors.
    """
    said = [await visitor.ask("Bearer no") for _ in range(WRONG + 1)][-1 if status == 429 else 0]

    assert (status, kind.status) == (said[0], status)
    assert (kind.code, kind.name) == tuple(json.loads(said[2])["errors"][0][key] for key in ("code", "message"))


# A real one


ANYBODY = ["--ip", "0.0.0.0"]
REFUSED = {
    "option": (ANYBODY, "", {}, "put a token into EMULATOR_API_TOKEN"),
    "config": ([], '[dev]\nip = "0.0.0.0"\n', {}, "put a token into EMULATOR_API_TOKEN"),
    "short": (ANYBODY, "", {"EMULATOR_API_TOKEN": "x" * 31}, "31 characters, and needs 32"),
}


@pytest.mark.parametrize(("options", "config", "environment", "words"), REFUSED.values(), ids=REFUSED)
def test_without_a_token_only_this_machine_is_served(tmp_path, options, config, environment, words):
    """
    Exit code 2 and one line that says what to do, wherever the address stands.
    """
    with Dev(tmp_path, *options, code=HELLO, config=config, ready=False, environment=environment) as dev:
        code = dev.process.wait(5)

    assert 2 == code
    assert 1 == len(dev.lines)
    assert words in dev.text


QUEUE = '[[queues.producers]]\nqueue = "orders"\nbinding = "ORDERS"\n'
LEAKS = """
import os
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(repr(dict(os.environ)) + repr(dict(request.headers)))
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """An emulator that others than this machine could reach."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "token").write_text(TOKEN + "\n")
    with Dev(folder, "--ip", "0.0.0.0", "--api-token-file", "token", code=LEAKS, config=QUEUE) as dev:
        yield dev


def test_the_workers_routes_are_everybodys(shared):
    """
    Whoever listens on the network wants that; and the start says so.
    """
    assert 200 == shared.get("/").status
    assert "everybody's" in shared.wait_for("/cdn-cgi/ asks for the token")


@pytest.mark.parametrize(
    "path",
    [HEALTH, "/cdn-cgi/", "/cdn-cgi/x", f"{PREFIX}/user", f"{PREFIX}/openapi.json", EXPLORER, "/cdn-cgi/mf/scheduled"],
)
def test_all_that_is_ours_asks_for_the_token(shared, path):
    """
    No route is left out; neither a cookie nor the query is a way to give it.
    """
    for asked in (path, f"{path}?token={TOKEN}&api_token={TOKEN}"):
        answer = shared.get(asked, cookie=f"token={TOKEN}; authorization={TOKEN}")

        assert 401 == answer.status
        assert answer.header("set-cookie") is None
    assert 401 != shared.get(path, authorization=BEARER).status


def test_commands_take_it_from_the_environment(shared, tmp_path):
    """
    With it they work, without it they say where it belongs.
    """
    asked = [sys.executable, "-m", "emulator", "queues", "list", "--port", str(shared.port)]
    with_it, without = (
        subprocess.run(asked, env={**os.environ, **more}, capture_output=True, text=True, cwd=shared.folder)
        for more in ({"EMULATOR_API_TOKEN": TOKEN}, {"EMULATOR_API_TOKEN": ""})
    )

    assert (0, True) == (with_it.returncode, "orders" in with_it.stdout)
    assert (1, True) == (without.returncode, "EMULATOR_API_TOKEN" in without.stderr)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_shows_the_token(tmp_path):
    """
    Not the terminal, not a command line, not the state, and the worker does not inherit it.
    """
    with Dev(tmp_path, code=LEAKS, config=QUEUE, environment={"EMULATOR_API_TOKEN": TOKEN}) as dev:
        dev.get(HEALTH, authorization=BEARER)
        dev.get(HEALTH, authorization="Bearer wrong")
        dev.post(f"{PREFIX}/accounts/x/queues/orders/messages", {"body": 1}, authorization=BEARER)
        seen = [dev.get("/").text, dev.text, command_line(dev.process.pid)]
        seen += [path.read_bytes().decode("latin-1") for path in (tmp_path / ".emulator").iterdir() if path.is_file()]

    assert [] == [text for text in seen if TOKEN in text]


def command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()


def test_an_error_page_does_not_ask_in_vain(tmp_path):
    """
    It has no token with which it could ask whether the worker is well again; so it does not say that it comes back.
    """
    with Dev(tmp_path, code="import no_such_module\n", environment={"EMULATOR_API_TOKEN": TOKEN}) as dev:
        page = dev.get("/", accept="text/html").text

    assert "no_such_module" in page
    assert HEALTH not in page


def test_no_option_takes_a_token():
    """
    Everybody on a machine can read the command lines of its processes.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "emulator", "dev", "--api-token", TOKEN], capture_output=True, text=True
    )

    assert 2 == ended.returncode
