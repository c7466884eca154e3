"""What a route takes and answers, said where its handler stands: the contract is made of this and of nothing else.

A handler carries one :class:`Description`. The shapes in it are the msgspec types that the handler decodes and
encodes, so that a document cannot say what the code does not do.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec

DESCRIPTION: Final = "__described__"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"

Shape = object
"""A msgspec Struct, or anything that msgspec makes a JSON schema of: a union, a list, a mapping, an Annotated."""


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wrong, for people and programs (RFC 9457). ``code`` is stable; ``field`` names what is at fault."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None


H = TypeVar("H", bound=Callable[..., Awaitable[object]])


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """A route in words and shapes.

    ``query`` and ``headers`` are Structs whose fields are the parameters, by their encoded names; a field with a
    default may be left out of a request. ``status`` is that of the reply; ``statuses`` are the others: below 400
    without a body, from 400 on a problem document, unless ``replies`` has a shape for it. ``media`` are the reply's
    types, ``body_media`` the body's; a type that is not JSON has no schema. ``tag`` None: told by the address.
    ``example`` is a reply that could be.
    """

    summary: str
    more: str = ""
    body: Shape | None = None
    body_media: tuple[str, ...] = (JSON,)
    body_required: bool = True
    reply: Shape | None = None
    media: tuple[str, ...] = (JSON,)
    status: int = 200
    query: type | None = None
    headers: type | None = None
    statuses: tuple[int, ...] = ()
    replies: Mapping[int, Shape] = MappingProxyType({})
    tag: str | None = None
    example: object = None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A route as the router has it. ``parts`` are the placeholders of ``path`` with the pattern that each must match
    whole; ``roles`` are whose token opens it, None where nobody needs one."""

    method: str
    path: str
    description: Description
    parts: Mapping[str, str] = MappingProxyType({})
    roles: tuple[str, ...] | None = None

    @property
    def id(self) -> str:
        """Its name in documents and anchors: ``get_api_stations_station``."""
        words = re.findall(r"[A-Za-z0-9]+", self.path)
        return "_".join([self.method.lower(), *words] if words else [self.method.lower(), "root"])


def described(
    summary: str,
    *,
    body: Shape | None = None,
    reply: Shape | None = None,
    query: type | None = None,
    statuses: tuple[int, ...] = (),
    media: str | tuple[str, ...] = JSON,
    tag: str | None = None,
    more: str = "",
    headers: type | None = None,
    replies: Mapping[int, Shape] | None = None,
    body_media: str | tuple[str, ...] = JSON,
    body_required: bool = True,
    example: object = None,
) -> Callable[[H], H]:
    """Attach a :class:`Description` to an aiohttp handler: a function, a method in its class, or a bound method.

    It stands above or below ``needs``. A status below 300 among ``statuses`` is the reply's, instead of 200. A
    bound method's description is that of all instances of its class.
    """
    good = [status for status in statuses if status < 300]
    description = Description(
        summary=summary,
        more=more,
        body=body,
        body_media=_several(body_media),
        body_required=body_required,
        reply=reply,
        media=_several(media),
        status=good[0] if good else 200,
        query=query,
        headers=headers,
        statuses=tuple(sorted({*statuses, *(replies or {})} - set(good))),
        replies=MappingProxyType(dict(replies or {})),
        tag=tag,
        example=example,
    )

    def mark(handler: H) -> H:
        setattr(getattr(handler, "__func__", handler), DESCRIPTION, description)
        return handler

    return mark


def description_of(handler: object) -> Description | None:
    """What :func:`described` said of a handler; None where nothing was said."""
    found = getattr(handler, DESCRIPTION, None)
    return found if isinstance(found, Description) else None


def _several(media: str | tuple[str, ...]) -> tuple[str, ...]:
    return (media,) if isinstance(media, str) else media
