from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_doubles import DAY_MS, HOUR_MS, folder, inputs, item, music_library, utc_ms

from radio.errors import ScheduleError
from radio.library.items import Item
from radio.log import Anchor, ItemKind, LogRow, first_fault
from radio.schedule import Play, Schedule, compile_log, revision_of
from radio.schedule.files import schedule_of
from radio.schedule.wallclock import local_time
from radio.sponsors import Campaign, Sponsor, SponsorBook
from radio.toml_source import TomlDocument

MONDAY = utc_ms("2026-11-23 05:00")

NEWS_DAY = """
default_clock = "music"
[categories.news]
separation_min = 20
[clocks.news]
positions = [
  { at = "00:00", item = "legal-id", legal_id = true, anchor = "hard" },
  { category = "news", count = 2 },
  { rotate = ["news", "music"] },
  { at = "18:00", anchor = "hard", break = "local-1", length = "1:00", max_units = 3 },
  { at = "40:00", anchor = "soft", window = "1:00", break = "local-2", length = "0:45", max_units = 2 },
]
[clocks.music]
positions = [
  { at = "00:00", item = "legal-id", legal_id = true, anchor = "hard" },
  { rotate = ["music", "music", "idents"] },
]
[[programmes]]
id = "first-light"
title = "First Light"
clock = "news"
airs = [{ days = "mon-fri", from = "06:00", to = "10:00" }]
[[programmes]]
id = "overnight"
title = "Overnight"
clock = "music"
airs = [{ days = "daily", from = "22:30", to = "04:15:20" }]
[[programmes]]
id = "small-hours"
title = "Small Hours"
clock = "news"
layer = "special"
airs = [{ days = "sun", from = "01:30", to = "02:30" }]
"""


def schedule(text: str = NEWS_DAY) -> Schedule:
    return schedule_of(TomlDocument.parse(text, Path("wxyz.toml"), error=ScheduleError)).schedule


def book(*, sponsors: int = 4) -> SponsorBook:
    campaigns = [
        Campaign(
            id=f"c{number}",
            sponsor=f"s{number}",
            message=f"Words {number}.",
            audio=f"sponsors/sponsors-{number:03}",
        )
        for number in range(sponsors)
    ]
    named = {
        campaign.sponsor: Sponsor(id=campaign.sponsor, name=campaign.sponsor.upper())
        for campaign in campaigns
    }
    return SponsorBook(sponsors=named, campaigns=tuple(campaigns))


def breaks(rows: Sequence[LogRow]) -> dict[str, list[LogRow]]:
    found: dict[str, list[LogRow]] = {}
    for row in rows:
        if row.break_id:
            found.setdefault(row.break_id, []).append(row)
    return found


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/New_York", "2026-10-28"),
        ("America/New_York", "2027-03-10"),
        ("Europe/London", "2026-10-21"),
        ("Europe/London", "2027-03-24"),
        ("Australia/Lord_Howe", "2026-09-30"),
        ("Australia/Lord_Howe", "2027-03-31"),
    ],
)
def test_a_week_with_a_change_of_clocks_has_no_gap_and_keeps_its_legal_ids(zone: str, day: str) -> None:
    start = utc_ms(day)
    rows = compile_log(
        inputs(music_library(), schedule(), timezone=zone, sponsors=book()), start, start + 7 * DAY_MS
    )
    assert first_fault(rows) is None
    assert rows[0].starts_at_ms == start
    assert rows[-1].ends_at_ms >= start + 7 * DAY_MS
    hours = [local_time(at_ms, ZoneInfo(zone)) for at_ms in range(start, start + 7 * DAY_MS, HOUR_MS // 4)]
    due = {int(at.timestamp() * 1000) for at in hours if at.minute == 0}
    assert due - {row.starts_at_ms for row in rows if row.legal_id} <= {start}


def test_the_repeated_hour_has_its_legal_id_twice() -> None:
    rows = compile_log(
        inputs(music_library(), schedule()), utc_ms("2026-11-01 04:30"), utc_ms("2026-11-01 07:30")
    )
    ids = [row.starts_at_ms for row in rows if row.legal_id and row.starts_at_ms < utc_ms("2026-11-01 07:30")]
    assert ids == [utc_ms("2026-11-01 05:00"), utc_ms("2026-11-01 06:00"), utc_ms("2026-11-01 07:00")]


def test_hard_anchors_are_met_to_the_millisecond_and_speech_is_not_cut_for_them() -> None:
    rows = compile_log(inputs(music_library(), schedule(), sponsors=book()), MONDAY, MONDAY + 3 * DAY_MS)
    starts = {row.starts_at_ms: row for row in rows}
    for hour in range(72):
        assert starts[MONDAY + hour * HOUR_MS].legal_id or hour == 0
    for day in range(3):
        for hour in range(6, 10):
            anchored = starts[MONDAY + day * DAY_MS + hour * HOUR_MS + 18 * 60_000]
            assert (anchored.anchor, anchored.kind) == (Anchor.HARD, ItemKind.SPONSOR)
        assert starts[MONDAY + day * DAY_MS + 22 * HOUR_MS + 30 * 60_000].programme == "overnight"
    cut = [row for row in rows if row.fade_out_ms]
    assert not [row for row in cut if row.kind is ItemKind.SPEECH]
    assert len(cut) <= 3


def test_rows_sound_as_long_as_their_items_less_the_overlap() -> None:
    pool = {one.id: one for one in music_library()}
    rows = compile_log(inputs(music_library(), schedule()), MONDAY, MONDAY + DAY_MS)
    for row, after in pairwise(rows):
        if row.item is None or row.fade_out_ms:
            continue
        assert row.duration_ms == pool[row.item].air_ms - row.overlap_ms
        most = 4_000 if row.kind is after.kind is ItemKind.MUSIC else 300
        assert 0 <= row.overlap_ms <= most


def test_soft_anchors_cut_nothing_and_hold_their_window_where_items_are_short() -> None:
    text = """
    [clocks.talk]
    positions = [
      { rotate = ["news"] },
      { at = "20:00", window = "0:30", break = "one", length = "0:30", max_units = 1 },
      { at = "50:00", window = "0:30", break = "two", length = "0:30", max_units = 1 },
    ]
    """
    items = [*folder("news", 40, 20_000, 50_000), *folder("sponsors", 4, 10_000, 20_000)]
    plan = schedule("default_clock = 'talk'\n" + text)
    rows = compile_log(inputs(items, plan, sponsors=book()), MONDAY, MONDAY + DAY_MS)
    assert not [row for row in rows if row.fade_out_ms or row.item is None]
    soft = [row for row in rows if row.anchor is Anchor.SOFT]
    assert len(soft) == 48
    for row in soft:
        minute_ms = row.starts_at_ms % HOUR_MS
        assert min(abs(minute_ms - 20 * 60_000), abs(minute_ms - 50 * 60_000)) <= 30_000


def test_a_break_never_has_a_sponsor_twice_and_all_get_their_share() -> None:
    rows = compile_log(inputs(music_library(), schedule(), sponsors=book()), MONDAY, MONDAY + 2 * DAY_MS)
    delivered: dict[str, int] = {}
    for group in breaks(rows).values():
        names = [row.sponsor.sponsor for row in group if row.sponsor]
        assert len(set(names)) == len(names)
        assert sum(row.duration_ms for row in group) <= 60_000
        for name in names:
            delivered[name] = delivered.get(name, 0) + 1
    assert max(delivered.values()) - min(delivered.values()) <= 1
    assert any(row.kind is ItemKind.PROMO for group in breaks(rows).values() for row in group)


def test_programmes_and_occurrences_stand_on_their_rows() -> None:
    rows = compile_log(inputs(music_library(), schedule()), MONDAY, MONDAY + DAY_MS)
    at_seven = next(row for row in rows if row.starts_at_ms == MONDAY + 7 * HOUR_MS)
    assert (at_seven.programme, at_seven.occurrence) == ("first-light", "first-light@2026-11-23T06:00")
    assert at_seven.clock == "news"
    at_noon = next(row for row in rows if row.starts_at_ms == MONDAY + 12 * HOUR_MS)
    assert (at_noon.programme, at_noon.clock) == (None, "music")


def test_the_same_inputs_give_the_same_bytes() -> None:
    one = inputs(music_library(), schedule(), sponsors=book(), seed="a")
    other = inputs(list(reversed(music_library())), schedule(), sponsors=book(), seed="a")
    first = msgspec.json.encode(compile_log(one, MONDAY, MONDAY + DAY_MS))
    assert first == msgspec.json.encode(compile_log(one, MONDAY, MONDAY + DAY_MS))
    assert first == msgspec.json.encode(compile_log(other, MONDAY, MONDAY + DAY_MS))
    assert revision_of(one) == revision_of(other)


def test_another_seed_gives_another_order() -> None:
    one = compile_log(inputs(music_library(), schedule(), seed="a"), MONDAY, MONDAY + DAY_MS)
    other = compile_log(inputs(music_library(), schedule(), seed="b"), MONDAY, MONDAY + DAY_MS)
    assert [row.item for row in one] != [row.item for row in other]


def test_a_row_with_other_content_at_the_same_moment_has_another_id() -> None:
    plan = inputs(music_library(), schedule())
    one = compile_log(plan, MONDAY, MONDAY + HOUR_MS)
    heard = (Play(item=one[1].item or "", started_ms=one[0].starts_at_ms, title=one[1].title),)
    other = compile_log(msgspec.structs.replace(plan, history=heard), MONDAY, MONDAY + HOUR_MS)
    assert one[0].id.startswith(f"wxyz-{MONDAY}-")
    changed = [
        (a, b) for a, b in zip(one, other, strict=False) if a.starts_at_ms == b.starts_at_ms and a != b
    ]
    assert changed
    assert all(a.id != b.id for a, b in changed)


def test_compiling_on_from_any_row_keeps_the_clock() -> None:
    plan = inputs(music_library(), schedule(), sponsors=book())
    whole = compile_log(plan, MONDAY, MONDAY + 10 * HOUR_MS)
    for cut in range(5, len(whole) - 40, 7):
        kept = tuple(whole[:cut])
        history = tuple(
            Play(item=row.item or "", started_ms=row.starts_at_ms, title=row.title, category=row.category)
            for row in kept
        )
        at_ms = kept[-1].ends_at_ms
        rows = compile_log(msgspec.structs.replace(plan, kept=kept, history=history), at_ms, at_ms + HOUR_MS)
        joined = [*kept, *rows]
        assert first_fault(joined) is None
        ids = [row.starts_at_ms for row in joined if row.legal_id]
        assert len(set(ids)) == len(ids) == len({at_ms // HOUR_MS for at_ms in ids})
        names = [row.break_id for row in joined if row.break_id]
        assert len(breaks(joined)) == len([a for a, b in pairwise([*names, ""]) if a != b])


def test_an_empty_library_plays_the_bed_under_the_stations_name() -> None:
    rows = compile_log(inputs([], schedule()), MONDAY + 1, MONDAY + DAY_MS)
    assert first_fault(rows) is None
    assert {(row.kind, row.item, row.title) for row in rows} == {(ItemKind.FILL, None, "Station WXYZ")}


def test_no_schedule_puts_everything_in_rotation_with_ids_and_breaks() -> None:
    rows = compile_log(inputs(music_library(), sponsors=book()), MONDAY, MONDAY + DAY_MS)
    assert first_fault(rows) is None
    assert sum(row.legal_id for row in rows) == 24
    assert len([group for group in breaks(rows).values() if group[0].sponsor]) == 72
    assert {row.kind for row in rows} >= {ItemKind.MUSIC, ItemKind.SPEECH, ItemKind.IDENT, ItemKind.PROMO}
    alone = compile_log(inputs(folder("", 3, 200_000, 300_000)), MONDAY, MONDAY + HOUR_MS)
    assert {row.kind for row in alone} == {ItemKind.MUSIC}


def test_a_span_of_no_time_has_no_rows() -> None:
    assert compile_log(inputs(music_library()), MONDAY, MONDAY) == []


ODD_ITEMS = st.lists(
    st.builds(
        lambda number, name, air_ms: item(f"{name}/{number}.mp3", air_ms, artist="One"),
        st.integers(0, 10**6),
        st.sampled_from(["music", "news", "idents", "legal-id", "promos", "sponsors", "fill", "jazz"]),
        st.sampled_from([0, 1, 999, 1_000, 1_700, 30_000, 200_000, 3_000_000, 8_000_000]),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


@settings(max_examples=40, deadline=None)
@given(
    ODD_ITEMS,
    st.sampled_from([NEWS_DAY, ""]),
    st.integers(utc_ms("2026-10-30"), utc_ms("2026-11-03")),
    st.integers(1, 5 * HOUR_MS),
)
def test_no_library_and_no_moment_makes_a_faulty_log(
    items: list[Item], text: str, from_ms: int, length_ms: int
) -> None:
    rows = compile_log(inputs(items, schedule(text), sponsors=book()), from_ms, from_ms + length_ms)
    assert first_fault(rows) is None
    assert rows[0].starts_at_ms == from_ms
    assert rows[-1].ends_at_ms >= from_ms + length_ms
    assert all(row.reason and row.title for row in rows)


@pytest.mark.parametrize("kind", ["music", "news", "promos"])
@pytest.mark.parametrize("count", [3, 10, 50])
def test_short_items_alone_are_repeated_up_to_the_end_of_a_programme(kind: str, count: int) -> None:
    plan = schedule(
        f"""
        default_clock = "hour"
        [clocks.hour]
        positions = [{{ rotate = ["{kind}"] }}]
        [[programmes]]
        id = "early"
        title = "Early"
        airs = [{{ days = "daily", from = "00:00", to = "00:12" }}]
        """
    )
    rows = compile_log(inputs(folder(kind, count, 2_500, 3_500), plan), MONDAY, MONDAY + HOUR_MS // 5)
    bed_ms = sum(row.duration_ms for row in rows if row.item is None)
    assert bed_ms <= 3_000
    assert not any(one.item == other.item for one, other in pairwise(rows))


def test_a_special_that_is_removed_again_leaves_the_plan_as_it_was() -> None:
    plain = schedule()
    special = msgspec.structs.replace(
        plain.programmes[0], id="gala", title="Gala", layer=plain.programmes[2].layer
    )
    added = msgspec.structs.replace(plain, programmes=(*plain.programmes, special))
    removed = msgspec.structs.replace(added, programmes=added.programmes[:-1])
    before = compile_log(inputs(music_library(), plain), MONDAY, MONDAY + DAY_MS)
    with_it = compile_log(inputs(music_library(), added), MONDAY, MONDAY + DAY_MS)
    assert {row.programme for row in with_it} >= {"gala"}
    assert compile_log(inputs(music_library(), removed), MONDAY, MONDAY + DAY_MS) == before
