"""Where the contract is read: made once of the router that answers, so that it holds every route there is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from aiohttp import web

from radio import __version__
from radio.api.asyncapi import asyncapi
from radio.api.contract import JSON, Description, Operation, described, description_of
from radio.api.docs_page import POLICY, docs_page, socket_address
from radio.api.openapi import About, openapi
from radio.api.playlists import own_address
from radio.api.problems import HTTP_STATUS
from radio.api.replies import json_bytes, public_bytes
from radio.api.shapes import KnownHeaders
from radio.api.sign_in import NEEDS

HTML: Final = "text/html; charset=utf-8"
PLAIN_PART: Final = "[^{}/]+"
HERE: Final = "http://here.invalid"
"""Stands in the page for the address at which it is read."""


class Documents(msgspec.Struct, frozen=True):
    """The three forms of the contract, as they are sent; the page still with :data:`HERE` in it."""

    openapi: bytes
    asyncapi: bytes
    page: bytes


class ContractApi:
    """Handlers of the contract's addresses. The documents are made at the first question, in a thread."""

    def __init__(self, public_url: str = "") -> None:
        self._public_url = public_url.rstrip("/")
        self._made: Documents | None = None
        self._making = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """The routes, for aiohttp's router."""
        return [
            web.get("/api/openapi.json", self.openapi),
            web.get("/api/asyncapi.json", self.asyncapi),
            web.get("/api/docs", self.page),
        ]

    @described(
        "The HTTP contract as an OpenAPI 3.1 document",
        reply=dict[str, Any],
        headers=KnownHeaders,
        statuses=(304,),
    )
    async def openapi(self, request: web.Request) -> web.Response:
        return public_bytes(request, (await self._documents(request)).openapi, JSON)

    @described(
        "The push protocol as an AsyncAPI 3.0 document",
        reply=dict[str, Any],
        headers=KnownHeaders,
        statuses=(304,),
    )
    async def asyncapi(self, request: web.Request) -> web.Response:
        return public_bytes(request, (await self._documents(request)).asyncapi, JSON)

    @described("Both as a page for people", media="text/html", headers=KnownHeaders, statuses=(304,))
    async def page(self, request: web.Request) -> web.Response:
        here = self._public_url or own_address(request)
        body = (await self._documents(request)).page
        for stands, said in ((HERE, here), (socket_address(HERE), socket_address(here))):
            body = body.replace(stands.encode(), said.encode())
        reply = public_bytes(request, body, HTML)
        reply.headers["Content-Security-Policy"] = POLICY
        return reply

    async def _documents(self, request: web.Request) -> Documents:
        async with self._making:
            if self._made is None:
                operations = list(operations_of(request.app.router))
                self._made = await asyncio.to_thread(documents, operations, self._public_url)
        return self._made


def documents(operations: list[Operation], public_url: str) -> Documents:
    """The contract of these routes."""
    about = About(version=__version__, server=public_url or "/", errors=HTTP_STATUS)
    http, push = openapi(operations, about), asyncapi(about)
    return Documents(json_bytes(http), json_bytes(push), docs_page(http, push, HERE).encode())


def operations_of(router: web.UrlDispatcher) -> Iterator[Operation]:
    """Every route of a router but HEAD and OPTIONS, which stand beside GET. One that nobody described has no words."""
    for route in router.routes():
        if route.method in ("HEAD", "OPTIONS") or route.resource is None:
            continue
        roles = getattr(route.handler, NEEDS, None)
        yield Operation(
            method=route.method,
            path=route.resource.canonical,
            description=description_of(route.handler) or Description(summary=""),
            parts=parts_of(route.resource),
            roles=None if roles is None else tuple(sorted(str(role) for role in roles)),
        )


def parts_of(resource: web.AbstractResource) -> dict[str, str]:
    """The placeholders of an address with their patterns; empty for one that takes anything up to a slash."""
    pattern: re.Pattern[str] | None = resource.get_info().get("pattern")
    if pattern is None:
        return {}
    starts = {match[1]: match.end() for match in re.finditer(r"\(\?P<(\w+)>", pattern.pattern)}
    found = {name: _group(pattern.pattern, start) for name, start in starts.items()}
    return {name: "" if part == PLAIN_PART else part for name, part in found.items()}


def _group(pattern: str, start: int) -> str:
    """The rest of a group that begins at ``start``."""
    depth, position, in_class = 1, start, False
    while depth:
        sign = pattern[position]
        if sign == "\\":
            position += 1
        elif in_class:
            in_class = sign != "]"
        else:
            in_class = sign == "["
            depth += (sign == "(") - (sign == ")")
        position += 1
    return pattern[start : position - 1]
