"""Sponsors and their campaigns: what operators write in ``schedules/sponsors.toml``.

A campaign is what a sponsor bought: a message and its audio, on some stations, within a flight of local
dates, days and dayparts, with a cap for each hour.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from radio.errors import ScheduleError, did_you_mean
from radio.log import SponsorMessage
from radio.sponsors.weektime import (
    DAYS_ALLOWED,
    NOMINAL_DAY_MS,
    TIME_ALLOWED,
    parse_days,
    parse_wall_time,
)
from radio.toml_source import TomlDocument

MAX_SPONSORS: Final = 2_000
MAX_CAMPAIGNS: Final = 5_000
ID_ALLOWED: Final = "1 to 64 lower-case letters, digits and hyphens"
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Sponsor(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays. ``image`` and ``link`` are shown with the name wherever the sponsor is named."""

    id: str
    name: str
    link: str | None = None
    image: str | None = None


class Daypart(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the local day, ``[from_ms, to_ms)`` from midnight; an earlier end is the next day's."""

    from_ms: int
    to_ms: int


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """One order line. ``flight_from`` and ``flight_to`` are local dates, both inclusive; None is open.

    ``stations`` empty means all. ``audio`` is a library path, with or without its extension. ``goal`` is how
    many airings were bought in all; breaks share their time evenly and do not stop at it.
    """

    id: str
    sponsor: str
    message: str
    audio: str
    stations: tuple[str, ...] = ()
    flight_from: date | None = None
    flight_to: date | None = None
    days: tuple[int, ...] = tuple(range(7))
    dayparts: tuple[Daypart, ...] = ()
    max_per_hour: int | None = None
    goal: int | None = None

    def is_eligible(self, station: str, local: datetime) -> bool:
        """Whether the campaign may air on ``station`` at a local time, caps aside.

        A daypart that runs over midnight belongs to the day on which it starts, and so do flight and days.
        """
        if self.stations and station not in self.stations:
            return False
        at_ms = ((local.hour * 60 + local.minute) * 60 + local.second) * 1000
        if not self.dayparts:
            return self._has_day(local.date())
        return any(self._in_daypart(part, at_ms, local.date()) for part in self.dayparts)

    def _in_daypart(self, part: Daypart, at_ms: int, day: date) -> bool:
        if part.from_ms < part.to_ms:
            return part.from_ms <= at_ms < part.to_ms and self._has_day(day)
        if at_ms >= part.from_ms:
            return self._has_day(day)
        return at_ms < part.to_ms and self._has_day(date.fromordinal(day.toordinal() - 1))

    def _has_day(self, day: date) -> bool:
        begun = self.flight_from is None or day >= self.flight_from
        over = self.flight_to is not None and day > self.flight_to
        return begun and not over and day.weekday() in self.days


class SponsorBook(msgspec.Struct, frozen=True, kw_only=True):
    """All sponsors and campaigns."""

    sponsors: dict[str, Sponsor] = {}
    campaigns: tuple[Campaign, ...] = ()

    def message(self, campaign: Campaign) -> SponsorMessage:
        """What a listener is told and shown while the campaign is on the air."""
        sponsor = self.sponsors[campaign.sponsor]
        return SponsorMessage(
            campaign=campaign.id,
            sponsor=sponsor.id,
            name=sponsor.name,
            message=campaign.message,
            link=sponsor.link,
            image=sponsor.image,
        )


class _Flight(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    from_: date | None = None
    to: date | None = None


class _DaypartText(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    from_: str
    to: str


class _CampaignText(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    sponsor: str
    message: Text
    audio: Text
    stations: tuple[str, ...] = ()
    flight: _Flight = _Flight()
    days: str = "daily"
    dayparts: tuple[_DaypartText, ...] = ()
    max_per_hour: Annotated[int, msgspec.Meta(ge=1, le=60)] | None = None
    goal: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None


class _SponsorText(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: Text
    link: Text | None = None
    image: Text | None = None


class _File(msgspec.Struct, frozen=True):
    sponsors: tuple[_SponsorText, ...] = ()
    campaigns: tuple[_CampaignText, ...] = ()


def read_sponsors(path: Path, *, stations: tuple[str, ...] | None = None) -> SponsorBook:
    """The sponsors in ``path``; none where the file does not exist.

    ``stations`` are the ids that a campaign may name; None takes any. Limits: 1 MB, 2,000 sponsors, 5,000
    campaigns. Raises ScheduleError with file, line, key and what is allowed.
    """
    if TomlDocument.is_missing(path):
        return SponsorBook()
    return sponsors_of(TomlDocument.read(path, error=ScheduleError), stations=stations)


def sponsors_of(document: TomlDocument, *, stations: tuple[str, ...] | None = None) -> SponsorBook:
    """The same of a document that was read already."""
    text = document.into(_File)
    _bound(document, "sponsors", len(text.sponsors), MAX_SPONSORS)
    _bound(document, "campaigns", len(text.campaigns), MAX_CAMPAIGNS)
    sponsors: dict[str, Sponsor] = {}
    for index, one in enumerate(text.sponsors):
        _check_id(document, ("sponsors", index, "id"), one.id, sponsors)
        sponsors[one.id] = Sponsor(id=one.id, name=one.name, link=one.link, image=one.image)
    campaigns: dict[str, Campaign] = {}
    for index, line in enumerate(text.campaigns):
        _check_id(document, ("campaigns", index, "id"), line.id, campaigns)
        campaigns[line.id] = _campaign(document, ("campaigns", index), line, sponsors, stations)
    return SponsorBook(sponsors=sponsors, campaigns=tuple(campaigns.values()))


def _campaign(
    document: TomlDocument,
    key: tuple[str | int, ...],
    line: _CampaignText,
    sponsors: dict[str, Sponsor],
    stations: tuple[str, ...] | None,
) -> Campaign:
    _check_known(document, (*key, "sponsor"), "sponsor", line.sponsor, list(sponsors))
    for station in line.stations if stations is not None else ():
        _check_known(document, (*key, "stations"), "station", station, list(stations or ()))
    flight = line.flight
    if flight.from_ and flight.to and flight.to < flight.from_:
        raise document.fault((*key, "flight"), f"ends on {flight.to}, before it starts on {flight.from_}")
    try:
        days = parse_days(line.days)
    except ValueError as fault:
        raise document.fault((*key, "days"), str(fault), allowed=DAYS_ALLOWED) from fault
    return Campaign(
        id=line.id,
        sponsor=line.sponsor,
        message=line.message,
        audio=line.audio,
        stations=line.stations,
        flight_from=flight.from_,
        flight_to=flight.to,
        days=days,
        dayparts=tuple(
            _daypart(document, (*key, "dayparts", at), part) for at, part in enumerate(line.dayparts)
        ),
        max_per_hour=line.max_per_hour,
        goal=line.goal,
    )


def _daypart(document: TomlDocument, key: tuple[str | int, ...], text: _DaypartText) -> Daypart:
    try:
        part = Daypart(from_ms=parse_wall_time(text.from_), to_ms=parse_wall_time(text.to, is_end=True))
    except ValueError as fault:
        raise document.fault(key, str(fault), allowed=TIME_ALLOWED) from fault
    if part.from_ms == part.to_ms % NOMINAL_DAY_MS and part.to_ms != NOMINAL_DAY_MS:
        raise document.fault(key, "lasts no time", allowed="an end that differs from the start")
    return part


def _check_id(document: TomlDocument, key: tuple[str | int, ...], id_: str, known: dict[str, Any]) -> None:
    if not _ID.fullmatch(id_):
        raise document.fault(key, f"{id_!r} is not an id", allowed=ID_ALLOWED)
    if id_ in known:
        raise document.fault(key, f"{id_!r} stands twice", allowed="each id once")


def _check_known(
    document: TomlDocument, key: tuple[str | int, ...], noun: str, name: str, known: list[str]
) -> None:
    if name not in known:
        problem = f"there is no {noun} {name!r}.{did_you_mean(name, known)}"
        raise document.fault(key, problem, allowed=", ".join(sorted(known)) or f"none: no {noun} is declared")


def _bound(document: TomlDocument, key: str, count: int, limit: int) -> None:
    if count > limit:
        raise document.fault((key,), f"there are {count:,}", allowed=f"at most {limit:,}")
