"""What a stream's server says before the sound: response heads like Icecast's, and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from radio.errors import InvalidRequest, LimitReached, MethodNotAllowed, NotFound, RadioError
from radio.streaming.heads import HeadError, problem, response, response_head
from radio.units import UtcMs

ALLOWED_METHODS: Final = "GET, HEAD, OPTIONS"

_ICY_NAMES: Final = "icy-br, icy-description, icy-genre, icy-metaint, icy-name, icy-pub, icy-url"
_OPEN_TO_ALL: Final = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", _ICY_NAMES),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
_PREFLIGHT: Final = (
    ("Access-Control-Allow-Methods", ALLOWED_METHODS),
    ("Access-Control-Allow-Headers", "Icy-MetaData, Range"),
    ("Access-Control-Max-Age", "86400"),
)
_UNSTORED: Final = ("Cache-Control", "no-cache, no-store")
_DEFAULT_RETRY_AFTER_S: Final = 5


@dataclass(frozen=True, slots=True)
class StationFace:
    """What a stream's headers say of its station."""

    id: str
    name: str
    description: str = ""
    genre: str = ""
    url: str = ""


class TooManyListeners(LimitReached):
    """No room for another listener, in all (503) or from one address (429): ``status``, ``retry_after_s``."""

    def __init__(self, problem: str, *, status: HTTPStatus, retry_after_s: int) -> None:
        self.status = status
        self.retry_after_s = retry_after_s
        super().__init__(problem)


def stream_head(
    face: StationFace,
    *,
    mime: str,
    bitrate_kbps: int,
    metaint: int | None,
    now_ms: UtcMs,
    version: str = "HTTP/1.1",
) -> bytes:
    """The head before a stream without end or length; ``metaint`` is None where no metadata was asked for.

    A range is never honoured: ``Accept-Ranges: none``, and the answer to ``Range: bytes=0-`` is this one.
    """
    said = (("icy-description", face.description), ("icy-genre", face.genre), ("icy-url", face.url))
    fields = [
        ("Content-Type", mime),
        ("Date", formatdate(now_ms / 1000, usegmt=True)),
        _UNSTORED,
        ("Connection", "close"),
        ("Accept-Ranges", "none"),
        *_OPEN_TO_ALL,
        *_PREFLIGHT[:2],
        ("icy-name", face.name),
        ("icy-br", str(bitrate_kbps)),
        *((name, value) for name, value in said if value),
    ]
    if metaint is not None:
        fields.append(("icy-metaint", str(metaint)))
    return response_head(HTTPStatus.OK, fields, version=version)


def preflight(version: str = "HTTP/1.1") -> bytes:
    """The answer to OPTIONS (a CORS preflight, fetch.spec.whatwg.org): any page may play the stream."""
    fields = [("Allow", ALLOWED_METHODS), *_OPEN_TO_ALL, *_PREFLIGHT]
    return response(HTTPStatus.NO_CONTENT, fields=fields, version=version)


def refusal(error: RadioError, *, version: str = "HTTP/1.1", head_only: bool = False) -> bytes:
    """The whole response for an error, readable by scripts of any site and never cached."""
    status = _status_of(error)
    fields = [_UNSTORED, *_OPEN_TO_ALL]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        fields.append(("Allow", ALLOWED_METHODS))
    if isinstance(error, LimitReached):
        retry_after_s = getattr(error, "retry_after_s", _DEFAULT_RETRY_AFTER_S)
        fields.append(("Retry-After", str(retry_after_s)))
    return problem(status, error.code, error.message, fields, version=version, head_only=head_only)


def _status_of(error: RadioError) -> HTTPStatus:
    if isinstance(error, HeadError | TooManyListeners):
        return error.status
    if isinstance(error, MethodNotAllowed):
        return HTTPStatus.METHOD_NOT_ALLOWED
    if isinstance(error, NotFound):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.BAD_REQUEST if isinstance(error, InvalidRequest) else HTTPStatus.SERVICE_UNAVAILABLE
