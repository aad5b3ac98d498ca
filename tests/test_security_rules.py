"""
The rules that keep strangers out, each with its attacks.

S1  only this machine is listened to                        here
S2  names that were made to point here are refused          here; every route: test_rest_security
S3  no page changes anything, by no method                  local routes here; both APIs: test_rest_security
S4  no other origin is invited                              here
S5  no page opens a web socket, or reads events, of ours    here; before the upgrade: test_guard
S7  where others reach the port, a token is asked for       test_token
S8  the token is kept in no cookie                          here
S17 nothing is injected into headers or log lines           here; the pure part: test_guard
S18 everything has a largest size                           here; deadlines and framing: test_guard
S21 a name is never more than a name                        here; ids of instances: test_rest_security
"""

import contextlib
import json
import re
import sys
from pathlib import Path

import pytest
from api import EXPLORER, INSTANCES
from dev import Dev
from support import HELLO
from test_guard import echo, head, say, serving
from test_rest_security import METHODS, ORIGINS, places, state_of

from emulator.guard import Limits, origins
from emulator.guard.origins import check

LOCAL = [
    "/cdn-cgi/local/health",
    "/cdn-cgi/local/clock",
    "/cdn-cgi/local/crons",
    "/cdn-cgi/local/queues",
    "/cdn-cgi/local/queues/orders/messages",
    "/cdn-cgi/local/scheduled?cron=*",
    "/cdn-cgi/handler/scheduled",
    "/cdn-cgi/mf/scheduled",
    "/cdn-cgi/local/nothing",
]


def escaped(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


# S1: only this machine is listened to


def descriptors(pid):
    """What the open files of a process are; one that is closed meanwhile is left out."""
    with contextlib.suppress(FileNotFoundError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                yield str(link.readlink())


def listeners(pid):
    """The addresses on which a process and its children listen."""
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    opened = [file for each in pids for file in descriptors(each)]
    own = {found[1] for file in opened if (found := re.fullmatch(r"socket:\[(\d+)\]", file))}
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in own}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_this_machine_is_listened_to(tmp_path):
    """
    One listener on 127.0.0.1 is all that the emulator and the worker's process have.
    """
    with Dev(tmp_path, code=HELLO) as dev:
        assert b"hello" == dev.get("/").body
        assert {"0100007F"} == listeners(dev.process.pid)


# S2: names that were made to point here


HOSTS = {
    "evil.example": 403,
    "evil.example:8787": 403,
    "localhost.evil.example": 403,
    "localhost-evil.example": 403,
    "127.0.0.1.nip.io": 403,
    "127.0.0.1.": 200,
    "0.0.0.0": 403,
    "0": 403,
    "2130706433": 403,
    "0x7f.0.0.1": 403,
    "127.1": 403,
    "10.0.0.1": 403,
    "[::]": 403,
    "[::ffff:127.0.0.1]": 403,
    "a.wild.test": 403,
    "shop.test": 200,
    "localhost@evil.example": 400,
    "localhost, evil.example": 400,
    "localhost/evil.example": 400,
    "localhost:99999": 400,
    "localhost:": 400,
    "loc\u00e4lhost": 400,
    "[::1": 400,
    "": 400,
    "localhost": 200,
    "LOCALHOST:80": 200,
    "localhost.": 200,
    "a.localhost": 200,
    "127.9.9.9": 200,
    "[::1]:80": 200,
}


def guard(*, strict_host=False, reached=None):
    """The rules before an app that notes what reaches it."""

    async def app(scope, receive, send):
        if reached is not None:
            reached.append(scope["path"])
        await echo(scope, receive, send)

    return origins(app, hosts=lambda: ["shop.test", "*.wild.test"], strict_host=strict_host)


@pytest.mark.parametrize("path", ["/cdn-cgi/local/clock", "/"], ids=["ours", "strict"])
async def test_a_name_that_was_made_to_point_here_is_refused(path):
    """
    On our routes always, on the worker's with --strict-host; one line says what to do, and nothing is reached.
    """
    reached, answers = [], {}
    async with serving(guard(strict_host=True, reached=reached)) as port:
        for host in HOSTS:
            answers[host] = await say(port, head(f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close"))

    assert HOSTS == {host: int(answer[9:12]) for host, answer in answers.items()}
    assert list(HOSTS.values()).count(200) == len(reached)
    assert all(b"make the name a route" in answer for answer in answers.values() if b" 403 " in answer[:13])


@pytest.mark.parametrize(
    "request_head",
    [
        head("GET /cdn-cgi/x HTTP/1.1", "Host: localhost", "Host: evil.example"),
        head("GET /cdn-cgi/x HTTP/1.1", "Host: localhost", "Host: localhost"),
        head("GET /cdn-cgi/x HTTP/1.1"),
        head("GET http://evil.example/cdn-cgi/x HTTP/1.1", "Host: localhost"),
        head("GET http://localhost/cdn-cgi/x HTTP/1.1", "Host: evil.example"),
        head("GET //evil.example/cdn-cgi/x HTTP/1.1", "Host: evil.example@localhost"),
    ],
    ids=["two", "two equal", "none", "absolute", "absolute of ours", "two slashes"],
)
async def test_a_request_that_names_two_hosts_or_none_is_refused(request_head):
    """
    Nobody is left to wonder which of them counted.
    """
    reached = []
    async with serving(guard(reached=reached)) as port:
        answer = await say(port, request_head)

    assert b"HTTP/1.1 400 " == answer[:13]
    assert [] == reached


@pytest.mark.parametrize("header", ["x-forwarded-host", "x-original-host", "forwarded", "x-host", "origin"])
async def test_no_other_header_makes_a_name_ours(header):
    """
    The Host header alone is looked at.
    """
    async with serving(guard()) as port:
        answer = await say(
            port, head("GET /cdn-cgi/x HTTP/1.1", "Host: evil.example", f"{header}: localhost"), end=b"\n"
        )

    assert b"HTTP/1.1 403 " == answer[:13]


# S3: no page changes anything


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("method", METHODS)
async def test_no_page_changes_anything_by_the_local_routes(api, emu, method, origin):
    """
    Twelve methods, five origins, every local route: the clock stands still, no message comes, no handler runs.
    """
    before, now, said = state_of(emu), emu.clock.now(), emu.out.getvalue()
    for path in LOCAL:
        answer = await api.ask(method, path, b'{"advance": "1 day", "body": 1}', {"origin": origin})

        assert 403 == answer.status
    await emu.settle()

    assert (before, now, said) == (state_of(emu), emu.clock.now(), emu.out.getvalue())


# S4: no other origin is invited


@pytest.mark.parametrize("origin", [*ORIGINS, "HTTPS://EVIL.EXAMPLE", "http://localhost:8787", None])
async def test_no_answer_invites_another_origin(api, origin):
    """
    Whatever is asked, by whom, and however it ends: no Access-Control header, and no embedding elsewhere.
    """
    asked = {} if origin is None else {"origin": origin}
    answers = [
        await api.ask(method, path, body, {**asked, "access-control-request-method": "DELETE"})
        for path in (*places(), *LOCAL)
        for method, body in (("OPTIONS", None), ("GET", None), ("PURGE", None), ("PATCH", b"{"))
    ]

    assert [] == [name for answer in answers for name, _ in answer.headers if name.startswith("access-control-")]
    assert {"same-origin"} == {answer.header("cross-origin-resource-policy") for answer in answers}
    assert {"nosniff"} == {answer.header("x-content-type-options") for answer in answers}


# S5: no page opens a web socket, or reads events


SOCKETS = [
    ("/cdn-cgi/x", "localhost:8787", None, True),
    ("/cdn-cgi/x", "localhost:8787", "http://localhost:8787", True),
    ("/cdn-cgi/x", "localhost:8787", "http://evil.example", False),
    ("/cdn-cgi/x", "localhost:8787", "http://10.0.0.1:8787", False),
    ("/cdn-cgi/x", "localhost:8787", "http://localhost:9", False),
    ("/cdn-cgi/x", "localhost:8787", "http://[::1]:9", False),
    ("/cdn-cgi/x", "localhost:8787", "null", False),
    ("/cdn-cgi/x", "localhost:8787", "file://", False),
    ("/cdn-cgi/x", "localhost:8787", "", False),
    ("/cdn-cgi/x", "evil.example", None, False),
    ("/cdn-cgi/x", "evil.example", "http://evil.example", False),
    ("/", "localhost:8787", "http://localhost:3000", True),
    ("/", "shop.test", "https://shop.test", True),
    ("/", "10.0.0.1:8787", "http://10.0.0.1:8787", True),
    ("/", "localhost:8787", "http://evil.example", False),
    ("/", "localhost:8787", "http://localhost.evil.example", False),
    ("/", "localhost:8787", "null", False),
    ("/", "evil.example", "http://evil.example", True),
]


@pytest.mark.parametrize(("path", "host", "origin", "passes"), SOCKETS)
def test_who_may_open_a_web_socket(path, host, origin, passes):
    """
    Of ours: our own pages and scripts. Of the worker's: pages of this machine and of the very host it was asked as.
    """
    headers = [(b"host", host.encode()), *([] if origin is None else [(b"origin", origin.encode())])]
    scope = {"type": "websocket", "path": path, "headers": headers}
    refusal = check(scope, ours=path != "/", hosts=frozenset({"shop.test"}), strict_host=False)

    assert passes is (refusal is None)
    assert passes or 403 == refusal.status


@pytest.mark.parametrize("origin", ORIGINS)
async def test_no_page_reads_a_stream_of_events(api, origin):
    """
    An EventSource is a GET with an Origin, and refused like any other.
    """
    for path in (*places(), *LOCAL):
        answer = await api.ask("GET", path, headers={"origin": origin, "accept": "text/event-stream"})

        assert 403 == answer.status


# S8: no cookies


async def test_nothing_of_ours_is_a_cookie(api):
    """
    Every port of a host shares its cookies: none is set, and none counts.
    """
    for path in (*places(), *LOCAL):
        for method in ("GET", "POST"):
            answer = await api.ask(method, path, headers={"cookie": "a=b"})

            assert answer.header("set-cookie") is None


# S17: nothing is injected


SENDS = """
from urllib.parse import unquote
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        kind, _, text = unquote(request.url.partition("?")[2]).partition("=")
        if kind == "print":
            print(text)
            raise ValueError(text)
        if kind == "redirect":
            return Response("", status=302, headers={"location": "/" + text})
        if kind == "cookie":
            return Response("", headers=[("set-cookie", "a=b"), ("set-cookie", "c=" + text)])
        if kind == "name":
            return Response("", headers={text: "x"})
        return Response("", headers={"x-own": text})
"""
INJECTED = [
    "a%0D%0Aset-cookie:%20evil=1",
    "a%0Aset-cookie:%20evil=1",
    "a%0Db",
    "a%00b",
    "%0D%0A%0D%0A<script>",
    "a%7Fb",
]


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    with Dev(tmp_path_factory.mktemp("sender"), code=SENDS) as dev:
        yield dev


@pytest.mark.parametrize("text", INJECTED)
@pytest.mark.parametrize("kind", ["value", "redirect", "cookie", "name"])
def test_a_worker_that_is_tricked_sends_no_header_of_the_tricksters(sender, kind, text):
    """
    A value, a redirect's target, a cookie, a name with a control character: 500, and nothing of it is a header.
    """
    answer = sender.get(f"/?{kind}={text}")

    assert 500 == answer.status
    assert [] == [name for name, _ in answer.headers if name in ("set-cookie", "location", "x-own")]


def test_a_refused_web_socket_is_no_trouble(sender):
    """
    The page is told 403, and the terminal shows no complaint about it.
    """
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    answer = sender.get("/cdn-cgi/x", origin="http://evil.example", sec_websocket_key=key, **upgrade)
    sender.get("/after-the-socket")
    sender.wait_for("/after-the-socket")

    assert 403 == answer.status
    assert b"evil.example" in answer.body
    assert "handshake" not in sender.text


CONTROLS = "".join(map(chr, (*range(1, 9), *range(11, 32), 127, 0x9B, 0x202E, 0x2066)))


def test_log_lines_are_lines(sender):
    """
    What a request or a worker brings along is shown escaped: it ends no line, moves no cursor, turns no text round.
    """
    sender.get("/%0D%0AGET%20/fake%20200")
    sender.get(f"/?print={escaped(CONTROLS)}")
    sender.wait_for("ValueError")
    sender.get("/last")
    sender.wait_for("/last")

    assert [] == [line for line in sender.lines if any(each in line for each in CONTROLS)]
    assert [] == [line for line in sender.lines if line.startswith("GET /fake")]
    assert any("\\r\\nGET /fake 200" in line or "%0D%0AGET%20/fake" in line for line in sender.lines)


@pytest.mark.parametrize("kind", ["text\r\nx-evil: 1", "json\0", "application/json", "text; a=b", "", "v9"])
async def test_a_messages_content_type_is_one_of_a_few(api, emu, kind):
    """
    It comes back to the consumer as a word, never as what was sent.
    """
    before = state_of(emu)
    body = {"body": "x", "content_type": kind}

    assert 400 == (await api.ask("POST", "/queues/orders/messages", body)).status
    assert 400 == (await api.ask("POST", "/cdn-cgi/local/queues/orders/messages", body)).status
    assert before == state_of(emu)


# S18: everything has a largest size


SIZES = {
    "a URL of 16 KiB": (head(f"GET /{'a' * 16_383} HTTP/1.1", "Host: localhost"), 200),
    "a byte more": (head(f"GET /{'a' * 16_384} HTTP/1.1", "Host: localhost"), 414),
    "a query": (head(f"GET /?{'a' * 16_384} HTTP/1.1", "Host: localhost"), 414),
    "100 KiB of headers": (head("GET / HTTP/1.1", "Host: localhost", f"X: {'a' * 100_000}"), 200),
    "128 KiB of headers": (head("GET / HTTP/1.1", "Host: localhost", f"X: {'a' * (128 << 10)}"), 431),
    "in many lines": (head("GET / HTTP/1.1", "Host: localhost", *[f"X: {'a' * 1_000}"] * 140), 431),
    "256 lines": (head("GET / HTTP/1.1", "Host: localhost", *["X: 1"] * 255), 200),
    "257 lines": (head("GET / HTTP/1.1", "Host: localhost", *["X: 1"] * 256), 431),
}


@pytest.mark.parametrize("parser", ["httptools", "h11"])
@pytest.mark.parametrize(("sent", "status"), SIZES.values(), ids=SIZES)
async def test_a_head_has_a_largest_size(sent, status, parser):
    """
    The limits are those of the real server.
    """
    async with serving(limits=Limits(linger_seconds=0.02), parser=parser) as port:
        answer = await say(port, sent, end=b"\n" if status != 200 else b"] ")

    assert b"HTTP/1.1 %d " % status == answer[:13]


def nested(depth):
    return b'{"params":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def params_of(size):
    return b'{"params":"' + b"x" * (size - len(b'{"params":""}')) + b'"}'


BODIES = {
    "1 MiB": (INSTANCES, params_of(1 << 20), (200,)),
    "a byte over 1 MiB": (INSTANCES, params_of((1 << 20) + 1), (413,)),
    "64 levels": (INSTANCES, nested(64), (200,)),
    "65 levels": (INSTANCES, nested(66), (400,)),
    "an event over 1 MiB": (f"{INSTANCES}/one/events/go", b'"' + b"x" * (1 << 20) + b'"', (413,)),
    "100 instances": (f"{INSTANCES}/batch", [{}] * 100, (200,)),
    "101 instances": (f"{INSTANCES}/batch", [{}] * 101, (400,)),
    "none": (f"{INSTANCES}/batch", [], (400,)),
    "101 to delete": (f"{INSTANCES}/batch/delete", {"instances": ["x"] * 101}, (400,)),
    "101 to terminate": (f"{INSTANCES}/batch/terminate", ["x"] * 101, (400,)),
    "101 messages": ("/queues/orders/messages/batch", {"messages": [{"body": 1}] * 101}, (400,)),
    "a message of 129 KB": ("/queues/orders/messages", {"body": "x" * 129_000}, (400,)),
    "a day and a second": ("/queues/orders/messages", {"body": 1, "delay_seconds": 86_401}, (400,)),
    "101 to peek at": ("/queues/orders/messages/peek", {"batch_size": 101}, (400,)),
    "101 to pull": ("/queues/orders/messages/pull", {"batch_size": 101}, (400,)),
}


@pytest.mark.parametrize(("path", "body", "statuses"), BODIES.values(), ids=BODIES)
async def test_a_body_has_a_largest_size(api, emu, path, body, statuses):
    """
    What is over it is refused whole, and nothing of it is kept.
    """
    before = state_of(emu)
    answer = await api.ask("POST", path, body)

    assert answer.status in statuses
    assert 200 == answer.status or before == state_of(emu)


PATTERNS = {
    "id": ("POST", INSTANCES, lambda name: {"instance_id": name}, 100),
    "id of the explorer": ("POST", EXPLORER + INSTANCES, lambda name: {"id": name}, 100),
    "queue": ("POST", "/queues", lambda name: {"queue_name": name}, 63),
    "event": ("POST", INSTANCES + "/one/events/{name}", lambda name: {}, 100),
}


@pytest.mark.parametrize(("method", "path", "body", "longest"), PATTERNS.values(), ids=PATTERNS)
async def test_a_name_has_a_pattern_and_a_length(api, method, path, body, longest):
    """
    The longest is taken, one more letter is not, and neither is a name with anything odd in it.
    """
    odd = ["a" * (longest + 1), "-a", "a b", "a.b", "\u0430", "a\n"]
    answers = [await api.ask(method, path.format(name=escaped(each)), body(each)) for each in odd]

    assert {400, 404} >= {answer.status for answer in answers}

    longer = "a" * longest

    assert 200 == (await api.ask(method, path.format(name=longer), body(longer))).status


# S21: a name is never more than a name


HOSTILE = [
    "'; drop table messages; --",
    '" or ""="',
    "%",
    "*",
    "../../../../etc/passwd",
    "..%2f..%2fstate.db",
    "a\x00b",
    "a\r\nb",
    "\u202edrow",
    "\uff4frders",
    "orders\u200b",
    "Orders",
    "<img src=x onerror=alert(1)>",
    "x" * 10_000,
    "{queue}",
    "__proto__",
]


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:24])
async def test_a_name_in_a_path_or_a_query_is_never_more(api, emu, name):
    """
    It names nothing: 400 or 404, or an empty page. No row of any table is another, no file is made.
    """
    before, files, there = state_of(emu), sorted(emu.folder.iterdir()), escaped(name)
    for path in (
        f"/queues/{there}/metrics",
        f"/queues/orders/consumers/{there}",
        f"/workflows/order/versions/{there}/graph",
        f"{INSTANCES}/one/step?type=step&name={there}",
        f"{INSTANCES}?cursor={there}",
        f"{INSTANCES}?date_start={there}",
        f"{INSTANCES}?status={there}",
        f"{EXPLORER}/workflows/{there}",
    ):
        assert (await api.ask("GET", path)).status in (400, 404)
    for path in (f"/queues?name={there}", f"/workflows?search={there}"):
        answer = await api.ask("GET", path)

        assert 400 == answer.status or [] == answer.json["result"]
    assert (await api.ask("POST", f"/cdn-cgi/local/queues/{there}/messages", {"body": 1})).status in (400, 404)
    assert (await api.ask("POST", f"{EXPLORER}/local/scheduled?worker={there}", {})).status in (400, 404)

    assert before == state_of(emu)
    assert files == sorted(emu.folder.iterdir())


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name)[:24])
async def test_a_name_in_a_body_is_never_more(api, emu, name):
    """
    Names to make are held against their pattern; references that lead nowhere change nothing.
    """
    await api.result("POST", "/queues/orders/consumers", {"type": "http_pull"})
    before = state_of(emu)
    refused = [
        ("POST", "/queues", {"queue_name": name}),
        ("PATCH", "/queues/orders", {"queue_name": name}),
        ("POST", "/event_subscriptions/subscriptions", {"name": name}),
        ("PUT", "/workflows/order", {"class_name": name, "script_name": name}),
        ("PATCH", f"{INSTANCES}/one/status", {"status": name}),
        ("PATCH", f"{INSTANCES}/one/status", {"status": "restart", "from": {"name": name}}),
        ("POST", INSTANCES, {"instance_retention": {"success_retention": name}}),
        ("POST", INSTANCES, {"location_hint": name}),
    ]
    for method, path, body in refused:
        assert (await api.ask(method, path, body)).status in (400, 404, 409)
    for path, body in (
        ("/queues/orders/messages/ack", {"acks": [{"lease_id": name}], "retries": [{"lease_id": name}]}),
        ("/queues/orders/messages/purge", {"refs": [{"ref": name}]}),
        (f"{INSTANCES}/batch/delete", {"instances": [name]}),
    ):
        assert (await api.ask("POST", path, body)).status in (200, 400)

    assert before == state_of(emu)


async def test_what_is_stored_comes_back_as_it_was(api, emu):
    """
    Params, payloads and messages may hold anything; it is a value, and stays one.
    """
    await api.result("POST", INSTANCES, {"instance_id": "two", "params": {"names": HOSTILE}})
    await api.result("POST", "/queues/orders/messages", {"body": HOSTILE})
    shown = await api.result("GET", f"{INSTANCES}/two")
    (message,) = (await api.result("POST", "/queues/orders/messages/peek", {}))["messages"]

    assert {"names": HOSTILE} == shown["params"]
    assert HOSTILE == json.loads(message["body"])
