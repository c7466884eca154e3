"""The one place where an error's code becomes an HTTP status.

A frame of push and a problem document carry the same codes; what ends a push connection is in
:class:`radio.push.messages.CloseCode`.

Problem documents are those of RFC 9457 (``application/problem+json``) with two members of our own: ``code``,
which is stable, and ``field`` where one field of the request is at fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from radio.api.contract import PROBLEM, ProblemDetails
from radio.api.replies import OPEN_TO_ALL, is_public, json_bytes
from radio.errors import InvalidRequest, RadioError

_journal = structlog.get_logger(__name__)

_READABLE: Final = {**OPEN_TO_ALL, "Access-Control-Expose-Headers": "Retry-After"}

_NO_MEMBERS: Final[Mapping[str, object]] = MappingProxyType({})

HTTP_STATUS: Final = {
    "configuration_invalid": 422,
    "schedule_invalid": 422,
    "invalid_request": 400,
    "changed_meanwhile": 412,
    "version_needed": 428,
    "unauthenticated": 401,
    "forbidden": 403,
    "method_not_allowed": 405,
    "not_found": 404,
    "unknown_station": 404,
    "unknown_mount": 404,
    "unknown_item": 404,
    "limit_reached": 503,
    "audio_invalid": 422,
    "tags_not_written": 422,
    "not_written": 507,
    "store_unavailable": 503,
    "store_too_new": 503,
    "connection_failed": 502,
    "address_in_use": 503,
    "takeover_failed": 503,
    "internal": 500,
}


def problem(
    code: str,
    detail: str,
    *,
    status: int | None = None,
    field: str | None = None,
    members: Mapping[str, object] = _NO_MEMBERS,
) -> web.Response:
    """A response that tells people and programs what is wrong; ``members`` are told beside the usual ones."""
    status = status or HTTP_STATUS.get(code, 500)
    body: object = ProblemDetails(
        type=f"about:blank#{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        code=code,
        detail=detail,
        field=field,
    )
    if members:
        body = {**msgspec.to_builtins(body), **members}
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status == 503:
        headers["Retry-After"] = "5"
    return web.Response(status=status, body=json_bytes(body), content_type=PROBLEM, headers=headers)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error with a problem document, and let no unforeseen one out with its insides.

    What is wrong with a public address can be read by pages of any site, as its good replies can.
    """
    reply = await _answer(request, handler)
    if reply.content_type == PROBLEM and not reply.prepared and is_public(request.path):
        reply.headers.update(_READABLE)
    return reply


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RadioError as fault:
        field = fault.field if isinstance(fault, InvalidRequest) else None
        return problem(fault.code, fault.message, field=field, members=fault.members)
    except web.HTTPException as fault:
        if fault.status < 400:
            raise
        reply = problem(_code_of(fault.status), _detail_of(fault), status=fault.status)
        if "Allow" in fault.headers:
            reply.headers["Allow"] = fault.headers["Allow"]
        return reply
    except ConnectionError:  # the client is gone
        raise
    except Exception:
        _journal.exception("request_failed", method=request.method, path=request.path)
        return problem("internal", "Something went wrong here. It was logged.")


def _code_of(status: int) -> str:
    return {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(status, "invalid_request")


def _detail_of(fault: web.HTTPException) -> str:
    if fault.status == 404:
        return "There is nothing at this address."
    if isinstance(fault, web.HTTPMethodNotAllowed):
        return f"{fault.method} is not possible here. Allowed: {', '.join(sorted(fault.allowed_methods))}."
    return fault.reason
