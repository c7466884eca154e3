"""``config.toml`` as frozen values, with the environment and the command line laid over it.

Defaults stand here, beside the code: a file with one ``[[stations]]`` table of three lines is a whole
configuration. An environment variable ``NEXTUP_SERVER__PORT=8080`` sets ``server.port``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec
from msgspec import Meta

from radio.errors import ConfigurationError, did_you_mean
from radio.toml_source import TomlDocument

ENVIRONMENT_PREFIX: Final = "NEXTUP_"
TOKEN_VARIABLE: Final = "NEXTUP_TOKEN"
"""The operator's token of commands that speak to a running service; no setting."""

BITRATES_KBPS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "mp3": (64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
        "aac": (48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256),
        "opus": (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256),
    }
)
"""The bit rates that a mount may have, by its format."""

BED: Final = "bed"
"""The built-in bed's name among the rungs of a station's fallback."""

_SERVERS_ALLOWED: Final = "nats://host:port or tls://host:port, several with commas between"

Port = Annotated[int, Meta(ge=0, le=65535)]
StationId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Text = Annotated[str, Meta(max_length=300)]
Bearer = Annotated[str, Meta(pattern=r"^(fm|dab|drm|amss|hd):[0-9a-z]+(\.[0-9a-z*]+)+$", max_length=100)]


class ServerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service listens, where it keeps its data, and its limits.

    ``database`` is an SQLAlchemy URL; empty means SQLite in ``data_dir``. ``public_url`` is the address that
    listeners use, where it differs from the request's own. ``keep_addresses_days`` is how long the addresses of
    listeners are stored; 0 stores none. ``as_run_days`` is how long the files of the as-run log are kept.
    """

    host: str = "127.0.0.1"
    port: Port = 8000
    data_dir: str = "data"
    database: str = ""
    public_url: str = ""
    max_listeners: Annotated[int, Meta(ge=1, le=200_000)] = 20_000
    max_listeners_per_address: Annotated[int, Meta(ge=1, le=200_000)] = 200
    as_run_days: Annotated[int, Meta(ge=1, le=4_000)] = 400
    keep_addresses_days: Annotated[int, Meta(ge=0, le=3_650)] = 0
    max_subscribers: Annotated[int, Meta(ge=1, le=200_000)] = 50_000
    max_subscribers_per_address: Annotated[int, Meta(ge=1, le=200_000)] = 1_000
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


class NetworkConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The name over the site on which the stations appear, and the folder of its pictures.

    ``site`` chooses the page at ``/``: the stations, or the demo's article about an invented town.
    """

    name: Text = "Next Up"
    tagline: Text = ""
    pictures: str = ""
    site: Literal["stations", "demo"] = "stations"


class BusConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Where processes on several machines meet. Without ``url`` the service is alone, and needs nobody.

    ``url`` is a NATS server's, or those of several with commas between; ``credentials`` is a file that says who the
    service is there. Neither holds a secret.
    """

    url: str = ""
    credentials: str = ""

    @property
    def servers(self) -> tuple[str, ...]:
        """The servers' addresses. Raises ConfigurationError where one is none."""
        servers = tuple(address.strip() for address in self.url.split(",")) if self.url else ()
        for address in servers:
            if (problem := _server_problem(address)) is not None:
                raise ConfigurationError(problem, key="bus.url", allowed=_SERVERS_ALLOWED)
        if self.credentials and not servers:
            raise ConfigurationError("there is no bus.url that they are for", key="bus.credentials")
        return servers


class MountConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One encoded form of a station's output; the ending of its name is its format."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\.(mp3|aac|opus)$")] = "live.mp3"
    bitrate_kbps: int = 128

    @property
    def format(self) -> Literal["mp3", "aac", "opus"]:
        """What the sound is encoded as."""
        return cast(Literal["mp3", "aac", "opus"], self.name.rpartition(".")[2])


class SoundConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a station sounds. ``lead_s`` is how far ahead of the wall clock the stream is encoded.

    ``fallback`` says what is heard when an item cannot be played: a sound file of the station's own that loops, and
    last the built-in bed, which cannot run dry.
    """

    target_lufs: Annotated[float, Meta(ge=-31, le=-9)] = -16.0
    lead_s: Annotated[float, Meta(ge=2, le=30)] = 5.0
    crossfade_ms: Annotated[int, Meta(ge=0, le=10_000)] = 2_000
    silence_after_s: Annotated[float, Meta(ge=1, le=120)] = 10.0
    fallback: Annotated[tuple[str, ...], Meta(min_length=1, max_length=2)] = (BED,)


class StationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One station. Only ``id``, ``name`` and ``library`` are needed.

    ``bearers`` are the broadcasts on which it is heard as well, as RadioDNS names them (ETSI TS 103 270): for
    example ``fm:ce1.c479.09580``.
    """

    id: StationId
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    library: Annotated[tuple[str, ...], Meta(min_length=1, max_length=32)]
    tagline: Text = ""
    description: Text = ""
    genre: Text = ""
    timezone: str = "UTC"
    schedule: str = ""
    logo: str | None = None
    enabled: bool = True
    next_shows: Literal["programme", "item"] = "programme"
    bearers: Annotated[tuple[Bearer, ...], Meta(max_length=32)] = ()
    mounts: Annotated[tuple[MountConfig, ...], Meta(min_length=1, max_length=8)] = (MountConfig(),)
    sound: SoundConfig = SoundConfig()

    @property
    def zone(self) -> ZoneInfo:
        """The station's time zone."""
        return ZoneInfo(self.timezone)


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A whole configuration. Relative folders in it are below ``base``, the folder of the file."""

    stations: Annotated[tuple[StationConfig, ...], Meta(min_length=1, max_length=200)]
    server: ServerConfig = ServerConfig()
    network: NetworkConfig = NetworkConfig()
    bus: BusConfig = BusConfig()
    sponsors: str = "schedules/sponsors.toml"
    base: str = "."

    def path(self, name: str) -> Path:
        """``name`` as an absolute path, taken from the folder of the configuration where it is relative."""
        try:
            return (Path(self.base) / Path(name).expanduser()).resolve()
        except (OSError, RuntimeError, ValueError) as fault:
            raise ConfigurationError(f"{name!r} is no path: {fault}") from fault

    def schedule_of(self, station: StationConfig) -> Path:
        """The station's schedule file; it need not exist."""
        return self.path(station.schedule or f"schedules/{station.id}.toml")

    def roots_of(self, station: StationConfig) -> tuple[Path, ...]:
        """The folders whose audio the station may play."""
        return tuple(self.path(name) for name in station.library)

    @property
    def data_dir(self) -> Path:
        return self.path(self.server.data_dir)

    @property
    def database_url(self) -> str:
        """The URL of the database; SQLite in the data folder unless one is configured."""
        return self.server.database or f"sqlite:///{self.data_dir / 'nextup.db'}"


def load_config(
    path: Path,
    *,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[tuple[str, ...], Any] | None = None,
) -> Config:
    """Read ``path``, lay ``environment`` and then ``overrides`` (key path to value) over it, check it all.

    Raises ConfigurationError naming file, line, key and what is allowed.
    """
    document = TomlDocument.read(path)
    checked = msgspec.structs.replace(document.into(Config), base=str(document.path.resolve().parent))
    _check(document, checked)
    changes = _from_environment(environment or {}, checked)
    changes.update(overrides or {})
    return _with_changes(document, changes)


def _from_environment(environment: Mapping[str, str], config: Config) -> dict[tuple[str, ...], Any]:
    changes: dict[tuple[str, ...], Any] = {}
    for name, text in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX) or name == TOKEN_VARIABLE:
            continue
        key = tuple(name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__"))
        changes[key] = _environment_value(name, key, text, config)
    return changes


def _environment_value(name: str, key: tuple[str, ...], text: str, config: Config) -> Any:
    tables = {"server": config.server, "network": config.network, "bus": config.bus}
    known = [f"{table}__{field}" for table, value in tables.items() for field in value.__struct_fields__]
    current = getattr(tables.get(key[0]), key[1], None) if len(key) == 2 else None
    if current is None:
        raise ConfigurationError(
            f"is not a known setting.{did_you_mean('__'.join(key), known)}",
            file="environment",
            key=name,
            allowed=", ".join(f"{ENVIRONMENT_PREFIX}{field.upper()}" for field in known),
        )
    try:
        return msgspec.convert(text, type(current), strict=False)
    except msgspec.ValidationError as fault:
        raise ConfigurationError(
            f"is {text!r}", file="environment", key=name, allowed=type(current).__name__
        ) from fault


def _with_changes(document: TomlDocument, changes: Mapping[tuple[str, ...], Any]) -> Config:
    data: dict[str, Any] = {**document.data, "base": str(document.path.resolve().parent)}
    for key, value in changes.items():
        table = data
        for step in key[:-1]:
            table[step] = dict(table.get(step, {}))
            table = table[step]
        table[key[-1]] = value
    try:
        return msgspec.convert(data, Config, strict=True)
    except msgspec.ValidationError as fault:
        raise ConfigurationError(str(fault), file="command line or environment") from fault


def _check(document: TomlDocument, config: Config) -> None:
    ids: dict[str, int] = {}
    for index, station in enumerate(config.stations):
        where = ("stations", index)
        _check_paths(document, config, station, where)
        if station.id in ids:
            raise document.fault((*where, "id"), f"{station.id!r} is taken by station {ids[station.id] + 1}")
        ids[station.id] = index
        _check_zone(document, station, (*where, "timezone"))
        _check_mounts(document, station, where)
        _check_fallback(document, config, station, (*where, "sound", "fallback"))
    if "base" in document.data:
        raise document.fault(
            ("base",), "is not a known key", allowed="stations, server, network, bus, sponsors"
        )
    _check_bus(document, config)


def _check_bus(document: TomlDocument, config: Config) -> None:
    try:
        _ = config.bus.servers
    except ConfigurationError as fault:
        key = tuple((fault.key or "bus").split("."))
        raise document.fault(key, fault.problem, allowed=fault.allowed) from fault
    if config.bus.credentials and not config.path(config.bus.credentials).is_file():
        raise document.fault(("bus", "credentials"), f"there is no file {config.bus.credentials!r}")


def _server_problem(address: str) -> str | None:
    """What is wrong with a server's address; never with a password that stands in it."""
    try:
        parts = urlsplit(address)
        has_port = parts.port != 0
    except ValueError:
        return "is no address of a NATS server"
    if parts.username is not None or parts.password is not None:
        return "holds a user name: say in bus.credentials who the service is"
    plain = not (parts.path or parts.query or parts.fragment)
    if parts.scheme not in ("nats", "tls") or not parts.hostname or not has_port or not plain:
        return f"{address!r} is no address of a NATS server"
    return None


def _check_paths(
    document: TomlDocument, config: Config, station: StationConfig, where: tuple[str | int, ...]
) -> None:
    named = [((*where, "library", index), name) for index, name in enumerate(station.library)]
    for key, name in [*named, ((*where, "schedule"), station.schedule)]:
        try:
            config.path(name)
        except ConfigurationError as fault:
            raise document.fault(key, fault.problem) from fault


def _check_zone(document: TomlDocument, station: StationConfig, key: tuple[str | int, ...]) -> None:
    try:
        known = bool(re.fullmatch(r"[A-Za-z0-9_+\-/]+", station.timezone)) and station.zone is not None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        near = did_you_mean(station.timezone, available_timezones())
        raise document.fault(
            key,
            f"{station.timezone!r} is not a time zone.{near}",
            allowed='an IANA name such as "America/New_York"',
        )


def _check_mounts(document: TomlDocument, station: StationConfig, where: tuple[str | int, ...]) -> None:
    names: set[str] = set()
    for index, mount in enumerate(station.mounts):
        key = (*where, "mounts", index)
        if mount.name in names:
            raise document.fault(
                (*key, "name"), f"the mount {mount.name!r} stands twice in station {station.id}"
            )
        names.add(mount.name)
        if mount.bitrate_kbps not in BITRATES_KBPS[mount.format]:
            allowed = ", ".join(str(rate) for rate in BITRATES_KBPS[mount.format])
            raise document.fault((*key, "bitrate_kbps"), f"is {mount.bitrate_kbps}", allowed=allowed)


def _check_fallback(
    document: TomlDocument, config: Config, station: StationConfig, key: tuple[str | int, ...]
) -> None:
    *files, last = station.sound.fallback
    allowed = f'["{BED}"], or a sound file of 5 to 120 s and then "{BED}"'
    if last != BED:
        raise document.fault(key, f"ends in {last!r}: the station could fall silent", allowed=allowed)
    for name in files:
        if name == BED or not config.path(name).is_file():
            raise document.fault(key, f"there is no sound file {name!r}", allowed=allowed)
