"""The ordinary opening handshake of a WebSocket (RFC 6455, section 4.2) as a function of bytes.

It takes what browsers and libraries send; whatever is unusual or wrong is left to the sans-I/O layer of
``websockets``, which is slower and gives the refusals. What is accepted here, that layer accepts with the same answer.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha1
from typing import Final

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_LINE: Final = re.compile(rb"GET [\x21-\x7e]+ HTTP/1\.1")
_FIELD: Final = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_TOKENS: Final = re.compile(_TOKEN + rb"(?:[ \t]*,[ \t]*" + _TOKEN + rb")*")
# 16 bytes in base64: 22 characters, of which the last carries 2 bits
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")
_ONCE: Final = frozenset(
    (
        b"host",
        b"connection",
        b"upgrade",
        b"origin",
        b"sec-websocket-key",
        b"sec-websocket-version",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
    )
)
_NEVER: Final = frozenset((b"content-length", b"transfer-encoding"))
_MAX_FIELDS: Final = 100
_MAX_LINE_BYTES: Final = 8_000
_ANSWER: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n\r\n"
)


def accepted(head: bytes) -> bytes | None:
    """The answer 101 to a request head that ends with its empty line; None where the head is not an ordinary one.

    No extension and no subprotocol is ever agreed on.
    """
    line, *lines = head[:-4].split(b"\r\n")
    if not _LINE.fullmatch(line) or len(line) > _MAX_LINE_BYTES or len(lines) > _MAX_FIELDS:
        return None
    fields = _fields(lines)
    if fields is None or fields.get(b"upgrade", b"").lower() != b"websocket":
        return None
    connection = fields.get(b"connection", b"").lower()
    key = fields.get(b"sec-websocket-key", b"")
    if fields.get(b"sec-websocket-version") != b"13" or not _KEY.fullmatch(key):
        return None
    if connection != b"upgrade" and not _has_upgrade(connection):
        return None
    if not _TOKENS.fullmatch(fields.get(b"sec-websocket-protocol", b"none")):
        return None
    return _ANSWER % b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def _fields(lines: list[bytes]) -> dict[bytes, bytes] | None:
    fields: dict[bytes, bytes] = {}
    for line in lines:
        matched = _FIELD.fullmatch(line)
        if matched is None or len(line) > _MAX_LINE_BYTES:
            return None
        name = matched[1].lower()
        if name in _NEVER or (name in _ONCE and name in fields):
            return None
        fields[name] = matched[2].rstrip(b" \t")
    return fields


def _has_upgrade(connection: bytes) -> bool:
    if not _TOKENS.fullmatch(connection):
        return False
    return b"upgrade" in (token.strip() for token in connection.split(b","))
