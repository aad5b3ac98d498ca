"""What each name in `env` answers: each call becomes a frame at call time, awaited later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from emulator.runtime import values
from emulator.runtime.assets import AssetsBinding
from emulator.runtime.calls import Calls, Pending
from emulator.runtime.passage import Passage
from emulator.runtime.services import ServiceBinding
from emulator.sdk.workers.rpc import JsDict
from emulator.wire import Frame


class Env:
    """The bindings of a worker, by attribute. A missing name raises an AttributeError that lists those there are."""

    def __init__(self, bindings: dict[str, Any], config: str) -> None:
        self.__dict__.update(bindings)
        self.__dict__["_config"] = config

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        names = ", ".join(sorted(key for key in self.__dict__ if not key.startswith("_"))) or "nothing"
        raise AttributeError(f'env has no binding "{name}"; {self.__dict__["_config"]} defines {names}')

    @property
    def _env(self) -> Env:
        """Where the platform wraps, this is what is wrapped: here it is the same."""
        return self

    def __repr__(self) -> str:
        return f"<env {', '.join(key for key in self.__dict__ if not key.startswith('_'))}>"


class WorkflowBinding:
    """
    A binding to a workflow, as `env.MY_WORKFLOW`.

    Follows developers.cloudflare.com/workflows/build/workers-api/#workflow. Calls raise WorkflowError.
    """

    def __init__(self, calls: Calls, workflow: str) -> None:
        self._calls = calls
        self._workflow = workflow

    def create(self, options: Any = None, /, **more: Any) -> Pending[WorkflowInstance]:
        """Start an instance: `id` (a fresh UUID when left out), `params`, `retention`. Returns its handle."""
        return self._call("create", [_options(options, more)], self._handle)

    def create_batch(self, batch: Iterable[Any], /) -> Pending[list[WorkflowInstance]]:
        """Start up to 100 instances; ids that exist already are left out. Returns the handles of the new ones."""
        return self._call("create_batch", [list(batch)], self._handles)

    def get(self, id: str, /) -> Pending[WorkflowInstance]:
        """The handle of an existing instance; raises `instance.not_found` for an unknown id."""
        return self._call("get", [id], self._handle)

    def delete_batch(self, ids: Iterable[str], /) -> Pending[Any]:
        """Forget up to 100 instances; says which are gone and which could not be deleted."""
        return self._call("delete_batch", [_listed(ids)], _value)

    createBatch = create_batch
    deleteBatch = delete_batch

    def _call(self, method: str, arguments: list[Any], then: Callable[[Frame], Any]) -> Pending[Any]:
        body = values.encode(arguments).encode()
        return Pending(self._calls.ask("workflow", method, {"workflow": self._workflow}, body), then)

    def _handle(self, frame: Frame) -> WorkflowInstance:
        return WorkflowInstance(self._calls, self._workflow, _value(frame))

    def _handles(self, frame: Frame) -> list[WorkflowInstance]:
        return [WorkflowInstance(self._calls, self._workflow, id) for id in _value(frame)]


class WorkflowInstance:
    """
    A handle on one instance: `id`, and methods that look the instance up anew each time.

    Follows developers.cloudflare.com/workflows/build/workers-api/#workflowinstance. Calls raise WorkflowError.
    """

    def __init__(self, calls: Calls, workflow: str, id: str) -> None:
        self._calls = calls
        self._workflow = workflow
        self.id = id

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __repr__(self) -> str:
        return f"<workflow instance {self._workflow}/{self.id}>"

    def status(self) -> Pending[Any]:
        """`{status, output, error?, …}`; output and error `{name, message}` once there is one."""
        return self._call("status", {})

    def pause(self) -> Pending[Any]:
        """Let running attempts finish, then stand still."""
        return self._call("pause", {})

    def resume(self) -> Pending[Any]:
        """Go on after `pause`, with the remaining time of sleeps and waits."""
        return self._call("resume", {})

    def terminate(self, options: Any = None, /, **more: Any) -> Pending[Any]:
        """Stop for good; `rollback=True` runs the rollback handlers first."""
        return self._call("terminate", _options(options, more))

    def restart(self, options: Any = None, /, **more: Any) -> Pending[Any]:
        """Begin again with the same event; with `from` {name, count?, type?} keep the steps before that one."""
        return self._call("restart", _options(options, more))

    def send_event(self, event: Any = None, /, **more: Any) -> Pending[Any]:
        """Send an event `{type, payload}`; it goes to the oldest wait for that type, or is kept for the next one."""
        return self._call("send_event", _options(event, more))

    def delete(self) -> Pending[Any]:
        """Stop it and forget it."""
        return self._call("delete", {})

    abort = terminate
    sendEvent = send_event

    def _call(self, method: str, options: Any) -> Pending[Any]:
        head = {"workflow": self._workflow, "instance": self.id}
        return Pending(self._calls.ask("instance", method, head, values.encode([options]).encode()), _value)


class QueueBinding:
    """
    A queue's producer, as `env.MY_QUEUE`. What is sent is on disk when `send` returns.

    Follows developers.cloudflare.com/queues/configuration/javascript-apis/#queue. Raises TypeError or Exception, with
    the platform's texts.
    """

    def __init__(self, calls: Calls, queue: str, delivery_delay: int | None, content_type: str) -> None:
        self._calls = calls
        self._head = {"queue": queue, "delivery_delay": delivery_delay, "content_type": content_type}

    def send(self, body: Any, options: Any = None, /, **more: Any) -> Pending[Any]:
        """Send one message; options `contentType` (json, text, bytes, v8) and `delaySeconds`."""
        return self._call("send", [body, _options(options, more)])

    def send_batch(self, messages: Iterable[Any], options: Any = None, /, **more: Any) -> Pending[Any]:
        """Send up to 100 messages `{body, contentType?, delaySeconds?}`."""
        return self._call("sendBatch", [list(messages), _options(options, more)])

    def metrics(self) -> Pending[Any]:
        """`{backlogCount, backlogBytes, oldestMessageTimestamp?}`"""
        return self._call("metrics", [])

    sendBatch = send_batch

    def _call(self, method: str, arguments: list[Any]) -> Pending[Any]:
        return Pending(self._calls.ask("queue", method, self._head, values.encode(arguments).encode()), _value)


class Unsupported:
    """A binding that the config names and we do not emulate: says so at first use."""

    def __init__(self, name: str, kind: str) -> None:
        self.__dict__["_text"] = (
            f'the binding "{name}" ({kind}) is not emulated; run the code that needs it behind a check of your own,'
            " or give the worker a stand-in in its tests"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotImplementedError(self.__dict__["_text"])


def make_env(bindings: Iterable[dict[str, Any]], calls: Calls, passage: Passage, config: str) -> Env:
    """The env that the config's bindings describe."""
    return Env({binding["name"]: _binding(binding, calls, passage) for binding in bindings}, config)


def _binding(binding: dict[str, Any], calls: Calls, passage: Passage) -> Any:
    match binding["type"]:
        case "var":
            return _js(binding["value"])
        case "workflow":
            return WorkflowBinding(calls, binding["workflow"])
        case "queue":
            return QueueBinding(calls, binding["queue"], binding["delivery_delay"], binding["content_type"])
        case "assets":
            return AssetsBinding(calls)
        case "service":
            return ServiceBinding(passage, binding["service"], binding["entrypoint"], values.encode(binding["props"]))
        case _:
            return Unsupported(binding["name"], binding["kind"])


def _js(value: Any) -> Any:
    """JSON vars answer to attributes as well as to keys."""
    match value:
        case dict():
            return JsDict({key: _js(item) for key, item in value.items()})
        case list():
            return [_js(item) for item in value]
        case _:
            return value


def _listed(values: Any) -> Any:
    """What can be gone through as a list; anything else stays what it is, for the other side to refuse."""
    is_list = isinstance(values, Iterable) and not isinstance(values, str | Mapping)
    return list(values) if is_list else values


def _options(options: Any, more: dict[str, Any]) -> Any:
    """Options come as one object, as keywords, or as both."""
    if not more:
        return {} if options is None else options
    if options is None:
        return more
    to_py = getattr(options, "to_py", None)
    return {**(to_py() if callable(to_py) else options), **more}


def _value(frame: Frame) -> Any:
    return values.decode(frame.body, mapping=JsDict) if frame.body else None
