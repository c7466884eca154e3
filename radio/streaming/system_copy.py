"""Bytes that the system holds once, and sends to any number of sockets without copying them.

``write(2)`` copies: a chunk for 10,000 listeners is copied 10,000 times, and lies in the system as often until the
last one has it. ``sendfile(2)`` from a file in memory (``memfd_create(2)``) gives every socket references to the
same pages instead. What is sent must not change while a socket refers to it, so a copy is written once. Its pages
live until the last socket is through with them, also when the file is long closed.
"""

from __future__ import annotations

import os
import socket
from functools import cache

_PROBE = bytes(range(256)) * 20


class SystemCopy:
    """A file in memory that holds ``data``; ``fd`` is its descriptor, closed when nobody refers to the copy.

    Raises OSError where the system has no such files, or none to spare.
    """

    __slots__ = ("fd",)

    def __init__(self, data: bytes) -> None:
        self.fd = -1
        if not hasattr(os, "memfd_create"):
            raise OSError("the system has no files in memory")
        self.fd = os.memfd_create("nextup-chunk")
        if os.write(self.fd, data) != len(data):
            raise OSError("there is no memory for another file")

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)


def system_copy(data: bytes) -> SystemCopy | None:
    """A copy to be sent by ``sendfile``; None where that cannot be had, now or at all."""
    if not _can_send_files():
        return None
    try:
        return SystemCopy(data)
    except OSError:
        return None


@cache
def _can_send_files() -> bool:
    """Whether what such a file holds arrives: some sandboxes have the calls and refuse them."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        try:
            copy = SystemCopy(_PROBE)
            ours.setblocking(False)
            sent = os.sendfile(ours.fileno(), copy.fd, 0, len(_PROBE))
        except OSError:
            return False
        return sent == len(_PROBE) and theirs.recv(len(_PROBE), socket.MSG_WAITALL) == _PROBE
