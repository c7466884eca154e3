"""What a request says: numbers and names of its query string, and its JSON body, each checked."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from aiohttp import web

from radio.errors import InvalidRequest

MOST_NAMES = 10_000

T = TypeVar("T", bound=msgspec.Struct)


def number(request: web.Request, field: str, default: int, lowest: int, highest: int) -> int:
    """A whole number of the query string, ``default`` where it is not said.

    Raises InvalidRequest naming it and what is allowed.
    """
    text = request.query.get(field)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and lowest <= int(text) <= highest):
        raise InvalidRequest(
            f"`{field}` is {text[:40]!r}.", field=field, allowed=f"a whole number from {lowest} to {highest}"
        )
    return int(text)


def names(request: web.Request, field: str) -> list[str]:
    """The names of a list with commas; at most 10,000."""
    return [name for name in request.query.get(field, "").split(",")[:MOST_NAMES] if name]


async def body_of(request: web.Request, shape: type[T]) -> T:
    """The JSON body in that shape. Raises InvalidRequest naming the field at fault."""
    data = await request.read()
    try:
        return msgspec.json.decode(data or b"{}", type=shape)
    except msgspec.DecodeError as fault:
        problem, _, place = str(fault).partition(" - at `$")
        field = place.strip("`.") or "body"
        allowed = ", ".join(shape.__struct_fields__)
        raise InvalidRequest(f"The body cannot be taken: {problem}.", field=field, allowed=allowed) from fault
