"""Step results that are streams of bytes: told apart from other values, and cut into blocks."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any

from emulator.sdk.workers.streams import ReadableStream
from emulator.sdk.workers.workflows import WorkflowFatalError

BLOCK = 256 << 10
LARGEST_PIECE = 16 << 20


def pieces_of(result: Any) -> AsyncIterable[Any] | None:
    """The pieces of a result that is a stream: a ReadableStream, an async iterator, an iterator. None for a value."""
    if isinstance(result, ReadableStream | AsyncIterator):
        return result
    return _turned(result) if isinstance(result, Iterator) else None


async def blocks(name: str, pieces: AsyncIterable[Any]) -> AsyncIterator[bytes]:
    """The bytes in blocks of one size. Raises WorkflowFatalError for what is no stream of bytes."""
    held = bytearray()
    async for piece in _checked(name, pieces):
        held += piece
        while len(held) >= BLOCK:
            yield bytes(held[:BLOCK])
            del held[:BLOCK]
    if held:
        yield bytes(held)


async def _checked(name: str, pieces: AsyncIterable[Any]) -> AsyncIterator[bytes]:
    if isinstance(pieces, ReadableStream) and pieces.locked:
        raise _invalid(name, "It has been read already.")
    async for piece in pieces:
        content = _bytes(piece)
        if content is None:
            raise _invalid(name, f"It gave a piece of the type {type(piece).__name__}; pieces are bytes.")
        if len(content) > LARGEST_PIECE:
            raise _invalid(name, f"It gave a piece of {len(content)} bytes; the largest allowed has {LARGEST_PIECE}.")
        yield content


def _bytes(piece: Any) -> bytes | None:
    to_bytes = getattr(piece, "to_bytes", None)
    if callable(to_bytes) and not isinstance(piece, int):
        return bytes(to_bytes())
    return bytes(piece) if isinstance(piece, bytes | bytearray | memoryview) else None


def _invalid(name: str, why: str) -> WorkflowFatalError:
    return WorkflowFatalError(
        "The execution of the Workflow instance was terminated, as the step "
        f'"{name}" returned an invalid ReadableStream output. {why}'
    )


async def _turned(pieces: Iterator[Any]) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece
