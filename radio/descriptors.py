"""Messages that carry open descriptors from one process to another, over a Unix socket (SCM_RIGHTS, unix(7)).

A message is a head (its length and the number of descriptors), the body, and then one byte for each group of
descriptors. Only those single bytes carry descriptors and only they are read with room for them, so that none is
ever swallowed by the read of something else.
"""

from __future__ import annotations

import array
import os
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from radio.errors import TakeoverFailed

MAX_MESSAGE_BYTES: Final = 256 << 20
MAX_DESCRIPTORS: Final = 400_000

_HEAD: Final = struct.Struct(">II")
_GROUP: Final = 200
"""The kernel takes 253 at once (SCM_MAX_FD)."""
_PEER: Final = struct.Struct("3i")
_MAX_PATH_BYTES: Final = 100


class Channel:
    """One end of a connection between two processes of the same user. Blocks; every wait ends after ``timeout_s``.

    Raises TakeoverFailed where the other end is silent, gone, or says what is no message.
    """

    def __init__(self, connection: socket.socket, *, timeout_s: float = 10.0) -> None:
        self._socket = connection
        connection.settimeout(timeout_s)

    def __enter__(self) -> Channel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def connect(cls, path: Path, *, timeout_s: float = 10.0) -> Channel:
        """A channel to the process that listens at ``path``."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(timeout_s)
            connection.connect(os.fspath(path))
        except OSError as fault:
            connection.close()
            raise TakeoverFailed(
                f"No running service answers at {path}: {fault.strerror or fault}"
            ) from fault
        return cls(connection, timeout_s=timeout_s)

    def wait_up_to(self, timeout_s: float) -> None:
        """How long each later wait may last."""
        self._socket.settimeout(timeout_s)

    def send(self, message: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send ``message``; the descriptors stay open here and are duplicated there."""
        try:
            self._socket.sendall(_HEAD.pack(len(message), len(descriptors)))
            self._socket.sendall(message)
            for first in range(0, len(descriptors), _GROUP):
                socket.send_fds(self._socket, [b"\0"], list(descriptors[first : first + _GROUP]))
        except OSError as fault:
            raise TakeoverFailed(f"The other process does not listen: {fault.strerror or fault}") from fault

    def receive(self) -> tuple[bytes, list[int]]:
        """The next message and its descriptors, which are the caller's to close."""
        descriptors: list[int] = []
        try:
            size, count = _HEAD.unpack(self._exactly(_HEAD.size))
            if size > MAX_MESSAGE_BYTES or count > MAX_DESCRIPTORS:
                raise TakeoverFailed("The other process sends what is no message.")
            message = self._exactly(size)
            while len(descriptors) < count:
                descriptors += self._group()
        except OSError as fault:
            _close_all(descriptors)
            raise TakeoverFailed(f"The other process does not answer: {fault.strerror or fault}") from fault
        except TakeoverFailed:
            _close_all(descriptors)
            raise
        return message, descriptors

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _exactly(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            part = self._socket.recv(min(size - len(received), 1 << 20))
            if not part:
                raise TakeoverFailed("The other process has gone.")
            received += part
        return bytes(received)

    def _group(self) -> list[int]:
        width = array.array("i").itemsize
        marker, ancillary, flags, _ = self._socket.recvmsg(1, socket.CMSG_SPACE(_GROUP * width))
        found = array.array("i")
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                found.frombytes(data[: len(data) - len(data) % width])
        if not marker or not found or flags & socket.MSG_CTRUNC:
            _close_all(found)
            raise TakeoverFailed(
                "The other process has gone, or this one may open no more files (ulimit -n)."
            )
        return list(found)


def listen(path: Path) -> socket.socket:
    """A socket at ``path`` for the same user alone; what a process that is gone left there is replaced.

    Raises TakeoverFailed where the path is longer than a Unix socket's may be, or cannot be made.
    """
    if len(os.fsencode(path)) > _MAX_PATH_BYTES:
        raise TakeoverFailed(f"The path {path} is too long for a Unix socket; choose a shorter data folder.")
    door = socket.socket(socket.AF_UNIX)
    try:
        with suppress(FileNotFoundError):
            path.unlink()
        door.bind(os.fspath(path))
        path.chmod(0o600)
        door.listen(1)
    except OSError as fault:
        door.close()
        raise TakeoverFailed(f"Cannot listen at {path}: {fault.strerror or fault}") from fault
    return door


def is_same_user(connection: socket.socket) -> bool:
    """Whether the process at the other end belongs to this one's user, or to root."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the file's mode says it alone
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return _PEER.unpack(peer)[1] in (os.getuid(), 0)


def _close_all(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        with suppress(OSError):
            os.close(descriptor)
