"""All that a dialect's view is made of: one station at one moment (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from radio.api.dialects.recent import Heard
from radio.config import StationConfig
from radio.events import Availability
from radio.log import ItemKind, LogRow
from radio.stations.shapes import NowState, StationState
from radio.units import UtcMs

OFF: Final = frozenset({Availability.OFF_AIR, Availability.STARTING})
_NUMBER_LIMIT: Final = 0x7FFF_FFFF


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One station as it is at ``at_ms``.

    ``number`` counts the stations from 1; ``base`` is the service's own address without a slash at its end.
    ``coming`` are rows of the log behind the one on the air. ``listeners`` and ``peaks`` are by mount.
    ``started_at_ms`` is when the service was started.
    """

    number: int
    config: StationConfig
    state: StationState
    base: str
    at_ms: UtcMs
    started_at_ms: UtcMs
    heard: Sequence[Heard] = ()
    coming: Sequence[LogRow] = ()
    listeners: Mapping[str, int] = {}
    peaks: Mapping[str, int] = {}

    @property
    def is_online(self) -> bool:
        """Whether the station sends sound."""
        return self.state.availability.status not in OFF

    @property
    def is_live(self) -> bool:
        """Whether a presenter's encoder is on the air."""
        return self.state.source == "live"

    def address(self, path: str | None) -> str | None:
        """``path`` as a whole address; one that is whole already stays as it is."""
        if not path or path.startswith(("http://", "https://")):
            return path or None
        return self.base + path

    def stream(self, mount: str) -> str:
        """Where ``mount`` is heard."""
        return f"{self.base}/listen/{self.config.id}/{mount}"

    def row(self, id_: str) -> LogRow | None:
        """The row of that id, where it is among those that come next."""
        return next((row for row in self.coming if row.id == id_), None)

    def headline(self) -> tuple[str, str]:
        """Artist (or empty) and title of what is on the air, as a plain player shows them."""
        now = self.state.now
        if now is not None and now.kind is ItemKind.SPONSOR and self.state.supported_by is not None:
            return "", f"Supported by {self.state.supported_by.sponsor}"
        if now is not None and _says_something(now):
            return now.artist or "", now.title
        programme = self.state.programme
        return ("", programme.title) if programme else ("", self.config.name)


def line(artist: str, title: str) -> str:
    """Artist and title in one line, as ICY has them."""
    return f"{artist} - {title}" if artist else title


def number_of(name: str) -> int:
    """A number for ``name`` that stays, 1 to 2^31 - 1: other systems number what we name."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest()) & _NUMBER_LIMIT or 1


def hex_of(name: str, digits: int) -> str:
    """A word of ``digits`` hexadecimal digits for ``name`` that stays."""
    return blake2b(name.encode(), digest_size=digits // 2).hexdigest()


def _says_something(now: NowState) -> bool:
    return bool(now.title) and now.kind is not ItemKind.FILL
