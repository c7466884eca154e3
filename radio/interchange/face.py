"""What other services are told of a station (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from radio.config import Config, StationConfig

_NOT_IN_SERVICE = re.compile(r"[^a-z0-9]")
LONGEST_SERVICE: Final = 16
PICTURES: Final = "/media/artwork/"


class StreamFace(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of a station: its absolute address, media type and rate."""

    url: str
    mime: str
    bitrate_kbps: int


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """A station as it appears outside. ``base`` is the public address without a slash at its end, ``service`` its
    RadioDNS service identifier, ``bearers`` the broadcast signals it is also heard on (ETSI TS 103 270)."""

    id: str
    name: str
    tagline: str
    description: str
    genre: str
    zone: ZoneInfo
    base: str
    service: str
    logo: str | None
    streams: tuple[StreamFace, ...]
    bearers: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The name of the host in :attr:`base`, without a port."""
        name = self.base.partition("//")[2]
        return name.partition("]")[0].strip("[") if name.startswith("[") else name.partition(":")[0]


def faces(config: Config, base: str, mimes: Mapping[str, str]) -> dict[str, Face]:
    """The enabled stations of a configuration by id, as heard at ``base``; ``mimes`` by a mount's format."""
    shown = [station for station in config.stations if station.enabled]
    services = _services(station.id for station in shown)
    return {station.id: _face(station, base.rstrip("/"), services[station.id], mimes) for station in shown}


def picture(base: str, path: str | None) -> str | None:
    """The absolute address of a picture: one that is named by the folder of pictures, or by an address."""
    if not path:
        return None
    if path.startswith(("http://", "https://")):
        return path
    return f"{base}{path}" if path.startswith("/") else f"{base}{PICTURES}{path}"


def _face(station: StationConfig, base: str, service: str, mimes: Mapping[str, str]) -> Face:
    return Face(
        id=station.id,
        name=station.name,
        tagline=station.tagline,
        description=station.description,
        genre=station.genre,
        zone=station.zone,
        base=base,
        service=service,
        logo=picture(base, station.logo),
        streams=tuple(
            StreamFace(
                url=f"{base}/listen/{station.id}/{mount.name}",
                mime=mimes[mount.format],
                bitrate_kbps=mount.bitrate_kbps,
            )
            for mount in station.mounts
        ),
        bearers=station.bearers,
    )


def _services(ids: Iterable[str]) -> dict[str, str]:
    """A service identifier for each id: up to 16 of a-z and 0-9 (TS 103 270, 6.1.2), each only once."""
    found: dict[str, str] = {}
    for id_ in ids:
        name = _NOT_IN_SERVICE.sub("", id_)[:LONGEST_SERVICE] or "station"
        number = 1
        while name in found.values():
            number += 1
            name = f"{name[: LONGEST_SERVICE - len(str(number))]}{number}"
        found[id_] = name
    return found
