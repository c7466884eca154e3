"""``radio skip``, ``insert``, ``hold``, ``resume``: change what is on the air, through the running service."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec
import typer

from radio.cli.context import JsonOption, ServerOption
from radio.cli.output import clock_time, out, out_json
from radio.config import TOKEN_VARIABLE
from radio.diagnostics import harmless
from radio.errors import ConnectionFailed, Forbidden, InvalidRequest, NotFound, RadioError

TIMEOUT_S = 10.0
ANSWER_LIMIT_BYTES = 1 << 20

StationArgument = Annotated[str, typer.Argument(help="The station's id.")]
TokenOption = Annotated[
    str,
    typer.Option(
        envvar=TOKEN_VARIABLE, show_default=False, help="An operator's token: see `radio users add`."
    ),
]
FadeOption = Annotated[
    int, typer.Option("--fade-ms", min=0, max=5_000, help="How long the item that ends is faded out.")
]

LOCAL = "http://127.0.0.1:8000"


def skip(
    station: StationArgument,
    fade_ms: FadeOption = 300,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """End what is on the air now; the next item begins."""
    _command(server, token, station, "skip", {"fade_ms": fade_ms}, as_json)


def insert(
    station: StationArgument,
    item: Annotated[str, typer.Argument(help="An item's id: see `radio library list`.")],
    next_: Annotated[
        bool, typer.Option("--next", help="Wait for the end of what is on the air, instead of ending it.")
    ] = False,
    fade_ms: FadeOption = 300,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put an item of the library on the air, at once or next."""
    body = {"item": item, "when": "next" if next_ else "now", "fade_ms": fade_ms}
    _command(server, token, station, "insert", body, as_json)


def hold(
    station: StationArgument,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Let the bed sound after the item on the air, until `radio resume` or the next fixed time."""
    _command(server, token, station, "hold", {}, as_json)


def resume(
    station: StationArgument,
    server: ServerOption = LOCAL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """End a hold now."""
    _command(server, token, station, "resume", {}, as_json)


def _command(
    server: str, token: str, station: str, command: str, body: dict[str, Any], as_json: bool
) -> None:
    if not token:
        raise InvalidRequest(
            "An operator's token is needed.", field="--token", allowed=f"--token or {TOKEN_VARIABLE}"
        )
    path = f"/api/console/stations/{quote(station, safe='')}/{command}"
    answer = _post(server, path, token, body)
    if as_json:
        out_json(answer)
        return
    out(harmless(f"{_line(answer['on_air'])}  | next: {_line(answer['next'])}"))


def _post(server: str, path: str, token: str, body: dict[str, Any]) -> Any:
    scheme, _, rest = server.rstrip("/").partition("://")
    if scheme not in ("http", "https") or not rest:
        allowed = "http://host:port or https://host"
        raise InvalidRequest(f"{server!r} is no server.", field="--server", allowed=allowed)
    request = Request(
        f"{scheme}://{rest}{path}",
        data=msgspec.json.encode(body),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as answer:
            return msgspec.json.decode(answer.read(ANSWER_LIMIT_BYTES))
    except HTTPError as refusal:
        with refusal:
            raise _refused(refusal.code, refusal.read(ANSWER_LIMIT_BYTES)) from refusal
    except (URLError, OSError, ValueError) as fault:
        raise ConnectionFailed(f"No service answers at {server}. Start it with: radio run") from fault


class _NoRedirect(HTTPRedirectHandler):
    """A token is for the address that it was given for."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _refused(status: int, data: bytes) -> RadioError:
    text = f"The service answers {status}."
    with suppress(msgspec.DecodeError):
        text = msgspec.json.decode(data, type=_Problem).detail or text
    if status in (401, 403):
        return Forbidden(text)
    if status == 404:
        return NotFound(text)
    return InvalidRequest(text) if status in (400, 412, 422) else ConnectionFailed(text)


class _Problem(msgspec.Struct):
    detail: str = ""


def _line(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    at = datetime.fromtimestamp(row["starts_at_ms"] / 1000).astimezone().strftime("%H:%M:%S")
    name = f"{row['artist']} - {row['title']}" if row.get("artist") else row["title"]
    return f"{at}  {name} ({clock_time(row['ends_at_ms'] - row['starts_at_ms'])})"
