"""How JSON leaves the service: encoded once, with an ETag, open to any site's pages."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import msgspec
from aiohttp import web

OPEN_TO_ALL: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""What public reading carries: any page may read it; no credentials are ever taken."""

_PUBLIC: Final = ("/api/", "/listen/", "/status-json.xsl")

_encoder = msgspec.json.Encoder()


def is_public(path: str) -> bool:
    """Whether pages of any site may read what is answered at ``path``, good or bad."""
    return path.startswith(_PUBLIC) and not path.startswith("/api/console/")


def json_bytes(value: Any) -> bytes:
    """``value`` (plain data or msgspec structs) as compact UTF-8 JSON."""
    return _encoder.encode(value)


def public_json(request: web.Request, value: Any) -> web.Response:
    """``value`` for anyone, with an ETag; 304 where the reader has it already."""
    return public_bytes(request, json_bytes(value), "application/json")


def public_bytes(request: web.Request, body: bytes, media: str, *, caching: str = "no-cache") -> web.Response:
    """A document for anyone, with an ETag; 304 where the reader has it already (RFC 9110, section 13.1.2)."""
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {**OPEN_TO_ALL, "ETag": etag, "Cache-Control": caching, "Content-Type": media}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
    if etag in known or "*" in known:
        del headers["Content-Type"]
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers=headers)


def private_json(value: Any, *, status: int = 200) -> web.Response:
    """``value`` for a signed-in operator; never cached."""
    return web.Response(
        status=status,
        body=json_bytes(value),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def version_meant(request: web.Request) -> str:
    """The entity tag in ``If-Match`` without its quotes (RFC 9110, section 13.1.1); empty where there is none."""
    return request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
