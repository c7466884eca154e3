"""Operators' tokens at the door of every route that changes something; a request from loopback is no exception."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from radio.clock import Clock
from radio.errors import Forbidden, Unauthenticated
from radio.store import Store
from radio.store.operators import Operator, Role, authenticate

OPERATOR: Final = web.RequestKey("operator", Operator)
NEEDS: Final = "__needs_role__"

H = TypeVar("H", bound=Callable[..., Awaitable[web.StreamResponse]])


def needs(*roles: Role) -> Callable[[H], H]:
    """Mark a handler as open to ``roles`` only (an admin may do everything).

    It is a function, or a method in its class. Where its path names a ``{station}``, the operator's token must cover
    that station.
    """

    def mark(handler: H) -> H:
        setattr(handler, NEEDS, frozenset((*roles, Role.ADMIN)))
        return handler

    return mark


def sign_in(store: Store, clock: Clock) -> Middleware:
    """A middleware that lets no unmarked handler change anything and no marked one run without its right."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        roles = getattr(request.match_info.handler, NEEDS, None)
        if roles is None:
            if request.method not in ("GET", "HEAD", "OPTIONS") and request.match_info.http_exception is None:
                raise Forbidden("This cannot be changed from outside.")
            return await handler(request)
        operator = await store.read(authenticate, _token(request), clock.now_ms())
        if operator is None:
            raise Unauthenticated("An operator's token is needed: Authorization: Bearer nu_…")
        station = request.match_info.get("station")
        if operator.role not in roles:
            raise Forbidden(f"The role {operator.role} may not do this.")
        if station is not None and not operator.covers(station):
            raise Forbidden(f"This token does not cover the station {station!r}.")
        request[OPERATOR] = operator
        return await handler(request)

    return check


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
