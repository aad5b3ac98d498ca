"""What `workers.asgi` and `workers.wsgi` share: their options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

EncodeBody = Literal["automatic", "manual"]


@dataclass(frozen=True)
class BaseOptions:
    """`encode_body="manual"` says that the application compresses by itself; here nobody else does anyway."""

    encode_body: EncodeBody = "automatic"

    def __post_init__(self) -> None:
        if self.encode_body not in get_args(EncodeBody):
            raise ValueError(f'encode_body must be "automatic" or "manual", got {self.encode_body!r}')
