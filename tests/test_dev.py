"""`emulator dev` as a stranger uses it: a real process, a real port, the real clock; each path once."""

import hashlib
import http.client
import json
import os
import signal
import socket
import threading
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from dev import Dev, eventually
from support import HELLO

pytestmark = pytest.mark.slow

WORKFLOW = """
[[workflows]]
name = "nap"
binding = "NAP"
class_name = "Nap"

[[queues.producers]]
queue = "orders"
binding = "ORDERS"

[[queues.consumers]]
queue = "orders"
max_batch_size = 1

[triggers]
crons = ["0 0 1 1 *"]

[vars]
COLOUR = "red"

[env.staging]
name = "staging-worker"
[env.staging.vars]
COLOUR = "blue"
"""

WORKER = """
import asyncio, hashlib, json, logging, sys, time
from urllib.parse import urlsplit
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

class Nap(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.sleep("long", event["payload"].get("for", "1 hour"))
        return "rested"

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlsplit(request.url)
        match url.path:
            case "/echo":
                async def pieces():
                    async for piece in request.body:
                        yield bytes(piece)
                return Response(pieces(), headers={"content-type": "application/octet-stream"})
            case "/digest":
                return Response(hashlib.sha256(await request.bytes()).hexdigest())
            case "/drip":
                async def drops():
                    for number in range(3):
                        yield f"drop {number}\\n".encode()
                        await asyncio.sleep(0.15)
                return Response(drops())
            case "/break":
                async def half():
                    yield b"half"
                    await asyncio.sleep(0.05)
                    raise ValueError("broken off")
                return Response(half())
            case "/cookies":
                cookies = ["a=1; Path=/", "b=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT"]
                return Response("cookies", headers=[("set-cookie", cookie) for cookie in cookies])
            case "/talk":
                print("printed", "in two parts")
                logging.getLogger("shop").warning("logged")
                print("to stderr", file=sys.stderr)
                sys.stdout.buffer.write("bytes \N{SNOWMAN}\\n".encode())
                return Response("ok")
            case "/env":
                return Response.json({"COLOUR": self.env.COLOUR, "python": sys.version.split()[0]})
            case "/nap":
                nap = await self.env.NAP.create(id="one", params={"for": "1 hour"})
                return Response(nap.id)
            case "/status":
                nap = await self.env.NAP.get("one")
                return Response.json(await nap.status())
            case "/block":
                time.sleep(60)
            case "/slow":
                await asyncio.sleep(60)
            case "/give-up":
                raise asyncio.CancelledError
            case "/later":
                async def later():
                    await asyncio.sleep(0.3)
                    print("later done")
                self.ctx.waitUntil(later())
            case "/fail":
                raise ValueError("it is broken")
        return Response(request.url)

    async def scheduled(self, controller, env, ctx):
        print(f"tick {controller.cron} {controller.scheduledTime}")
        if controller.cron == "bad":
            raise ValueError("no tick")

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            print("message", json.dumps(message.body))
"""


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    """One server for all tests that leave it as they found it."""
    with Dev(tmp_path_factory.mktemp("dev"), code=WORKER, config=WORKFLOW) as running:
        yield running


# Requests


def test_it_says_where_it_is_ready(dev):
    """
    The banner names handlers with their place, bindings and crons; the last line has the address.
    """
    assert dev.wait_for("Ready on ").startswith(f"Ready on http://127.0.0.1:{dev.port}")
    assert "entry.py:" in dev.wait_for("fetch")
    assert "NAP (workflow nap)" in dev.text
    assert "0 0 1 1 *" in dev.text


def test_a_body_streams_down_as_it_is_made(dev):
    """
    The first piece of an answer arrives long before the last is made.
    """
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=5)
    with closing(connection):
        began = time.monotonic()
        connection.request("GET", "/drip")
        response = connection.getresponse()
        first = response.readline()
        after_first = time.monotonic() - began
        rest = response.read()
        after_all = time.monotonic() - began

    assert b"drop 0\n" == first
    assert b"drop 1\ndrop 2\n" == rest
    assert after_all - after_first > 0.2


def test_a_body_streams_up_and_down_at_once(dev):
    """
    A piece that the worker has been sent comes back before the next is sent.
    """
    with closing(socket.create_connection(("127.0.0.1", dev.port), 5)) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
        seen = []
        for piece in (b"one", b"two", b"three"):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            seen.append(read_until(connection, piece))
        connection.sendall(b"0\r\n\r\n")
        end = read_until(connection, b"0\r\n\r\n")

    assert all(seen)
    assert end


def read_until(connection, words):
    """Whether the bytes come, within the socket's time."""
    found = b""
    while words not in found:
        piece = connection.recv(65536)
        if not piece:
            return False
        found += piece
    return True


def test_five_megabytes_go_up_and_down_unchanged(dev):
    """
    A large body, many times the size of a window, is the same at both ends.
    """
    body = os.urandom(5 << 20)

    assert hashlib.sha256(body).hexdigest() == dev.post("/digest", body).text
    assert body == dev.post("/echo", body).body


def test_an_answer_that_breaks_off_is_not_taken_for_whole(dev):
    """
    When the body fails half-way the client's connection breaks, and the terminal shows the traceback once.
    """
    with pytest.raises(http.client.IncompleteRead):
        dev.get("/break")
    dev.wait_for("ValueError: broken off")
    dev.get("/env")

    assert 1 == dev.text.count("ValueError: broken off")
    assert "ASGI callable" not in dev.text


def test_head_has_headers_and_no_body(dev):
    """
    HEAD runs the handler, and its answer has the length but no body.
    """
    answer = dev.request("HEAD", "/env")

    assert (200, b"") == (answer.status, answer.body)
    assert "application/json" in answer.header("content-type")


def test_several_cookies_stay_several(dev):
    """
    Each Set-Cookie is a header of its own.
    """
    cookies = [value for name, value in dev.get("/cookies").headers if name == "set-cookie"]

    assert ["a=1; Path=/", "b=2; Expires=Wed, 01 Jan 2031 00:00:00 GMT"] == cookies


@pytest.mark.parametrize("path", ["/a%2Fb/%C3%A9%20x?q=%26&r=a+b", "/a//b/c", "/%7Euser;v=1?", "/100%25"])
def test_a_path_keeps_its_percents(dev, path):
    """
    What the client percent-encoded reaches the worker so.
    """
    assert path.removesuffix("?") == dev.get(path).text.removeprefix(f"http://127.0.0.1:{dev.port}").removesuffix("?")


def test_what_the_worker_prints_is_marked(dev):
    """
    Each line of print, logging and stderr names the request that made it.
    """
    dev.get("/talk")

    assert dev.wait_for("printed in two parts").startswith("GET /talk │")
    assert dev.wait_for("logged").startswith("GET /talk │")
    assert dev.wait_for("to stderr").startswith("GET /talk │")
    assert dev.wait_for("bytes ☃").startswith("GET /talk │")
    assert "200" in dev.wait_for("GET    /talk")


def test_an_exception_is_shown_once(dev):
    """
    curl gets text, a browser HTML, and the terminal shows the traceback once for each, with the user's frame.
    """
    before = dev.text.count("it is broken")
    text = dev.get("/fail", user_agent="curl/8", accept="*/*")
    page = dev.get("/fail", accept="text/html")
    dev.until("/env", lambda answer: dev.text.count("ValueError: it is broken") >= 2, 2)

    assert (500, "text/plain; charset=utf-8") == (text.status, text.header("content-type"))
    assert "ValueError: it is broken" in text.text
    assert (500, "text/html; charset=utf-8") == (page.status, page.header("content-type"))
    assert "entry.py" in page.text
    assert 2 == dev.text.count("ValueError: it is broken") - before


def test_a_handler_that_cancels_itself_has_failed(dev):
    """
    CancelledError out of the worker's own code is answered like any other exception.
    """
    answer = dev.get("/give-up")

    assert 500 == answer.status
    assert "CancelledError" in answer.text


def test_work_after_the_answer_is_still_the_requests(dev):
    """
    What waitUntil does when the client has gone is printed in the name of its request.
    """
    dev.get("/later")

    assert dev.wait_for("later done").startswith("GET /later │")


# The routes of ours


def test_health_is_for_scripts(dev):
    """
    Up, which version, which generation, no error.
    """
    health = dev.get("/cdn-cgi/local/health").json

    assert health["ok"] is True
    assert {"generation": 1, "error": None} == health["worker"]
    assert health["uptime_ms"] > 0


@pytest.mark.parametrize("route", ["/cdn-cgi/local/scheduled", "/cdn-cgi/handler/scheduled", "/cdn-cgi/mf/scheduled"])
def test_a_cron_runs_now(dev, route):
    """
    Each spelling of the route runs the scheduled handler with the cron and the time that were asked for.
    """
    answer = dev.get(f"{route}?cron=*+*+*+*+*&time=1700000000000&format=json")

    assert (200, {"outcome": "ok", "noRetry": False}) == (answer.status, answer.json)
    assert dev.wait_for("tick * * * * * 1700000000000").startswith("CRON")
    assert "ok" == dev.get(route).text


def test_a_cron_that_fails_says_so(dev):
    """
    An exception in the scheduled handler is a 500 with its outcome.
    """
    answer = dev.get("/cdn-cgi/local/scheduled?cron=bad")

    assert (500, "exception") == (answer.status, answer.text)


@pytest.mark.parametrize(("method", "comes_back"), [("GET", True), ("POST", False)])
def test_the_page_of_an_exception_comes_back_if_it_may_be_asked_for_again(dev, method, comes_back):
    """
    After the next save, but not what a form has sent.
    """
    page = dev.request(method, "/fail", headers={"accept": "text/html"})

    assert 500 == page.status
    assert comes_back is ('data-failed="request"' in page.text)


def test_the_page_of_a_process_that_ended_does_not_come_back(tmp_path):
    """
    Each time, the request would end the next one.
    """
    code = HELLO.replace('return Response("hello")', "__import__('os')._exit(3)")
    with Dev(tmp_path, "--no-reload", code=code) as dev:
        page = dev.get("/", accept="text/html")

    assert 503 == page.status
    assert "<script" not in page.text


def test_a_trigger_of_a_broken_worker_is_refused_at_once(tmp_path):
    """
    The routes of ours answer with the reason while the worker cannot be loaded.
    """
    with Dev(tmp_path, code="import no_such_module\n") as dev:
        answer = dev.get("/cdn-cgi/local/scheduled")

        assert 503 == answer.status
        assert "no_such_module" in answer.json["error"]
        assert dev.get("/cdn-cgi/local/health").json["ok"] is False


def test_a_message_is_pushed(dev):
    """
    A message pushed from outside reaches the queue handler; one that is none is refused with words.
    """
    pushed = dev.post("/cdn-cgi/local/queues/orders/messages", {"body": {"sku": "tea"}})
    wrong = dev.post("/cdn-cgi/local/queues/orders/messages", {"text": 1})

    assert pushed.json["ok"] is True
    assert dev.wait_for('message {"sku": "tea"}').startswith("QUEUE")
    assert 400 == wrong.status
    assert '"body"' in wrong.json["error"]


@pytest.mark.parametrize("name", ["..%2f..%2f..%2fx", "Orders", "a%20b", "x" * 64])
def test_a_queue_needs_a_name_that_the_platform_takes(dev, name):
    """
    A message to a queue that could stand in no config is refused, and there is no such queue afterwards.
    """
    answer = dev.post(f"/cdn-cgi/local/queues/{name}/messages", {"body": 1})

    assert 400 == answer.status
    assert "no queue" in answer.json["error"]
    assert ["orders"] == [queue["name"] for queue in dev.get("/cdn-cgi/local/queues").json]


def test_a_message_that_is_too_large_is_not_read_to_its_end(dev):
    """
    Over 1 MiB the answer is 413.
    """
    answer = dev.post("/cdn-cgi/local/queues/orders/messages", {"body": "x" * (1 << 20)})

    assert (413, "the body is over 1 MiB") == (answer.status, answer.json["error"])


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/cdn-cgi/local/clock"),
        ("POST", "/cdn-cgi/local/queues/orders/messages"),
        ("GET", "/cdn-cgi/local/health"),
        ("GET", "/cdn-cgi/local/scheduled?cron=foreign"),
    ],
)
def test_a_foreign_page_can_do_nothing(dev, method, path, headers):
    """
    A foreign Host or Origin is refused with 403, and nothing has changed.
    """
    body = json.dumps({"advance": "9 days", "body": "foreign"}).encode() if method == "POST" else None
    answer = dev.request(method, path, body, {"content-type": "text/plain", **headers})

    assert 403 == answer.status
    assert abs(dev.get("/cdn-cgi/local/clock").json["offset_ms"]) < 1000
    assert "foreign" not in dev.text


def test_an_unknown_route_of_ours_is_said_to_be_one(dev):
    """
    A path under /cdn-cgi/ that is none is a clear 404, and not the worker's.
    """
    answer = dev.get("/cdn-cgi/nonsense")

    assert 404 == answer.status
    assert "/cdn-cgi/nonsense" in answer.text


def test_the_clock_moves_and_wakes_a_sleeper(tmp_path):
    """
    Advancing the clock by what an instance sleeps finishes it; set and reset move the clock and say where it is.
    """
    with Dev(tmp_path, code=WORKER, config=WORKFLOW) as dev:
        dev.get("/nap")
        dev.until("/status", lambda answer: answer.json["status"] == "waiting")
        before = dev.get("/cdn-cgi/local/clock").json
        advanced = dev.post("/cdn-cgi/local/clock", {"advance": "61 minutes"}).json
        status = dev.get("/status").json
        moved = dev.post("/cdn-cgi/local/clock", {"set": "2040-01-01T00:00:00Z"}).json
        back = dev.post("/cdn-cgi/local/clock", {"reset": True}).json
        wrong = dev.post("/cdn-cgi/local/clock", {"advance": "soon"})

        assert abs(before["offset_ms"]) < 100
        assert abs(advanced["offset_ms"] - 61 * 60_000) < 1000
        assert ("complete", "rested") == (status["status"], status["output"])
        assert moved["now"].startswith("2040-01-01T00:00:0")
        assert abs(back["offset_ms"]) < 100
        assert 400 == wrong.status
        assert "soon" in wrong.json["error"]


def test_a_sleeper_that_is_soon_due_wakes_earlier_when_time_is_moved(tmp_path):
    """
    After a move that leaves two of its twenty seconds, a sleeper wakes two seconds later and not twenty.
    """
    with Dev(tmp_path, code=WORKER.replace('"for": "1 hour"', '"for": "20 seconds"'), config=WORKFLOW) as dev:
        dev.get("/nap")
        dev.until("/status", lambda answer: answer.json["status"] == "waiting")
        dev.post("/cdn-cgi/local/clock", {"advance": 18500})
        status = dev.until("/status", lambda answer: answer.json["status"] == "complete", 3).json

        assert "complete" == status["status"]


# Ends


def idle(dev):
    """Nothing under way."""


def in_flight(dev):
    """A request that waits."""
    dev.later("GET", "/slow")
    time.sleep(0.1)


def streaming(dev):
    """Half an answer is out."""
    dev.later("GET", "/drip")
    time.sleep(0.05)


def blocked(dev):
    """A handler that holds the worker's loop."""
    dev.later("GET", "/block")
    time.sleep(0.1)


def loaded(dev):
    """Eight clients that ask again and again."""

    def ask():
        while dev.process.poll() is None:
            try:
                dev.get("/x")
            except (OSError, http.client.HTTPException):
                return

    for _ in range(8):
        threading.Thread(target=ask, daemon=True).start()
    time.sleep(0.2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("situation", [idle, in_flight, streaming, blocked, loaded])
def test_a_signal_ends_everything_at_once(tmp_path, situation, number):
    """
    Whatever is under way, the emulator is gone within a second, with exit code 0, no child left and no traceback.
    """
    with Dev(tmp_path, code=WORKER, config=WORKFLOW) as dev:
        situation(dev)
        code, took, left = dev.stop(number)

    assert (0, []) == (code, left)
    assert took < 1.0
    assert "Traceback" not in dev.text


def test_a_signal_during_start_ends_it(tmp_path):
    """
    Ctrl-C while a worker still loads ends both processes too.
    """
    code = "import pathlib, time\npathlib.Path('loading').touch()\ntime.sleep(60)\n"
    with Dev(tmp_path, code=code, ready=False) as dev:
        assert eventually((tmp_path / "loading").exists)

        code, took, left = dev.stop(signal.SIGINT)

    assert (0, []) == (code, left)
    assert took < 1.5
    assert "Traceback" not in dev.text


def test_a_request_under_way_is_told_of_the_end(tmp_path):
    """
    A client whose request is cut off by the end gets a 503 and not silence.
    """
    with Dev(tmp_path, code=WORKER, config=WORKFLOW) as dev:
        answer = dev.later("GET", "/slow")
        time.sleep(0.1)
        dev.stop()

    assert 503 == answer().status


def test_a_port_in_use_is_one_clear_line(tmp_path, dev):
    """
    A taken port is said in one line with what to do, and exit code 1.
    """
    with Dev(tmp_path, "--port", dev.port, code=HELLO, ready=False) as second:
        code = second.process.wait(5)

    assert 1 == code
    assert 1 == len(second.lines)
    assert f"127.0.0.1:{dev.port}" in second.text
    assert "--port" in second.text


@pytest.mark.parametrize("ip", ["nonsense", "10.99.99.99"])
def test_an_address_of_another_machine_is_one_clear_line(tmp_path, ip):
    """
    An --ip that cannot be listened on is said so, and exit code 1.
    """
    with Dev(tmp_path, "--ip", ip, code=HELLO, ready=False) as dev:
        code = dev.process.wait(5)

    assert 1 == code
    assert 1 == len(dev.lines)
    assert "--ip" in dev.text


def test_a_state_folder_in_use_is_one_clear_line(tmp_path, dev):
    """
    The one who holds the state folder is named with pid and port, and exit code 1.
    """
    with Dev(tmp_path, "--persist-to", dev.folder / ".emulator", code=HELLO, ready=False) as second:
        code = second.process.wait(5)

    assert 1 == code
    assert 1 == len(second.lines)
    assert f"pid {dev.process.pid} on port {dev.port}" in second.text


# Options


def test_variables_come_from_the_command_line(tmp_path):
    """
    --var wins over the config, also over an environment's.
    """
    with Dev(tmp_path, "--var", "COLOUR:green:ish", code=WORKER, config=WORKFLOW) as dev:
        assert "green:ish" == dev.get("/env").json["COLOUR"]


def test_an_environment_is_chosen_and_state_goes_elsewhere(tmp_path):
    """
    -e takes the environment's variables, --persist-to keeps the state where it says, --ip listens there.
    """
    state = tmp_path / "elsewhere"
    config = WORKFLOW.replace("[env.staging.vars]", "[env.staging.vars]\nX = 1") + "\n"
    with Dev(
        tmp_path, "-e", "staging", "--persist-to", state, "--ip", "127.0.0.2", code=ENV_ONLY, config=config
    ) as dev:
        assert "http://127.0.0.2" in dev.url
        assert "blue" == dev.request("GET", "/env", host="127.0.0.2").text
        assert (state / "state.db").is_file()
        assert not (tmp_path / ".emulator").exists()


ENV_ONLY = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(self.env.COLOUR)
"""

EACH_MOMENT = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
    async def scheduled(self, controller, env, ctx):
        print("ticked", controller.cron)
"""


@pytest.mark.parametrize("options", [(), ("--no-crons",)], ids=["crons", "no crons"])
def test_crons_fire_by_themselves_unless_told_not_to(run, tmp_path, monkeypatch, options):
    """
    A minute on, a cron of every minute has fired, and with --no-crons it has not.
    """
    with Dev(tmp_path, *options, code=EACH_MOMENT, config='[triggers]\ncrons = ["* * * * *"]\n') as dev:
        dev.post("/cdn-cgi/local/clock", {"advance": "1 minute"})
        dev.get("/")
        dev.wait_for("GET    /")

        assert (not options) == ("ticked * * * * *" in dev.text)

        monkeypatch.chdir(tmp_path)

        assert bool(options) == ("not by itself (--no-crons)" in run("cron", "list")[1])


def test_without_reload_a_save_changes_nothing(tmp_path):
    """
    With --no-reload the worker stays as it was loaded.
    """
    with Dev(tmp_path, "--no-reload", code=HELLO) as dev:
        dev.save("entry.py", HELLO.replace("hello", "changed"))
        time.sleep(0.3)

        assert "hello" == dev.get("/").text


def test_without_reload_nobody_is_told_that_a_save_is_enough(tmp_path):
    """
    Neither the terminal nor the page of a worker that could not be loaded.
    """
    with Dev(tmp_path, "--no-reload", code="1 / 0") as dev:
        page = dev.get("/", accept="text/html").text

        assert "save, and start the emulator again" in dev.wait_for("could not be loaded")
        assert "Put it right, save, and start the emulator again; a browser" in page


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_a_worker_runs_under_another_interpreter(tmp_path, version):
    """
    --python runs the worker, and only the worker, under the interpreter it names.
    """
    found = sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no Python {version} here")
    with Dev(tmp_path, "--python", found[-1], code=WORKER, config=WORKFLOW) as dev:
        dev.get("/nap")
        dev.post("/cdn-cgi/local/clock", {"advance": "61 minutes"})

        assert dev.get("/env").json["python"].startswith(version)
        assert "complete" == dev.get("/status").json["status"]


def test_an_interpreter_that_is_none_is_one_clear_line(tmp_path):
    """
    A --python that does not exist, or is no Python, is exit code 1 and a line that says so.
    """
    with Dev(tmp_path, "--python", tmp_path / "none", code=HELLO, ready=False) as dev:
        code = dev.process.wait(5)

    assert 1 == code
    assert 1 == len(dev.lines)
    assert "--python" in dev.text


def test_a_worker_runs_in_the_same_process(tmp_path):
    """
    --in-process starts no child, answers, prints marked lines, reloads and stops.
    """
    with Dev(tmp_path, "--in-process", code=WORKER, config=WORKFLOW) as dev:
        dev.get("/talk")
        line = dev.wait_for("printed in two parts")
        children = dev.children()
        dev.save("entry.py", HELLO.replace("hello", "changed") + "\nclass Nap: ...\n")
        dev.save("entry.py", WORKER.replace("Response(request.url)", 'Response("changed")'))
        changed = dev.until("/", lambda answer: answer.text == "changed").text
        code, took, _ = dev.stop(signal.SIGINT)

    assert line.startswith("GET /talk │")
    assert [] == children
    assert "changed" == changed
    assert 0 == code
    assert took < 1


def test_events_are_json_for_machines(tmp_path):
    """
    With --log-format json every line is an object.
    """
    with Dev(tmp_path, "--log-format", "json", code=WORKER, config=WORKFLOW) as dev:
        dev.get("/talk")
        dev.get("/fail")
        dev.wait_for("it is broken")
        dev.stop()

    events = [json.loads(line) for line in dev.lines]

    assert {"GET", "PRINT", "NOTE", "READY"} <= {event["event"] for event in events}
    assert all(datetime.fromisoformat(event["at"]) for event in events)


def test_programs_are_told_when_it_is_ready_and_of_whole_ids(tmp_path):
    """
    One object says where it listens, who it is and how long it took; an instance is named by all of its id.
    """
    code = """
from workers import Response, WorkerEntrypoint, WorkflowEntrypoint

class Nap(WorkflowEntrypoint):
    async def run(self, event, step):
        print("hello")

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response((await self.env.NAP.create()).id)
"""
    with Dev(tmp_path, "--log-format", "json", code=code, config=WORKFLOW) as dev:
        id = dev.get("/").text
        dev.wait_for("complete")
        pid, url, port = dev.process.pid, dev.url, dev.port

    events = [json.loads(line) for line in dev.lines]
    (ready,) = [event for event in events if event["event"] == "READY"]

    assert (url, "127.0.0.1", port, pid) == (ready["url"], ready["ip"], ready["port"], ready["pid"])
    assert 0 < ready["milliseconds"] < 60_000
    assert ready["result"].startswith(f"Ready on {url}")
    assert 36 == len(id)
    assert {("FLOW", f"nap/{id}"), ("PRINT", f"nap/{id}")} <= {(each["event"], each.get("title")) for each in events}


@pytest.mark.parametrize(("options", "status"), [((), 200), (("--strict-host",), 403)], ids=["open", "strict"])
def test_foreign_names_reach_the_worker_unless_it_is_strict(tmp_path, options, status):
    """
    The worker serves any name; with --strict-host only local ones and those of its routes.
    """
    config = 'routes = ["shop.example/*"]\n'
    with Dev(tmp_path, *options, code=HELLO, config=config) as dev:
        assert status == dev.get("/", host="other.example").status
        assert 200 == dev.get("/", host="shop.example").status
        assert 200 == dev.get("/", host="localhost").status


def test_what_a_worker_left_behind_does_not_keep_it(tmp_path):
    """
    Threads and tasks of the worker do not hold up the end.
    """
    code = HELLO + "\nimport threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    with Dev(tmp_path, code=code) as dev:
        code, took, left = dev.stop()

    assert (0, []) == (code, left)
    assert took < 1


PENDING = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        await self.env.JOBS.send({"sku": "tea"})
        return Response("sent")

    async def queue(self, batch, env, ctx):
        print("the worker has it")
"""
JOBS = '[[queues.producers]]\nqueue = "jobs"\nbinding = "JOBS"\n'


def test_what_was_pending_is_delivered_below_the_banner(tmp_path):
    """
    First what is served and where, then what happens, also where a message waits at the start.
    """
    with Dev(tmp_path, code=PENDING, config=JOBS) as dev:
        assert "sent" == dev.get("/").text

        dev.stop()
    with Dev(tmp_path, code=PENDING, config=JOBS + '[[queues.consumers]]\nqueue = "jobs"\nmax_batch_size = 1\n') as dev:
        dev.wait_for("the worker has it")
        ready = next(at for at, line in enumerate(dev.lines) if line.startswith("Ready on "))

        assert not any("QUEUE" in line or "has it" in line for line in dev.lines[:ready])
        assert dev.lines[0].startswith("emulator ")
