"""What crosses between Python and the platform: `JsDict`, and the conversions both ways."""

from __future__ import annotations

from typing import Any

from .current import EnvWrapper as _EnvWrapper
from .later import part

__all__ = [
    "JsDict",
    "_BindingWrapper",
    "_EnvWrapper",
    "_FetcherWrapper",
    "_RpcStubWrapper",
    "python_from_rpc",
    "python_to_rpc",
]


class JsDict(dict[str, Any]):
    """A dict whose keys are attributes too. The methods of dict win: a key `items` is `d["items"]` only."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no key {name!r}; there are {', '.join(map(str, self)) or 'none'}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None


class _BindingWrapper:
    """What the platform wraps a binding in. Here a binding is Python already; a wrapper hands on everything."""

    def __init__(self, binding: Any) -> None:
        self._binding = getattr(binding, "_binding", binding)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._binding, name)

    def __getitem__(self, key: Any) -> Any:
        return getattr(self._binding, key) if isinstance(key, str) else self._binding[key]

    def __repr__(self) -> str:
        return repr(self._binding)


class _FetcherWrapper(_BindingWrapper):
    """Of a worker."""


class _RpcStubWrapper(_BindingWrapper):
    """Of a function."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._binding(*arguments, **keywords)


def python_to_rpc(value: Any) -> Any:
    """The JavaScript value for an argument or a result. Raises TypeError for what cannot be sent."""
    return part("js.convert").to_rpc(value)


def python_from_rpc(value: Any) -> Any:
    """The Python value of a JavaScript argument or result."""
    return part("js.convert").from_rpc(value)
