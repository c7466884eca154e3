"""The whole of RFC 6455 for the server's end of a WebSocket, in bytes alone: no socket, no loop, no clock.

It is the sans-I/O layer of ``websockets``, with fragments joined. A connection has a :class:`Wire` only from the
moment at which it needs one: :mod:`radio.push.handshake` and :mod:`radio.push.frames` do what is plain.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from radio.push.frames import text_frame as text_frame

_log = logging.getLogger(__name__)
_SLICE_BYTES: Final = 4096


def is_utf8(text: bytes) -> bool:
    """Whether a text message may be one (RFC 6455, section 8.1)."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def answer(head: bytes) -> tuple[bytes, bool]:
    """The answer to any request head (section 4.2), and whether it opens the connection."""
    protocol = ServerProtocol(logger=_log)
    try:
        protocol.receive_data(head)
        for request in cast(list[Request], protocol.events_received()):
            response = protocol.accept(request)
            if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
                return response.serialize(), True
            protocol.send_response(response)
        said = b"".join(protocol.data_to_send())
        return said or _refusal(HTTPStatus.BAD_REQUEST, "The request's head cannot be read.\n"), False
    finally:
        # it and its parser refer to each other
        protocol.parser.close()


def too_large() -> bytes:
    """The answer to a head that does not end."""
    return _refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's head is too long.\n")


def _refusal(status: HTTPStatus, text: str) -> bytes:
    return ServerProtocol(logger=_log).reject(status, text).serialize()


class Wire:
    """The protocol state of an open connection, from between two frames on.

    After each call, send what :meth:`take_output` gives. A message is at most ``message_bytes`` long.
    """

    __slots__ = ("_message", "_opcode", "_protocol")

    def __init__(self, *, message_bytes: int) -> None:
        self._protocol = ServerProtocol(state=State.OPEN, max_size=message_bytes, logger=_log)
        self._message = bytearray()
        self._opcode = Opcode.TEXT

    @property
    def is_open(self) -> bool:
        """Whether no close frame was sent or received."""
        return self._protocol.state is State.OPEN

    @property
    def is_closing(self) -> bool:
        """Whether all that is left is the end of the connection."""
        return self._protocol.close_expected() or self._protocol.state is State.CLOSED

    def receive(self, data: bytes) -> Iterator[Frame]:
        """Work through what was read; gives each frame.

        Control frames are answered here. Whoever closes the connection meanwhile stops asking for more.
        """
        # In slices, so that a flood of tiny frames is noticed before all of it has been worked through.
        for start in range(0, len(data), _SLICE_BYTES):
            if self._protocol.reader.eof:
                return
            self._protocol.receive_data(data[start : start + _SLICE_BYTES])
            yield from cast(list[Frame], self._protocol.events_received())

    def message(self, frame: Frame) -> tuple[Opcode, bytes] | None:
        """The message that ``frame`` completes, with its kind; None for a control frame or a fragment."""
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._opcode = frame.opcode
        elif frame.opcode is not Opcode.CONT:
            return None
        self._message += frame.data
        if not frame.fin:
            return None
        message, self._message = bytes(self._message), bytearray()
        return self._opcode, message

    def close(self, code: int, reason: str, *, at_once: bool) -> None:
        """Send a close frame and wait for the client's, or with ``at_once`` for nothing (section 7.1.7)."""
        if at_once:
            self._protocol.fail(code, reason)
        else:
            self._protocol.send_close(code, reason)

    def take_output(self) -> tuple[bytes, bool]:
        """What to send now, and whether this side of the connection ends with it."""
        writes = self._protocol.data_to_send()
        return b"".join(writes), bool(writes) and writes[-1] == b""

    def dispose(self) -> None:
        """The connection is gone. Frees memory at once: the parser and the protocol refer to each other."""
        self._protocol.parser.close()
