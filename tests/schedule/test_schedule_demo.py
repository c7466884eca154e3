"""The schedules of the demo stations, against items like those of the demo library."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from schedule_doubles import DAY_MS, HOUR_MS, ROOT, item, utc_ms

from radio.library.items import Item
from radio.log import ItemKind, first_fault
from radio.schedule import Inputs, Pool, StationPlan, compile_log, read_schedule
from radio.sponsors import read_sponsors

REPOSITORY = Path(__file__).parents[2]
STATIONS = ("harbor", "meridian", "lowtide")
SOUNDS = (".mp3", ".opus", ".m4a", ".ogg", ".wav", ".flac", ".aiff")
LENGTHS_MS = {
    "news": 25_000,
    "features": 52_000,
    "weather": 16_200,
    "music": 58_900,
    "talk": 12_500,
    "idents": 4_700,
    "legal-id": 4_400,
    "promos": 15_100,
    "sponsors": 11_300,
    "fill": 37_000,
    "beds": 21_400,
}


def library(station: str) -> list[Item]:
    """The demo's files with lengths near the true ones, so that nothing need be decoded."""
    found = []
    for name in (station, "shared"):
        folder = REPOSITORY / "audio_fixtures" / name
        for index, path in enumerate(sorted(folder.rglob("*"))):
            if path.suffix in SOUNDS:
                inside = path.relative_to(folder).as_posix()
                found.append(item(inside, LENGTHS_MS[inside.partition("/")[0]] + 137 * (index % 9)))
    return found


@pytest.fixture(params=STATIONS)
def demo(request: pytest.FixtureRequest) -> Inputs:
    name = str(request.param)
    pool = Pool.of(library(name), (ROOT,))
    sponsors = read_sponsors(REPOSITORY / "schedules/sponsors.toml", stations=STATIONS)
    schedule, notices = read_schedule(
        REPOSITORY / f"schedules/{name}.toml", sponsors=sponsors, pool=pool if pool.items else None
    )
    assert notices == ()
    plan = StationPlan(id=name, name=name.title(), timezone="America/New_York", roots=(ROOT,))
    return Inputs(station=plan, schedule=schedule, pool=pool, sponsors=sponsors)


def test_a_visitor_meets_a_sponsor_within_six_minutes_and_an_id_each_hour(demo: Inputs) -> None:
    start = utc_ms("2026-11-26 05:00")
    rows = compile_log(demo, start, start + DAY_MS)
    assert first_fault(rows) is None
    sponsors = [row.starts_at_ms for row in rows if row.sponsor]
    assert max(after - before for before, after in pairwise(sponsors)) <= 6 * 60_000
    assert {row.starts_at_ms for row in rows if row.legal_id} >= {
        start + hour * HOUR_MS for hour in range(24)
    }
    assert all(row.programme for row in rows)
    assert not [row for row in rows if row.fade_out_ms and row.kind is ItemKind.SPEECH]
    assert sum(row.duration_ms for row in rows if row.item is None) < 60_000


def test_every_programme_has_a_picture_a_desk_and_a_supporter(demo: Inputs) -> None:
    pictures = REPOSITORY / "audio_fixtures" / "artwork"
    for programme in demo.schedule.programmes:
        assert (pictures / (programme.image or "none")).is_file()
        assert (programme.host or "").endswith(" desk")
        assert programme.supported_by in demo.sponsors.sponsors
    for sponsor in demo.sponsors.sponsors.values():
        assert (pictures / (sponsor.image or "none")).is_file()
    assert all(demo.pool.find(campaign.audio) for campaign in demo.sponsors.campaigns)
