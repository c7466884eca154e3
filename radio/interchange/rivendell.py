"""Rivendell's standard import file, read and written, and its reconcile file (pure).

Both are lines of fixed columns, CRLF, for one day of one service. The import file has the start in columns 1-8, the
cart in 11-25, the title in 26-59, the length in 61-68 and the id of the event in 70-101, counted from 1; the reconcile
file has planned and actual start, planned and actual length, cart, title and id in 1-8, 10-17, 19-26, 28-35, 37-42,
44-77 and 79-110. Neither has a date or a zone: in an hour that the clocks repeat, only the order and the id tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.errors import ScheduleError
from radio.library.folding import tokens
from radio.library.items import Item
from radio.library.words import cleaned
from radio.log import LogRow
from radio.schedule.wallclock import local_time
from radio.sponsors.weektime import HOUR_MS, MINUTE_MS, SECOND_MS
from radio.units import DurationMs, UtcMs

MAX_BYTES: Final = 2_000_000
MAX_LINES: Final = 10_000
NEAR_MS: Final = 2_000
"""How far a length may be from an item's: the file has whole seconds."""

FAR_MS: Final = 2 * HOUR_MS
"""How far from its time a line may have aired and still be the same line."""

_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})")
_CART = re.compile(r"\d{1,6}")
_CART_FILE = re.compile(r"0*(\d{1,6})(?:_\d{3})?")


class LineKind(StrEnum):
    """What a line stands for."""

    CART = "cart"
    BREAK = "break"
    VOICETRACK = "voicetrack"


class ImportLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an import file. ``at_ms`` counts from local midnight on the wall clock; ``line`` from 1."""

    line: int
    kind: LineKind
    at_ms: DurationMs
    length_ms: DurationMs
    title: str
    cart: int | None = None
    guid: str = ""


class AsPlayed(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it aired."""

    row: LogRow
    started_ms: UtcMs
    played_ms: DurationMs


def read_import(data: bytes, file: str) -> list[ImportLine]:
    """The lines of an import file, in its order. Raises ScheduleError with file, line and what is allowed.

    Bounds: 2 MB, 10,000 lines. UTF-8, else Windows-1252.
    """
    if len(data) > MAX_BYTES:
        raise ScheduleError(f"has {len(data):,} bytes", file=file, allowed=f"at most {MAX_BYTES:,} bytes")
    lines = _decoded(data).split("\n")
    if len(lines) > MAX_LINES:
        raise ScheduleError(f"has {len(lines):,} lines", file=file, allowed=f"at most {MAX_LINES:,} lines")
    found = [_read(number, line.rstrip("\r"), file) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise ScheduleError("has no line of a log", file=file, allowed="a log in Rivendell's standard format")
    return found


def written_import(rows: Iterable[LogRow], cart_of: Callable[[LogRow], int | None], zone: ZoneInfo) -> str:
    """The rows that play an item, as an import file; a row without a cart number has none there."""
    lines = []
    for row in rows:
        if row.item is None:
            continue
        cart = cart_of(row)
        starts, length = _clock(row.starts_at_ms, zone), _length(row.duration_ms)
        number = f"{cart:06}" if cart is not None else ""
        lines.append(f"{starts}  {number:<15}{_title(row.title)} {length} {_guid(row):<32}\r\n")
    return "".join(lines)


def reconcile(
    played: Iterable[AsPlayed],
    cart_of: Callable[[LogRow], int | None],
    zone: ZoneInfo,
    imported: Sequence[ImportLine] = (),
) -> str:
    """What aired, as a reconcile file. A line of ``imported`` lends its id to the airing of its cart that is
    nearest to its time, within two hours; what was not imported has the row's own id, blank where there was an import.
    """
    waiting = [line for line in imported if line.kind is LineKind.CART]
    lines = []
    for one in played:
        if one.row.item is None:
            continue
        cart = cart_of(one.row)
        planned = _clock(one.row.starts_at_ms, zone)
        match = _match(waiting, cart, one.row, zone)
        if match is not None:
            waiting.remove(match)
        guid = match.guid if match else "" if imported else _guid(one.row)
        moments = f"{planned} {_clock(one.started_ms, zone)}"
        lengths = f"{_length(one.row.duration_ms)} {_length(one.played_ms)}"
        number = f"{cart:06}" if cart is not None else " " * 6
        lines.append(f"{moments} {lengths} {number} {_title(one.row.title)} {guid:<32}\r\n")
    return "".join(lines)


def cart_number(item: Item) -> int | None:
    """The cart of an item whose file is named as Rivendell names them: ``012345.wav``, ``012345_001.wav``."""
    stem = item.path.rpartition("/")[2].rpartition(".")[0]
    found = _CART_FILE.fullmatch(stem)
    return int(found[1]) if found and int(found[1]) else None


class Carts:
    """Finds the items that lines mean: by cart number, else by title and length."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._by_cart: dict[int, Item] = {}
        self._by_title: dict[tuple[str, ...], list[Item]] = {}
        for item in items:
            if (number := cart_number(item)) is not None:
                self._by_cart.setdefault(number, item)
            if words := tokens(item.title):
                self._by_title.setdefault(words, []).append(item)

    def find(self, line: ImportLine) -> Item | None:
        """The item of a line; None where no item, or more than one, may be meant."""
        if line.cart is not None and line.cart in self._by_cart:
            return self._by_cart[line.cart]
        same = self._same_title(tokens(line.title))
        near = [item for item in same if abs(item.air_ms - line.length_ms) <= NEAR_MS]
        if len(near) == 1 or len(same) == 1:
            return (near or same)[0]
        return None

    def _same_title(self, words: tuple[str, ...]) -> list[Item]:
        return self._by_title.get(words, []) if words else []


def carts_of_lines(lines: Iterable[ImportLine], carts: Carts) -> Mapping[str, int]:
    """The cart numbers that an import gives to items, by the items' ids."""
    found: dict[str, int] = {}
    for line in lines:
        if line.cart is not None and (item := carts.find(line)) is not None:
            found.setdefault(item.id, line.cart)
    return found


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _read(number: int, line: str, file: str) -> ImportLine:
    at_ms = _ms(line[:8], hours=24)
    if at_ms is None:
        raise ScheduleError(
            f"columns 1-8 have no time: {line[:8]!r}", file=file, line=number, allowed="HH:MM:SS"
        )
    cart_text, title = line[10:25].strip(), cleaned(line[25:59])
    length_text = line[60:68].strip()
    length_ms = _ms(length_text, hours=24) if length_text else 0
    if length_ms is None:
        raise ScheduleError(
            f"columns 61-68 have no length: {length_text!r}", file=file, line=number, allowed="HH:MM:SS"
        )
    kind = LineKind.CART
    if cart_text.upper() == "BREAK":
        kind = LineKind.BREAK
    elif title.upper() == "VOICETRACK":
        kind = LineKind.VOICETRACK
    elif not _CART.fullmatch(cart_text) and not (cart_text == "" and title):
        raise ScheduleError(
            f"columns 11-25 have no cart: {cart_text!r}", file=file, line=number, allowed="up to six digits"
        )
    return ImportLine(
        line=number,
        kind=kind,
        at_ms=DurationMs(at_ms),
        length_ms=DurationMs(length_ms),
        title=title,
        cart=int(cart_text) if _CART.fullmatch(cart_text) else None,
        guid=cleaned(line[69:101]),
    )


def _ms(text: str, *, hours: int) -> int | None:
    found = _TIME.fullmatch(text)
    if not found or not text.isascii():
        return None
    hour, minute, second = (int(part) for part in found.groups())
    if hour >= hours or minute > 59 or second > 59:
        return None
    return hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS


def _match(waiting: Sequence[ImportLine], cart: int | None, row: LogRow, zone: ZoneInfo) -> ImportLine | None:
    local = local_time(row.starts_at_ms, zone)
    at_ms = local.hour * HOUR_MS + local.minute * MINUTE_MS + local.second * SECOND_MS
    words = tokens(row.title)
    alike = [
        line for line in waiting if (line.cart == cart if line.cart and cart else tokens(line.title) == words)
    ]
    near = [line for line in alike if abs(line.at_ms - at_ms) <= FAR_MS]
    return min(near, key=lambda line: (abs(line.at_ms - at_ms), line.line), default=None)


def _clock(at_ms: int, zone: ZoneInfo) -> str:
    return local_time(at_ms, zone).strftime("%H:%M:%S")


def _length(length_ms: int) -> str:
    seconds = max(0, round(length_ms / SECOND_MS))
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _title(title: str) -> str:
    return f"{cleaned(title)[:34]:<34}"


def _guid(row: LogRow) -> str:
    return row.id[-32:]
