"""What the service shows a NATS server to be let in, from the file that ``bus.credentials`` names.

Two kinds of file are known: the ``.creds`` file that NATS's own tools make (a user's JWT and seed), and TOML with
either ``user`` and ``password`` or ``token``.
"""

from __future__ import annotations

import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

from radio.errors import ConfigurationError

_KEY: Final = "bus.credentials"
_LARGEST: Final = 65_536
_ALLOWED: Final = "user and password, or token, as TOML; or a NATS .creds file"
_CREDS_MARK: Final = "-----BEGIN NATS USER JWT-----"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Who the service is for a NATS server. ``creds`` is the path of a ``.creds`` file, read at each connection."""

    user: str | None = None
    password: str | None = None
    token: str | None = None
    creds: str | None = None

    def __repr__(self) -> str:
        return "Login(…)"


ANONYMOUS: Final = Login()


def read_login(path: Path) -> Login:
    """What the file at ``path`` says. Raises ConfigurationError naming the file, never with what is in it."""
    text = _text(path)
    if _CREDS_MARK in text:
        if find_spec("nkeys") is None:
            raise _fault(path, "a .creds file needs the Python package nkeys, which is not installed")
        return Login(creds=str(path))
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # The parser's message may quote a secret.
        raise _fault(path, "is neither TOML nor a .creds file") from None
    wanted = ({"user", "password"}, {"token"})
    if set(told) not in wanted or not all(isinstance(value, str) and value for value in told.values()):
        raise _fault(path, "does not say who the service is")
    return Login(**told)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise _fault(path, f"is longer than {_LARGEST:,} bytes")
        return data.decode()
    except UnicodeDecodeError:
        raise _fault(path, "is no text") from None
    except OSError as fault:
        raise _fault(path, f"cannot be read: {fault.strerror or fault}") from None


def _fault(path: Path, problem: str) -> ConfigurationError:
    return ConfigurationError(problem, file=path, key=_KEY, allowed=_ALLOWED)
