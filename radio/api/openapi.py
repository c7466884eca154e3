"""The HTTP contract as an OpenAPI 3.1 document, made of the declared routes (pure).

The same routes give the same document, to the byte: paths and shapes stand in the order of their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from radio.api.contract import JSON, PROBLEM, Description, Operation, ProblemDetails
from radio.api.schemas import REF, Schemas, fields_of

VERSION: Final = "3.1.1"
SECURITY: Final = "operatorToken"
UNDESCRIBED: Final = "x-undescribed"

GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "stations": ("Stations", "What is on the air, what was and what will be; open to anyone."),
    "streams": ("Streams", "The sound, and small files that lead players to it."),
    "push": ("Push", "Every change as it happens; the frames stand under the push protocol."),
    "radiodns": ("RadioDNS", "Service and programme information for hybrid receivers (ETSI TS 102 818)."),
    "dialects": (
        "Other dialects",
        "The addresses and shapes of other software, so that its clients work unchanged.",
    ),
    "console": ("On the air", "What operators see and do while a station plays."),
    "schedule": (
        "Schedule desk",
        "The schedule as text and in parts: checked, previewed, published, undone.",
    ),
    "library": ("Library desk", "Items, corrections, tags and playlists."),
    "health": ("Health", "For supervisors and monitoring."),
    "contract": ("Contract", "This contract, for programs and for people."),
    "pages": ("Pages", "What browsers load."),
}
"""The groups of routes in the order in which people read them: by the tag of a description, title and words."""

PLACES: Final = (
    ("/api/console/library", "library"),
    ("/api/console", "console"),
    ("/api/stations", "stations"),
    *((address, "push") for address in ("/api/ws", "/api/events", "/api/poll")),
    *((address, "contract") for address in ("/api/openapi.json", "/api/asyncapi.json", "/api/docs")),
    ("/listen", "streams"),
    ("/radiodns", "radiodns"),
    *((address, "health") for address in ("/healthz", "/readyz", "/metrics")),
    ("/api", "dialects"),
    ("", "pages"),
)
"""Where a route that names no tag belongs: the first beginning of an address that fits."""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the head of a document. ``errors`` is the status of every error code."""

    version: str
    server: str = "/"
    title: str = "Next Up"
    summary: str = "A station's programme, sound and push, and its operators' desk"
    licence: str = "Apache-2.0"
    errors: Mapping[str, int] = {}


INTRODUCTION: Final = """\
Reading is public and open to any site's pages (CORS `*`, no credentials). What begins with `/api/console` needs an
operator's token: `Authorization: Bearer nu_…`.

Members that end in `_ms` are integer milliseconds: moments since the Unix epoch, or lengths; `_s`, `_kbps` and
`_lufs` say their units as well. A client passes over members that it does not know: replies may gain some.

Errors are problem documents (RFC 9457) with a stable `code`. A reply with an `ETag` answers `If-None-Match` with 304.
Every GET answers HEAD too."""


def openapi(operations: Iterable[Operation], about: About) -> dict[str, Any]:
    """The document for these routes."""
    listed = sorted(operations, key=lambda one: (one.path, one.method))
    schemas = Schemas(taken=_taken(listed), given=[ProblemDetails, *_given(listed)])
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": VERSION,
        "info": _info(about),
        "servers": [{"url": about.server}],
        "tags": _tags(listed),
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": _problems(listed, about.errors, schemas),
            "securitySchemes": {SECURITY: _token()},
        },
    }


def tag_of(operation: Operation) -> str:
    """The group in which an operation stands, by its title."""
    tag = operation.description.tag
    if tag is None:
        tag = next(tag for beginning, tag in PLACES if operation.path.startswith(beginning))
    return GROUPS[tag][0] if tag in GROUPS else tag


def error_statuses(operation: Operation) -> list[int]:
    """The statuses that are answered with a problem document."""
    told = operation.description
    found = {status for status in told.statuses if status >= 400} - set(told.replies)
    if operation.roles is not None:
        found |= {401, 403}
    if told.body is not None:
        found.add(400)
    return sorted(found)


def _taken(operations: Iterable[Operation]) -> list[object]:
    return [one.description.body for one in operations if one.description.body is not None]


def _given(operations: Iterable[Operation]) -> list[object]:
    shapes: list[object] = []
    for told in (one.description for one in operations):
        shapes += [] if told.reply is None else [told.reply]
        shapes += [shape for shape in told.replies.values() if shape is not None]
    return shapes


def _info(about: About) -> dict[str, Any]:
    return {
        "title": about.title,
        "summary": about.summary,
        "description": INTRODUCTION,
        "license": {"name": about.licence, "identifier": about.licence},
        "version": about.version,
    }


def _tags(operations: Iterable[Operation]) -> list[dict[str, str]]:
    used = {tag_of(one) for one in operations}
    known = [{"name": title, "description": words} for title, words in GROUPS.values() if title in used]
    others = used - {each["name"] for each in known}
    return [*known, *({"name": name} for name in sorted(others))]


def _token() -> dict[str, str]:
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "nu_…",
        "description": "The token of an operator. It opens the stations and the role that it was made for.",
    }


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    told = operation.description
    made: dict[str, Any] = {
        "operationId": operation.id,
        "summary": told.summary,
        "tags": [tag_of(operation)],
    }
    if told.more:
        made["description"] = told.more
    if parameters := _parameters(operation):
        made["parameters"] = parameters
    if told.body is not None or told.body_media != (JSON,):
        made["requestBody"] = _body(told, schemas)
    made["responses"] = _responses(operation, schemas)
    if operation.roles is not None:
        made["security"] = [{SECURITY: sorted(operation.roles)}]
    if not told.summary:
        made[UNDESCRIBED] = True
    return made


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _part(pattern)}
        for name, pattern in operation.parts.items()
    ]
    for place, shape in (("query", operation.description.query), ("header", operation.description.headers)):
        for name, schema, needed in fields_of(shape) if shape is not None else ():
            made.append(_parameter(place, name, schema, needed))
    return made


def _parameter(place: str, name: str, schema: dict[str, Any], needed: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "in": place, "required": needed}
    if "description" in schema:
        made["description"] = schema.pop("description")
    if schema.get("type") == "array" and schema.pop("x-commas", False):
        made["explode"] = False
    made["schema"] = schema
    return made


def _part(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^(?:{pattern})$"} if pattern else {"type": "string"}


def _body(told: Description, schemas: Schemas) -> dict[str, Any]:
    content = {
        media: {"schema": schemas.taken(told.body)} if told.body is not None and _is_json(media) else {}
        for media in told.body_media
    }
    return {"required": told.body_required, "content": content}


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    told = operation.description
    made: dict[str, Any] = {str(told.status): _reply(told, schemas)}
    for status in (one for one in told.statuses if one < 400 or one in told.replies):
        made[str(status)] = {"description": HTTPStatus(status).phrase}
        if (shape := told.replies.get(status)) is not None:
            is_problem = isinstance(shape, type) and issubclass(shape, ProblemDetails)
            made[str(status)]["content"] = {PROBLEM if is_problem else JSON: {"schema": schemas.given(shape)}}
    for status in error_statuses(operation):
        made[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return dict(sorted(made.items()))


def _reply(told: Description, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {"description": HTTPStatus(told.status).phrase}
    if told.status == 204 or (told.reply is None and told.media == (JSON,)):
        return made
    made["content"] = {}
    for media in told.media:
        content: dict[str, Any] = {}
        if told.reply is not None and _is_json(media):
            content["schema"] = schemas.given(told.reply)
            if told.example is not None:
                content["example"] = msgspec.to_builtins(told.example)
        made["content"][media] = content
    return made


def _is_json(media: str) -> bool:
    return media == JSON or media.endswith("+json")


def _problems(
    operations: Iterable[Operation], errors: Mapping[str, int], schemas: Schemas
) -> dict[str, dict[str, Any]]:
    used = sorted({status for one in operations for status in error_statuses(one)})
    assert schemas.given(ProblemDetails) == {"$ref": f"{REF}ProblemDetails"}
    return {f"Problem{status}": _problem(status, errors) for status in used}


def _problem(status: int, errors: Mapping[str, int]) -> dict[str, Any]:
    codes = [f"`{code}`" for code, of in errors.items() if of == status]
    text = HTTPStatus(status).phrase + (f": {', '.join(codes)}" if codes else "")
    return {"description": text, "content": {PROBLEM: {"schema": {"$ref": f"{REF}ProblemDetails"}}}}
