"""The connection that stays with its transport: TLS, systems without epoll, and what is unsent of an earlier answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from radio.ways import Member, PatientMember


class Carrier(asyncio.Protocol):
    """The :class:`~radio.ways.Way` that stays with a transport; ``limit`` bounds its backlog in bytes."""

    def __init__(self, transport: asyncio.Transport, member: Member, limit: int) -> None:
        self._transport = transport
        self._member = member
        self._limit = limit
        self._written = 0
        self._left = 0
        self._over = False
        self.busy = False
        patient = isinstance(member, PatientMember)
        transport.set_write_buffer_limits(high=0 if patient else limit)
        transport.set_protocol(self)

    def __call__(self, buffer: bytes) -> None:
        self.write_all((buffer,))

    def write_all(self, buffers: Sequence[bytes]) -> None:
        if self._over:
            return
        self._written += sum(map(len, buffers))
        # uvloop says so of a transport that is closed already; connection_lost follows
        with suppress(RuntimeError):
            self._transport.writelines(buffers)
        if self.unsent_bytes > self._limit:
            self._fall_behind()

    def end(self) -> None:
        # there is no half of a TLS connection
        if not self._over:
            self._transport.write_eof() if self._transport.can_write_eof() else self._transport.close()

    def close(self, last: bytes = b"") -> None:
        if self._over:
            return
        self._end()
        if last:
            self._written += len(last)
            self._transport.write(last)
            self._transport.close()
        else:
            self._transport.abort()

    @property
    def sent(self) -> int:
        return self._written - (self._left if self._over else self.unsent_bytes)

    @property
    def unsent_bytes(self) -> int:
        return 0 if self._over else self._transport.get_write_buffer_size()

    def data_received(self, data: bytes) -> None:
        if not self._over:
            self._member.heard(data)

    def pause_writing(self) -> None:
        self.busy = True

    def resume_writing(self) -> None:
        self.busy = False
        if not self._over and isinstance(self._member, PatientMember):
            self._member.room()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over:
            self._end()
            self._member.gone(behind=False)

    def _fall_behind(self) -> None:
        self._end()
        self._transport.abort()
        self._member.gone(behind=True)

    def _end(self) -> None:
        self._left = self._transport.get_write_buffer_size()
        self._over = True
