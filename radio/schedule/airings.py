"""Which programme is on and which comes next: occurrences as listeners are told of them (pure)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from radio.log import SponsorMessage
from radio.schedule.model import Programme, Schedule
from radio.schedule.occurrences import Occurrence
from radio.schedule.timetable import timetable
from radio.sponsors.campaigns import SponsorBook
from radio.units import UtcMs


class ProgrammeAiring(msgspec.Struct, frozen=True, kw_only=True):
    """One airing of a programme, with what is shown of it. Its times are those of the air it really has."""

    id: str
    occurrence: str
    title: str
    starts_at_ms: UtcMs
    ends_at_ms: UtcMs
    host: str | None = None
    description: str | None = None
    image: str | None = None
    link: str | None = None
    supported_by: SponsorMessage | None = None


def airings(
    schedule: Schedule, sponsors: SponsorBook, station: str, zone: ZoneInfo, from_ms: int, to_ms: int
) -> list[ProgrammeAiring]:
    """All airings that touch ``[from_ms, to_ms)``, in order. Times without a programme have none.

    The first and the last are given whole where nothing pre-empts them.
    """
    margin_ms = 2 * 86_400_000
    start_ms, end_ms = from_ms - margin_ms, to_ms + margin_ms
    programmes = schedule.by_id()
    told = []
    for segment in timetable(schedule, zone, start_ms, end_ms):
        occurrence = segment.occurrence
        programme = programmes.get(occurrence.programme) if occurrence else None
        if occurrence is None or programme is None:
            continue
        if segment.starts_at_ms < to_ms and segment.ends_at_ms > from_ms:
            times = segment.starts_at_ms, segment.ends_at_ms
            told.append(_airing(programme, occurrence, times, _support(programme, sponsors, station)))
    return told


def around(
    told: Sequence[ProgrammeAiring], at_ms: int
) -> tuple[ProgrammeAiring | None, ProgrammeAiring | None]:
    """The airing that holds ``at_ms`` and the next one to start after it."""
    index = bisect_right(told, at_ms, key=lambda airing: airing.starts_at_ms)
    now = told[index - 1] if index and told[index - 1].ends_at_ms > at_ms else None
    return now, told[index] if index < len(told) else None


def _airing(
    programme: Programme, occurrence: Occurrence, times: tuple[UtcMs, UtcMs], support: SponsorMessage | None
) -> ProgrammeAiring:
    change = occurrence.change
    return ProgrammeAiring(
        id=programme.id,
        occurrence=occurrence.id,
        title=(change and change.title) or programme.title,
        starts_at_ms=times[0],
        ends_at_ms=times[1],
        host=(change and change.host) or programme.host,
        description=(change and change.description) or programme.description,
        image=programme.image,
        link=programme.link,
        supported_by=support,
    )


def _support(programme: Programme, sponsors: SponsorBook, station: str) -> SponsorMessage | None:
    """The sponsor of a programme, with the words of its campaign on the station where it has one."""
    sponsor = sponsors.sponsors.get(programme.supported_by or "")
    if sponsor is None:
        return None
    for campaign in sponsors.campaigns:
        if campaign.sponsor == sponsor.id and (not campaign.stations or station in campaign.stations):
            return sponsors.message(campaign)
    return SponsorMessage(
        campaign="",
        sponsor=sponsor.id,
        name=sponsor.name,
        message=f"{programme.title} is supported by {sponsor.name}.",
        link=sponsor.link,
        image=sponsor.image,
    )
