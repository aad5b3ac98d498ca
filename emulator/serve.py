"""`emulator dev`: bind, boot, serve, watch, stop."""

from __future__ import annotations

import asyncio
import errno
import importlib
import logging
import signal
import socket
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

import uvicorn

from emulator import leftovers, pages
from emulator.app import Receive, Scope, Send, url_map
from emulator.errors import EmulatorError, PortTaken, TokenNeeded, WorkerError, WorkerGone
from emulator.greeting import Address, greet, remedy
from emulator.guard import Gate, Limits, guarded, origins, token_problem, web_sockets, with_token
from emulator.guard.origins import is_loopback, spelled
from emulator.launch import Allowance, Launched
from emulator.processes import InProcess, Processes
from emulator.server import Emulator, Options
from emulator.terminal import Terminal
from emulator.worker import Start

_IP = "127.0.0.1"
_PORT = 8787
_LARGEST_MESSAGE = 32 << 20
# Whoever pressed Ctrl-C waits for the prompt: a request that takes longer than this is told that its worker is gone.
_GRACE = 0.25
_LAST_RESORT = 2
_A_TOKEN = 'python -c "import secrets; print(secrets.token_urlsafe(32))" makes a good one'


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How to serve: what the command line says beyond `Options`."""

    ip: str | None = None
    port: int | None = None
    reload: bool = True
    in_process: bool = False
    python: str | None = None
    json_log: bool = False
    whole_tracebacks: bool = False
    strict_host: bool = False
    token: str | None = None
    ahead: list[Launched] = field(default_factory=list)
    allowance: Allowance = field(default_factory=Allowance)
    began: float = field(default_factory=time.monotonic)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling: Ctrl-C is the emulator's business. `listens` is set once it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(options: Options, serving: Serving) -> None:
    """Serve until a signal. Raises EmulatorError for what the user must put right first."""
    # In process the user's code runs on this loop, and `run_sync` needs one of asyncio's own.
    with asyncio.Runner(loop_factory=None if serving.in_process else _loop_factory()) as runner:
        runner.run(_serve(options, serving))


async def _serve(options: Options, serving: Serving) -> None:
    terminal = Terminal(as_json=serving.json_log, whole=serving.whole_tracebacks)
    _log_to(terminal)
    start = InProcess().start if serving.in_process else _processes(serving)
    emulator = Emulator(options, start, terminal)
    stopped = asyncio.ensure_future(_on_signals().wait())
    answering: set[asyncio.Task[None]] = set()
    try:
        listening = bound(*_address(emulator, serving))
        _check_token(serving.token, listening)
        ip, port = listening.getsockname()[:2]
        emulator.store.lock.note_port(port, None if ip_address(ip).is_unspecified else ip)
        live = asyncio.create_task(_live(emulator, serving, listening, answering))
        # A signal ends it at any moment, also while the worker is still being loaded.
        await asyncio.wait({live, stopped}, return_when=asyncio.FIRST_COMPLETED)
        live.cancel()
        with suppress(asyncio.CancelledError):
            await live
    finally:
        await emulator.stop()
        if answering:
            await asyncio.wait(answering, timeout=_GRACE)


def _processes(serving: Serving) -> Start:
    return Processes(serving.python, serving.ahead, serving.allowance).start


def _address(emulator: Emulator, serving: Serving) -> tuple[str, int]:
    """The command line decides, then the config's `[dev]`, then we."""
    dev = emulator.workers[0].config.dev
    ports = [port for port in (serving.port, dev.port, _PORT) if port is not None]
    return serving.ip or dev.ip or _IP, ports[0]


def _check_token(token: str | None, listening: socket.socket) -> None:
    """Raises TokenNeeded where the token is no good, or there is none and others than this machine could use ours."""
    wrong = None if token is None else token_problem(token)
    ip = listening.getsockname()[0]
    if wrong is None and (token is not None or is_loopback(spelled(ip))):
        return
    listening.close()
    if wrong is not None:
        raise TokenNeeded(f"the token in EMULATOR_API_TOKEN, or in the file, is too weak: {wrong}; {_A_TOKEN}")
    raise TokenNeeded(
        f"on {ip} other machines reach the emulator, and whoever does could use /cdn-cgi/: put a token into"
        f" EMULATOR_API_TOKEN, or into a file for --api-token-file, or listen on 127.0.0.1; {_A_TOKEN}"
    )


async def _live(
    emulator: Emulator, serving: Serving, listening: socket.socket, answering: set[asyncio.Task[None]]
) -> None:
    """Boot, serve and watch until cancelled. Then `answering` holds what answers the requests that are under way."""
    loading_since = time.time()
    # What is taken up has lines of its own, which belong below the banner.
    await emulator.boot(goes_on=False)
    server = _server(emulator, serving)
    serving_task = asyncio.create_task(server.serve([listening]))
    answering.add(serving_task)
    try:
        await server.listens.wait()
        url = _greet(emulator, serving, listening)
        emulator.go_on()
        with _hotkeys(emulator, url, serving):
            if serving.reload:
                await _watch(emulator, loading_since)
            await serving_task
    finally:
        server.should_exit = True
        await asyncio.wait([serving_task], timeout=_GRACE)


def _server(emulator: Emulator, serving: Serving) -> _Server:
    async def explain(scope: Scope, send: Send, error: EmulatorError) -> None:
        # A page that comes back by itself asks one of our routes, and has no token.
        can_ask = serving.token is None
        live = error is emulator.workers[0].error and can_ask
        # Not where the process has ended: each time that the page came back, the request could end the next one.
        again = scope["method"] == "GET" and not isinstance(error, WorkerGone) and can_ask
        await _explain(scope, send, error, live=live, again=again, remedy=_remedy(serving))

    ours = _Ours(emulator) if serving.token is None else with_token(_Ours(emulator), Gate(serving.token))
    checked = origins(
        url_map(emulator.fetch_route(explain), ours),
        hosts=lambda: _hosts(emulator),
        strict_host=serving.strict_host,
        by_address=serving.token is not None,
    )
    config = uvicorn.Config(
        checked,
        http=guarded(Limits()),
        ws=cast(Any, web_sockets),
        ws_max_size=_LARGEST_MESSAGE,
        ws_ping_interval=None,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whoever is asked who the client is asks the socket.
        proxy_headers=False,
        date_header=False,
        timeout_graceful_shutdown=_LAST_RESORT,
    )
    config.load()
    return _Server(config)


def _hosts(emulator: Emulator) -> Iterator[str]:
    """The names that the configs' routes give to this server, as they are now."""
    return (route.host for worker in emulator.workers for route in worker.config.routes)


class _Ours:
    """The emulator's own routes. They are imported by the first request to them: a start-up needs none."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            self._app = importlib.import_module("emulator.api.local").local_app(self._emulator)
        await self._app(scope, receive, send)


async def _explain(scope: Scope, send: Send, error: EmulatorError, *, live: bool, again: bool, remedy: str) -> None:
    """An error page: HTML for browsers, text for the rest; details only for this machine."""
    client = (scope.get("client") or ("",))[0]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    told = pages.explain(error, headers, client=client, live=live, again=again, remedy=remedy)
    status = 503 if isinstance(error, WorkerGone) else 500
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told.headers]
    body = told.body.encode("utf-8", "replace")
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _watch(emulator: Emulator, since: float) -> None:
    """Watching is imported after the server is ready; what was saved in between is found by its time."""
    watching = importlib.import_module("emulator.watch")
    await asyncio.gather(*(_watch_one(emulator, watching, index, since) for index in range(len(emulator.workers))))


async def _watch_one(emulator: Emulator, watching: Any, index: int, since: float) -> None:
    worker = emulator.workers[index]

    async def reload(saved: Collection[str]) -> None:
        await emulator.wait_for_debugger(worker, saved)
        await emulator.reload(worker, saved)

    def files() -> list[Path]:
        return [*worker.latest.files, *leftovers.taken(worker.latest)]

    await watching.watch(lambda: [worker.latest.module_root], files, reload, since=since)


def bound(ip: str, port: int) -> socket.socket:
    """A listening socket. Raises PortTaken, with what to do."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        # On Windows the same option would let two servers share the port.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((ip, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        is_taken = error.errno == errno.EADDRINUSE
        remedy = "another --port, or 0 for a free one" if is_taken else "an address of this machine with --ip"
        raise PortTaken(f"{ip}:{port} cannot be listened on: {error.strerror}; give {remedy}") from error
    listening.setblocking(False)
    return listening


def _greet(emulator: Emulator, serving: Serving, listening: socket.socket) -> str:
    ip, port = listening.getsockname()[:2]
    address = Address(ip=ip, port=port)
    took = (time.monotonic() - serving.began) * 1000
    greet(
        emulator,
        address,
        milliseconds=took,
        has_token=serving.token is not None,
        in_process=serving.in_process,
        remedy=_remedy(serving),
    )
    return address.url


def _remedy(serving: Serving) -> str:
    return remedy(reloads=serving.reload, has_keys=_has_keys(serving))


def _has_keys(serving: Serving) -> bool:
    """Whether there is a terminal whose keys can be pressed."""
    # Not sys.stdout: in process the worker's stand-in is there.
    streams = (sys.stdin, sys.__stdout__)
    return not serving.json_log and all(stream is not None and stream.isatty() for stream in streams)


@contextmanager
def _hotkeys(emulator: Emulator, url: str, serving: Serving) -> Iterator[None]:
    """Keys, if they can be pressed; imported when all else is ready."""
    if not _has_keys(serving):
        yield
        return
    hotkeys = importlib.import_module("emulator.hotkeys")
    with closing(hotkeys.Hotkeys(emulator, url, hotkeys.TerminalKeyboard)):
        yield


def _on_signals() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stopped.set)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    return stopped


def _loop_factory() -> Any:
    """uvloop where there is one; Windows has none."""
    try:
        return importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None


class _ToTerminal(logging.Handler):
    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info is not None and isinstance(record.exc_info[1], WorkerError):
            # Half an answer was out, so the server was told with an exception; the invocation's line has said it.
            return
        colour = "red" if record.levelno >= logging.ERROR else "yellow" if record.levelno >= logging.WARNING else ""
        self._terminal.plain(self.format(record), colour=colour)


def _log_to(terminal: Terminal) -> None:
    for name in ("emulator", "uvicorn", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [_ToTerminal(terminal)]
        logger.propagate = False
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
