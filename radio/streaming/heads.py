"""HTTP/1 request heads and small whole responses as pure functions of bytes (RFC 9112, RFC 9110).

The parser is strict on purpose: where two readers could see two different requests (bare CR or LF, NUL,
folded lines, two lengths, two hosts) the head is refused, because aiohttp or a proxy reads the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from radio.errors import InvalidRequest

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_TARGET_BYTES: Final = 8 * 1024
MAX_HEADERS: Final = 100
MAX_METHOD_BYTES: Final = 32

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_METHOD = re.compile(_TOKEN + rb"{1,%d}" % MAX_METHOD_BYTES)
_METHOD_SO_FAR = re.compile(rb"(?:" + _TOKEN + rb"{1,%d}(?: .*)?)?" % MAX_METHOD_BYTES, re.DOTALL)
_FIELD = re.compile(rb"(" + _TOKEN + rb"+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_TARGET = re.compile(rb"[\x21-\x7e]+")
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_VERSION = re.compile(rb"(?:HTTP/[0-9]\.[0-9]|ICE/1\.0)")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_NOT_IN_A_VALUE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

Fields = Iterable[tuple[str, str]]


class HeadError(InvalidRequest):
    """A request head that is not taken; ``status`` is the HTTP status to answer with."""

    def __init__(self, status: HTTPStatus, problem: str, *, allowed: str | None = None) -> None:
        self.status = status
        super().__init__(problem, field="request head", allowed=allowed)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """The first line of a request; ``path`` and ``query`` (without ``?``) are still percent-encoded."""

    method: str
    target: str
    path: str
    query: str
    version: str


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request line and its header fields: ``(lower-case name, value)`` in the order sent, repeats kept."""

    line: RequestLine
    fields: tuple[tuple[str, str], ...]

    def every(self, name: str) -> list[str]:
        """All values of the field ``name`` (any case), in order."""
        wanted = name.lower()
        return [value for field, value in self.fields if field == wanted]

    def first(self, name: str) -> str | None:
        """The first value of the field ``name``, or None."""
        return next(iter(self.every(name)), None)

    def tokens(self, name: str) -> frozenset[str]:
        """The members of a comma-separated field, over all its lines, in lower case."""
        members = ",".join(self.every(name)).lower().split(",")
        return frozenset(member.strip() for member in members) - {""}


def head_end(data: bytes | bytearray, searched: int = 0) -> int:
    """Where the head in ``data`` ends, the empty line included, or -1 while that line has not come.

    ``searched`` is the length that an earlier call has seen, so that a head sent byte by byte costs no more.
    """
    found = _BLANK_LINE.search(data, max(0, searched - 3))
    return found.end() if found else -1


def may_become_request(data: bytes | bytearray) -> bool:
    """False as soon as the bytes so far cannot start a request: another protocol, such as TLS, is spoken."""
    return _METHOD_SO_FAR.fullmatch(data, 0, min(len(data), MAX_METHOD_BYTES + 1)) is not None


def parse_request_line(line: bytes) -> RequestLine:
    """Read a request line without its line end (RFC 9112 section 3).

    HTTP/1.0 and 1.1 are taken, and ``ICE/1.0`` for the method SOURCE. Raises HeadError with the status 400,
    414 (target over 8 KiB) or 505.
    """
    parts = line.split(b" ")
    if len(parts) != 3 or not _METHOD.fullmatch(parts[0]) or not _VERSION.fullmatch(parts[2]):
        raise _bad("The request line cannot be read.", allowed="METHOD /path HTTP/1.1")
    if len(parts[1]) > MAX_TARGET_BYTES:
        raise HeadError(HTTPStatus.REQUEST_URI_TOO_LONG, "The address is too long.", allowed="8 KiB")
    if not _TARGET.fullmatch(parts[1]):
        raise _bad("The address has a byte that must be percent-encoded.")
    method, target, version = (part.decode("ascii") for part in parts)
    _check_version(method, version)
    path, _, query = _local(method, target).partition("?")
    return RequestLine(method, target, path, query, version)


def parse_head(data: bytes) -> RequestHead:
    """Read a whole request head, from its first byte to the empty line.

    Limits: 16 KiB, 100 header fields. Raises HeadError with the status to answer: 400, 414, 431 or 505.
    """
    if len(data) > MAX_HEAD_BYTES:
        raise _too_large(f"The request head has more than {MAX_HEAD_BYTES} bytes.")
    if not data.endswith(b"\r\n\r\n"):
        raise _bad("The request head does not end with an empty line.", allowed="lines that end with CR LF")
    first, *lines = data[:-4].split(b"\r\n")
    if len(lines) > MAX_HEADERS:
        raise _too_large(f"There are more than {MAX_HEADERS} header fields.")
    head = RequestHead(parse_request_line(first), tuple(_field(line) for line in lines))
    _check_framing(head)
    return head


def response_head(status: int, fields: Fields = (), *, version: str = "HTTP/1.1") -> bytes:
    """The head of a response: status line, ``fields`` and the empty line.

    Values are sent as UTF-8; control characters in them, line ends above all, become one space. Names are the
    caller's own and are not checked.
    """
    lines = [f"{version} {int(status)} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {_NOT_IN_A_VALUE.sub(' ', value).strip()}" for name, value in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def response(
    status: int,
    body: bytes = b"",
    fields: Fields = (),
    *,
    version: str = "HTTP/1.1",
    head_only: bool = False,
) -> bytes:
    """A whole response that ends its connection, with Content-Length; ``head_only`` leaves out the body."""
    length = [] if status == HTTPStatus.NO_CONTENT else [("Content-Length", str(len(body)))]
    head = response_head(status, [*fields, *length, ("Connection", "close")], version=version)
    return head if head_only else head + body


def problem(
    status: int,
    code: str,
    detail: str,
    fields: Fields = (),
    *,
    version: str = "HTTP/1.1",
    head_only: bool = False,
) -> bytes:
    """A refusal as ``application/problem+json`` (RFC 9457) with the error's stable ``code``."""
    said = {
        "type": f"about:blank#{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": int(status),
        "code": code,
        "detail": detail,
    }
    kind = ("Content-Type", "application/problem+json")
    body = json.dumps(said).encode()
    return response(status, body, [kind, *fields], version=version, head_only=head_only)


def _bad(problem: str, *, allowed: str | None = None) -> HeadError:
    return HeadError(HTTPStatus.BAD_REQUEST, problem, allowed=allowed)


def _too_large(problem: str) -> HeadError:
    return HeadError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, problem)


def _check_version(method: str, version: str) -> None:
    if version in ("HTTP/1.0", "HTTP/1.1") or (version == "ICE/1.0" and method == "SOURCE"):
        return
    unsupported = HTTPStatus.HTTP_VERSION_NOT_SUPPORTED
    raise HeadError(unsupported, f"{version} is not spoken here.", allowed="HTTP/1.0 or HTTP/1.1")


def _local(method: str, target: str) -> str:
    if target.startswith("/") or (target == "*" and method == "OPTIONS"):
        return target
    absolute = _ABSOLUTE.match(target)
    if absolute is None:
        raise _bad("The address is no path.", allowed="an address that starts with /")
    rest = target[absolute.end() :]
    return rest if rest.startswith("/") else "/" + rest


def _field(line: bytes) -> tuple[str, str]:
    matched = _FIELD.fullmatch(line)
    if matched is None:
        raise _bad("A header field cannot be read.", allowed="Name: value on one line, no control characters")
    return matched[1].decode("ascii").lower(), matched[2].decode("latin-1").rstrip(" \t")


def _check_framing(head: RequestHead) -> None:
    lengths = set(head.every("content-length"))
    if len(lengths) > 1 or any(not (length.isascii() and length.isdigit()) for length in lengths):
        raise _bad("Content-Length is not one number.")
    if head.every("transfer-encoding") and (lengths or head.line.version == "HTTP/1.0"):
        raise _bad("Transfer-Encoding stands where it must not.")
    hosts = len(head.every("host"))
    if hosts > 1 or (hosts == 0 and head.line.version == "HTTP/1.1"):
        raise _bad("HTTP/1.1 needs the header field Host, once.")
