"""What a bus has still to write, in order and within bounds."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

import msgspec


class Message(msgspec.Struct, frozen=True):
    """A payload on its way to a subject."""

    subject: str
    payload: bytes


_Note = TypeVar("_Note")


class Outbox(Generic[_Note]):
    """At most ``messages`` of together ``size_bytes``, the newest, and among them notes, which are never dropped.

    ``drained`` is set while everything was taken and written.
    """

    def __init__(self, messages: int, size_bytes: int) -> None:
        self._limit = messages
        self._limit_bytes = size_bytes
        self._entries: deque[Message | _Note] = deque()
        self._messages = 0
        self._size_bytes = 0
        self._filled = asyncio.Event()
        self.drained = asyncio.Event()
        self.drained.set()

    def put(self, entry: Message | _Note) -> int:
        """Add ``entry``; returns how many older messages had to go."""
        self._entries.append(entry)
        self._count(entry, 1)
        self._filled.set()
        self.drained.clear()
        before = self._messages
        while self._messages > self._limit or self._size_bytes > self._limit_bytes:
            self._drop_oldest()
        return before - self._messages

    def put_back(self, entry: Message | _Note) -> None:
        """The entry that was taken last could not be written: it comes next."""
        self._entries.appendleft(entry)
        self._count(entry, 1)
        self._filled.set()

    async def take(self) -> Message | _Note:
        """The oldest entry, when there is one; :meth:`written` or :meth:`put_back` must follow."""
        while not self._entries:
            self._filled.clear()
            await self._filled.wait()
        entry = self._entries.popleft()
        self._count(entry, -1)
        return entry

    def written(self) -> None:
        """What was taken is written."""
        if not self._entries:
            self.drained.set()

    def _count(self, entry: Message | _Note, by: int) -> None:
        if isinstance(entry, Message):
            self._messages += by
            self._size_bytes += by * (len(entry.payload) + len(entry.subject))

    def _drop_oldest(self) -> None:
        at = next(at for at, entry in enumerate(self._entries) if isinstance(entry, Message))
        self._count(self._entries[at], -1)
        del self._entries[at]
