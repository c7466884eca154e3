"""WebSocket frames of the plain kind, as bytes (RFC 6455, section 5): what nearly all connections only ever use.

Everything else (fragments, a frame that comes in pieces, a close, what is wrong) is for the sans-I/O layer of
``websockets``, behind :class:`radio.push.wire.Wire`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover
    from websockets.utils import apply_mask

_FIN: Final = 0x80
_MASKED: Final = 0x80
_SHORT: Final = 125
_MASK_BYTES: Final = 4


class Opcode(IntEnum):
    """The frames that :func:`read_frame` knows."""

    TEXT = 0x1
    PING = 0x9
    PONG = 0xA


class ClientFrame(NamedTuple):
    """A frame of a client; ``end`` is where the next one begins."""

    opcode: Opcode
    payload: bytes
    end: int


PING: Final = bytes((_FIN | Opcode.PING, 0))
"""A ping without data."""

_PLAIN: Final = {_FIN | opcode: opcode for opcode in Opcode}


def text_frame(payload: bytes) -> bytes:
    """``payload`` (UTF-8) as one unmasked text frame (RFC 6455, section 5.2)."""
    return _head(Opcode.TEXT, len(payload)) + payload


def pong_frame(payload: bytes) -> bytes:
    """The answer to a ping that carried ``payload``, 125 bytes at most."""
    return _head(Opcode.PONG, len(payload)) + payload


def read_frame(data: bytes, start: int, *, text_bytes: int) -> ClientFrame | None:
    """The frame that begins at ``start``, where it is whole, unfragmented, masked and a text, ping or pong.

    None for anything else, and for a text over ``text_bytes``: the caller asks the whole protocol.
    """
    left = len(data) - start
    if left < 2 + _MASK_BYTES:
        return None
    opcode, size = _PLAIN.get(data[start]), data[start + 1] - _MASKED
    at = start + 2
    if size == _SHORT + 1 and opcode is Opcode.TEXT:
        size, at = int.from_bytes(data[at : at + 2], "big"), at + 2
    elif size > _SHORT:
        return None
    end = at + _MASK_BYTES + size
    if opcode is None or size < 0 or size > text_bytes or end > len(data):
        return None
    mask = data[at : at + _MASK_BYTES]
    return ClientFrame(opcode, apply_mask(data[at + _MASK_BYTES : end], mask), end)


def _head(opcode: Opcode, size: int) -> bytes:
    if size <= _SHORT:
        return bytes((_FIN | opcode, size))
    if size < 1 << 16:
        return bytes((_FIN | opcode, 126)) + size.to_bytes(2, "big")
    return bytes((_FIN | opcode, 127)) + size.to_bytes(8, "big")
