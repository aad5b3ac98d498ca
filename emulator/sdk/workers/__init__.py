"""The module a Python Worker imports. developers.cloudflare.com/workers/languages/python"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .current import EnvWrapper, patch_env, wait_until
from .entrypoints import Context, DurableObject, WorkerEntrypoint, WorkflowEntrypoint, handler
from .later import part
from .request import Request
from .response import FetchResponse, Response
from .rpc import python_from_rpc, python_to_rpc

if TYPE_CHECKING:
    from .blob import Blob, BlobEnding, File
    from .fetching import fetch
    from .formdata import FormData
    from .kinds import BlobValue, Body, FetchKwargs, FormDataValue, Headers, JSBody, RequestInitCfProperties
    from .modules import import_from_javascript

__all__ = [
    "Blob",
    "BlobEnding",
    "BlobValue",
    "Body",
    "Context",
    "DurableObject",
    "FetchKwargs",
    "FetchResponse",
    "File",
    "FormData",
    "FormDataValue",
    "Headers",
    "JSBody",
    "Request",
    "RequestInitCfProperties",
    "Response",
    "WorkerEntrypoint",
    "WorkflowEntrypoint",
    "env",
    "fetch",
    "handler",
    "import_from_javascript",
    "patch_env",
    "python_from_rpc",
    "python_to_rpc",
    "waitUntil",
    "wait_until",
]

env: Any = EnvWrapper()
waitUntil = wait_until

_LATER = {
    **dict.fromkeys(("Blob", "BlobEnding", "File"), "blob"),
    **dict.fromkeys(("BlobValue", "Body", "FetchKwargs", "FormDataValue", "Headers", "JSBody"), "kinds"),
    "FormData": "formdata",
    "RequestInitCfProperties": "kinds",
    "fetch": "fetching",
    "import_from_javascript": "modules",
}
_ELSEWHERE = {
    **dict.fromkeys(("HTMLRewriter", "WebSocket", "WebSocketPair", "caches"), "the platform has it in `js`"),
    "RpcTarget": 'it is import_from_javascript("cloudflare:workers").RpcTarget',
    "NonRetryableError": "import it from workers.workflows",
}

if not TYPE_CHECKING:  # otherwise every misspelt name would pass a type checker

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            globals()[name] = found = getattr(part(f"workers.{_LATER[name]}"), name)
            return found
        text = f"module 'workers' has no attribute '{name}'"
        if name in _ELSEWHERE:
            raise part("workers.absent").absent(name, f"{text}; {_ELSEWHERE[name]}")
        # It may be a submodule, which is looked for after this.
        raise AttributeError(text, name=name, obj=sys.modules[__name__])
