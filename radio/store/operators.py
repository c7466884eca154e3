"""Operators and their tokens.

A token is ``nu_<8 hex digits>_<43 URL-safe characters>``: a name to look it up by, and 256 random bits. It is
shown once; the database keeps its SHA-256 alone. No slow hash is needed, as the secret cannot be guessed.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select

from radio.errors import InvalidRequest
from radio.store.tables import operators
from radio.units import UtcMs

_TOKEN: Final = re.compile(r"nu_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_NAME_LIMIT: Final = 80
# Compared with where the token's name is unknown, so that the answer takes as long.
_NO_HASH: Final = "0" * 64


class Role(StrEnum):
    """What an operator may do; the first may do everything."""

    ADMIN = "admin"
    OPERATOR = "operator"
    TRAFFIC = "traffic"
    VIEWER = "viewer"


class Operator(msgspec.Struct, frozen=True):
    """Who is signed in. ``stations`` are those the operator may work on; None means all, later ones too."""

    name: str
    role: Role
    stations: tuple[str, ...] | None = None

    def covers(self, station: str) -> bool:
        """Whether the operator may work on ``station``."""
        return self.stations is None or station in self.stations


def add(
    conn: Connection,
    name: str,
    role: Role | str,
    stations: Sequence[str] | None,
    now_ms: UtcMs,
    *,
    expires_at_ms: UtcMs | None = None,
) -> str:
    """Make an operator and return the token, which cannot be had again. ``stations`` None means all.

    Raises InvalidRequest for a name that is taken, empty or longer than 80 characters, an unknown role, or an
    empty list of stations.
    """
    _check(conn, name, role, stations)
    token_id = secrets.token_hex(4)
    token = f"nu_{token_id}_{secrets.token_urlsafe(32)}"
    conn.execute(
        insert(operators).values(
            name=name,
            role=Role(role).value,
            stations=None if stations is None else msgspec.json.encode(sorted(set(stations))).decode(),
            token_id=token_id,
            token_sha256=_hash(token),
            created_at_ms=now_ms,
            expires_at_ms=expires_at_ms,
        )
    )
    return token


def authenticate(conn: Connection, token: str, now_ms: UtcMs) -> Operator | None:
    """Whose ``token`` it is; None for one that is malformed, unknown, wrong or expired at ``now_ms``.

    Only reads. The secret is compared in constant time.
    """
    shape = _TOKEN.fullmatch(token)
    if shape is None:
        return None
    found = conn.execute(select(operators).where(operators.c.token_id == shape[1])).first()
    right = hmac.compare_digest(_hash(token), _NO_HASH if found is None else found.token_sha256)
    if found is None or not right:
        return None
    expired = found.expires_at_ms is not None and found.expires_at_ms <= now_ms
    return None if expired else _operator(found)


def remove(conn: Connection, name: str) -> bool:
    """Take an operator's access away at once; False where there is no such operator."""
    return conn.execute(delete(operators).where(operators.c.name == name)).rowcount == 1


def all(conn: Connection) -> list[Operator]:
    """Every operator, by name."""
    return [_operator(found) for found in conn.execute(select(operators).order_by(operators.c.name))]


def _check(conn: Connection, name: str, role: Role | str, stations: Sequence[str] | None) -> None:
    if not (name.strip() and name.isprintable() and len(name) <= _NAME_LIMIT):
        raise InvalidRequest(
            f"{name[:_NAME_LIMIT]!r} is no operator's name.",
            field="name",
            allowed=f"1 to {_NAME_LIMIT} printable characters",
        )
    if role not in list(Role):
        raise InvalidRequest(f"There is no role {role!r}.", field="role", allowed=", ".join(Role))
    if stations is not None and not (stations and not isinstance(stations, str)):
        raise InvalidRequest(
            "The list of stations is empty.", field="stations", allowed="one station or more, or none for all"
        )
    if conn.execute(select(operators.c.name).where(operators.c.name == name)).first() is not None:
        raise InvalidRequest(f"There is an operator {name!r} already.", field="name", allowed="a new name")


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _operator(found: Row[Any]) -> Operator:
    stations = None if found.stations is None else msgspec.json.decode(found.stations, type=tuple[str, ...])
    return Operator(name=found.name, role=Role(found.role), stations=stations)
