"""The server's end of a WebSocket in bytes alone (RFC 6455): no socket, no loop, no clock.

The protocol itself is the sans-I/O layer of ``websockets``. This adds a bound on the request's head, keeps
frames that come in the handshake's own segment back until the handshake is answered, and joins fragments.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from http import HTTPStatus
from typing import Final, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

_log = logging.getLogger(__name__)
_HEAD_END: Final = b"\r\n\r\n"
_SLICE_BYTES: Final = 4096


def text_frame(payload: bytes) -> bytes:
    """``payload`` (UTF-8) as one unmasked text frame (RFC 6455, section 5.2)."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


def is_utf8(text: bytes) -> bool:
    """Whether a text message may be one (RFC 6455, section 8.1)."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


class Wire:
    """One connection's protocol state. After each call, send what :meth:`take_output` gives.

    A request head is at most ``head_bytes`` long, a message at most ``message_bytes``.
    """

    __slots__ = ("_head", "_head_bytes", "_message", "_opcode", "_protocol")

    def __init__(self, *, head_bytes: int, message_bytes: int) -> None:
        self._protocol = ServerProtocol(max_size=message_bytes, logger=_log)
        self._head_bytes = head_bytes
        self._head: bytearray | None = bytearray()
        self._message = bytearray()
        self._opcode = Opcode.TEXT

    @property
    def is_open(self) -> bool:
        """Whether the handshake was accepted and no close frame was sent or received."""
        return self._protocol.state is State.OPEN

    @property
    def is_closing(self) -> bool:
        """Whether all that is left is the end of the connection."""
        return self._protocol.close_expected() or self._protocol.state is State.CLOSED

    def receive(self, data: bytes) -> Iterator[Request | Frame]:
        """Work through what was read; gives the request, to be answered at once, and then each frame.

        Control frames are answered here. Whoever closes the connection meanwhile stops asking for more.
        """
        if self._head is not None:
            data = yield from self._receive_head(self._head, data)
        # In slices, so that a flood of tiny frames is noticed before all of it has been worked through.
        for start in range(0, len(data), _SLICE_BYTES):
            if self._protocol.reader.eof:
                return
            self._protocol.receive_data(data[start : start + _SLICE_BYTES])
            yield from cast(list[Frame], self._protocol.events_received())

    def receive_eof(self) -> None:
        """The client ended its side."""
        self._protocol.receive_eof()

    def accept(self, request: Request) -> Response:
        """The answer to a request as RFC 6455 section 4.2 asks for it; send it, or a refusal instead."""
        return self._protocol.accept(request)

    def refusal(self, text: str, *, retry_after_s: int) -> Response:
        """A 503 that says when to come back."""
        response = self._protocol.reject(HTTPStatus.SERVICE_UNAVAILABLE, text)
        response.headers["Retry-After"] = str(retry_after_s)
        return response

    def respond(self, response: Response) -> None:
        """Answer the request."""
        self._protocol.send_response(response)

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

    def send_text(self, payload: bytes) -> None:
        """Send a text message; only while open."""
        self._protocol.send_text(payload)

    def send_ping(self) -> None:
        """Ask the client for a sign of life."""
        self._protocol.send_ping(b"")

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

    def _receive_head(self, head: bytearray, data: bytes) -> Generator[Request, None, bytes]:
        searched = max(0, len(head) - len(_HEAD_END) + 1)
        head += data
        end = head.find(_HEAD_END, searched)
        if end >= 0:
            self._head = None
            end += len(_HEAD_END)
            self._protocol.receive_data(bytes(head[:end]))
            yield from cast(list[Request], self._protocol.events_received())
            return bytes(head[end:])
        if len(head) > self._head_bytes:
            self._head = None
            too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self.respond(self._protocol.reject(too_large, "The request's head is too long.\n"))
        return b""
