"""The `workers` module: its names, env and waitUntil, entry points, and how fast it is to import."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Awaitable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.sdk import workers
from emulator.sdk.workers import (
    DurableObject,
    Request,
    WorkerEntrypoint,
    WorkflowEntrypoint,
    current,
    handler,
    import_from_javascript,
    patch_env,
    wait_until,
)
from emulator.sdk.workers import workflows as flows
from emulator.sdk.workers.entrypoints import DurableObjectAbort

ROOT = Path(__file__).parents[1]


class Invocation:
    """One event under way, as the runtime makes it."""

    def __init__(self, **env: Any) -> None:
        self.env = SimpleNamespace(**env)
        self.flags: dict[str, bool] = {}
        self.exports: Any = SimpleNamespace(Admin="the admin")
        self.waiting: list[Any] = []

    def wait_until(self, awaitable: Awaitable[Any], /) -> None:
        self.waiting.append(awaitable)


@pytest.fixture
def invocation() -> Iterator[Invocation]:
    running = Invocation(NAME="first", OTHER=1)
    token = current.invocation.set(running)
    yield running
    current.invocation.reset(token)


def test_the_public_names_are_there():
    """
    Each name of `__all__` can be had; the aliases for annotations are text, as on the platform.
    """
    assert len(set(workers.__all__)) == len(workers.__all__)
    assert [] == [name for name in workers.__all__ if not hasattr(workers, name)]
    assert isinstance(workers.Headers, str)


@pytest.mark.parametrize(
    ("name", "hint"), [("nope", ""), ("WebSocketPair", "; the platform has it in `js`"), ("asgi_", "")]
)
def test_a_name_that_is_not_there(name, hint):
    """
    The error is the platform's, with a hint where people look for something in the wrong place.
    """
    with pytest.raises(AttributeError, match=f"^module 'workers' has no attribute '{name}'{hint}"):
        getattr(workers, name)


def test_a_wrong_import_says_where_to_look():
    """
    `from workers import …` shows the hint too.
    """
    with pytest.raises(ImportError, match=r"import it from workers\.workflows$"):
        exec("from emulator.sdk.workers import NonRetryableError")


@pytest.mark.parametrize("base", [WorkerEntrypoint, DurableObject, WorkflowEntrypoint])
def test_entry_points_keep_ctx_and_env(base):
    """
    All bases take (ctx, env), and a class may have several of them, or none called.
    """

    class Middle(base):
        pass

    class Worker(Middle, base):
        pass

    class Silent(base):
        def __init__(self, state: Any, env: Any) -> None:
            pass

    worker = Worker("ctx", "env")

    assert ("ctx", "env") == (worker.ctx, worker.env)
    assert not hasattr(Silent("ctx", "env"), "env")


def test_env_is_that_of_the_invocation(invocation):
    """
    A module that imported `env` once sees the bindings of the event it handles.
    """
    assert ("first", 1) == (workers.env.NAME, workers.env.OTHER)
    assert (False, "d") == (hasattr(workers.env, "NOPE"), getattr(workers.env, "NOPE", "d"))
    with pytest.raises(TypeError):
        workers.env["NAME"]


def test_env_while_modules_are_imported(monkeypatch):
    """
    Outside of an event it is the env that was bound, and without one an error says so.
    """
    monkeypatch.setattr(current, "_at_import", list(current._at_import))
    current.bind_env(SimpleNamespace(NAME="bound"))

    assert "bound" == workers.env.NAME

    current.bind_env(current._NoEnv())

    with pytest.raises(RuntimeError, match=r"^env\.NAME: no worker is loaded here"):
        _ = workers.env.NAME


def test_patched_env(invocation):
    """
    Other values can be laid over env, one over the other, until the block ends.
    """
    with patch_env({"NAME": "second"}, NEW=2), patch_env([("OTHER", 3)]):
        assert ("second", 2, 3) == (workers.env.NAME, workers.env.NEW, workers.env.OTHER)

    assert ("first", 1, False) == (workers.env.NAME, workers.env.OTHER, hasattr(workers.env, "NEW"))


def test_wait_until(invocation):
    """
    Both spellings hand the work to the invocation.
    """
    workers.waitUntil("a")
    wait_until("b")

    assert ["a", "b"] == invocation.waiting
    assert workers.waitUntil is workers.wait_until


def test_wait_until_without_an_event():
    """
    There is nothing to outlive outside of a handler.
    """
    with pytest.raises(RuntimeError, match=r"^wait_until\(\) can be called only while a handler runs$"):
        wait_until("x")


def test_handlers_of_older_workers():
    """
    `@handler` turns a js.Request into a `Request` and keeps the function's signature.
    """

    @handler
    def on_fetch(request: Any, env: Any) -> Any:
        return request

    request = Request("http://x/")

    assert isinstance(on_fetch(request.js_object, "env"), Request)
    assert on_fetch(request, "env") is request
    assert ["request", "env"] == list(inspect.signature(on_fetch).parameters)


def test_modules_of_the_platform(invocation):
    """
    `cloudflare:workers` is there; other modules are an ImportError that names them.
    """
    module = import_from_javascript("cloudflare:workers")

    assert ("first", WorkerEntrypoint) == (module.env.NAME, module.WorkerEntrypoint)
    assert "the admin" == module.exports.Admin
    with pytest.raises(ImportError, match=r"^Failed to import 'crypto': "):
        import_from_javascript("crypto")


def test_errors_of_workflows():
    """
    Those who catch them find the names, and an abort is no Exception.
    """
    error = flows.WorkflowError("instance.not_found", "no")

    assert ("(instance.not_found) no", "instance.not_found") == (str(error), error.code)
    assert [True] * 3 == [
        issubclass(kind, Exception)
        for kind in (flows.NonRetryableError, flows.WorkflowTimeoutError, flows.WorkflowFatalError)
    ]
    assert not issubclass(DurableObjectAbort, Exception)


@pytest.mark.slow
def test_importing_workers_is_light():
    """
    Neither email, http.client nor the stand-ins for JavaScript are loaded by `import workers`.
    """
    code = "import sys, emulator.sdk.workers; print(*(set(sys.modules)))"
    loaded = set(subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout.split())

    assert "emulator.sdk.workers.response" in loaded
    assert set() == loaded & {"email", "http.client", "urllib.request", "urllib.parse", "emulator.sdk.js"}
    assert {"emulator", "emulator.sdk", "emulator.sdk.workers"} == {
        name for name in loaded if name.startswith("emulator") and not name.startswith("emulator.sdk.workers.")
    }
