"""What holds for every library, book of campaigns and schedule: the log is whole, and nothing breaks a cap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_doubles import DAY_MS, HOUR_MS, folder, inputs, item, utc_ms, written

from radio.library.items import Item
from radio.log import LogRow, first_fault
from radio.schedule import Play, Schedule, compile_log
from radio.sponsors import Campaign, Sponsor, SponsorBook

MONDAY = utc_ms("2026-11-23 05:00")

EVERYTHING = """
default_clock = "hour"
[dayparts.evening]
from = "18:00"
to = "02:00"
[categories.music]
album_separation_min = 60
same_hour_days = 1
max_per_day = 3
dayparts = ["evening"]
hard = ["per-day", "daypart"]
else = "jazz"
[categories.jazz]
title_floor_min = 10
[[item_rules]]
where = "length>3:00"
last = 2026-11-23
[[item_rules]]
items = ["news/1"]
do_not_play = true
[clocks.hour]
fill = ["music", "jazz"]
positions = [
  { at = "00:00", anchor = "hard", episode = "talks" },
  { category = "music", count = 3 },
  { at = "20:00", anchor = "hard", stream = "network", length = "7:00" },
  { item = "news/1" },
  { at = "40:00", anchor = "hard", break = "b", length = "2:00" },
  { category = "music", count = 2 },
  { category = "jazz" },
]
[clocks.empty]
positions = [{ item = "news/1" }]
[[grid]]
days = "sat,sun"
clock = "empty"
[[programmes]]
id = "night"
title = "Night"
on_return = "resume"
on_overrun = "finish"
airs = [{ days = "daily", from = "22:00", to = "06:00" }]
[[programmes]]
id = "owl"
title = "Owl"
layer = "special"
on_repeat = "repeat"
on_gap = "join"
airs = [{ rule = "FREQ=WEEKLY;BYDAY=SU", first = 2026-01-04, from = "01:30", to = "02:30" }]
changes = [{ on = 2026-11-22, from = "23:00", to = "03:00" }]
"""

ITEMS = st.lists(
    st.builds(
        lambda number, name, air_ms: item(f"{name}/{number}.mp3", air_ms, artist="One"),
        st.integers(0, 40),
        st.sampled_from(["music", "jazz", "news", "talks", "fill", "idents"]),
        st.sampled_from([0, 1, 999, 1_000, 30_000, 200_000, 1_000_000, 8_000_000]),
    ),
    max_size=14,
    unique_by=lambda one: one.id,
)


@settings(max_examples=40, deadline=None)
@given(
    ITEMS,
    st.sampled_from([EVERYTHING, EVERYTHING.replace('"hard", ', '"soft", ').replace("resume", "slide")]),
    st.sampled_from(["America/New_York", "Australia/Lord_Howe"]),
    st.integers(utc_ms("2026-10-30"), utc_ms("2026-11-24")),
    st.integers(1, 6 * HOUR_MS),
)
def test_nothing_that_a_schedule_asks_for_makes_a_faulty_log(
    items: Sequence[Item], text: str, zone: str, from_ms: int, length_ms: int
) -> None:
    plan = inputs(items, written(text), timezone=zone)
    rows = compile_log(plan, from_ms, from_ms + length_ms)
    assert first_fault(rows) is None
    assert (rows[0].starts_at_ms, rows[-1].ends_at_ms >= from_ms + length_ms) == (from_ms, True)
    assert all(row.reason and row.title for row in rows)
    assert not [row for row in rows if row.item == "id-news/1"]
    assert msgspec.json.encode(rows) == msgspec.json.encode(compile_log(plan, from_ms, from_ms + length_ms))


BOOKS = st.lists(
    st.builds(
        lambda number, sponsor, cap, days: Campaign(
            id=f"c{number}",
            sponsor=f"s{sponsor}",
            message="Words.",
            audio=f"sponsors/sponsors-{number:03}",
            max_per_hour=cap,
            days=tuple(sorted(days)),
        ),
        st.integers(0, 7),
        st.integers(0, 3),
        st.sampled_from([None, 1, 2]),
        st.sampled_from([(0, 1, 2, 3, 4, 5, 6), (0, 2), (1,)]),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)

BREAKS = """
default_clock = "hour"
[clocks.hour]
positions = [
  { rotate = ["music"] },
  { at = "15:00", window = "3:00", break = "a", max_units = 3 },
  { at = "30:00", window = "3:00", break = "b", max_units = 2 },
  { at = "50:00", window = "3:00", break = "c", max_units = 2 },
]
"""
LIBRARY = [*folder("music", 30, 120_000, 240_000), *folder("sponsors", 8, 8_000, 18_000)]
PLAN: Schedule = written(BREAKS)


@settings(max_examples=60, deadline=None)
@given(BOOKS, st.integers(0, 2))
def test_no_book_of_campaigns_breaks_a_cap_or_puts_a_sponsor_twice_in_a_break(
    campaigns: list[Campaign], day: int
) -> None:
    from_ms = MONDAY + day * DAY_MS
    rows = compile_log(inputs(LIBRARY, PLAN, sponsors=_book(campaigns)), from_ms, from_ms + 6 * HOUR_MS)
    starts: dict[str, list[int]] = defaultdict(list)
    for group in _breaks(rows).values():
        sponsors = [row.sponsor.sponsor for row in group if row.sponsor]
        assert len(set(sponsors)) == len(sponsors)
        for row in group:
            if row.sponsor:
                starts[row.sponsor.campaign].append(row.starts_at_ms)
    for campaign in campaigns:
        aired = starts[campaign.id]
        assert not aired or day in campaign.days
        if campaign.max_per_hour is not None:
            # a break may start a little before the moment for which it was planned
            most = max(
                (sum(at <= other < at + HOUR_MS - 60_000 for other in aired) for at in aired), default=0
            )
            assert most <= campaign.max_per_hour


def test_a_message_that_was_missed_is_booked_again_before_the_others() -> None:
    campaigns = [
        Campaign(id=f"c{n}", sponsor=f"s{n}", message="Words.", audio=f"sponsors/sponsors-{n:03}")
        for n in range(6)
    ]
    heard = [
        Play(item=f"id-sponsors/sponsors-{n:03}", started_ms=MONDAY - HOUR_MS + n)  # type: ignore[arg-type]
        for n in range(6)
        if n != 4
    ]
    plan = inputs(LIBRARY, PLAN, sponsors=_book(campaigns), history=heard)
    (first, *_) = [row for row in compile_log(plan, MONDAY, MONDAY + HOUR_MS) if row.sponsor]
    assert first.sponsor is not None
    assert first.sponsor.campaign == "c4"


def test_all_campaigns_get_their_share_within_three() -> None:
    campaigns = [
        Campaign(id=f"c{n}", sponsor=f"s{n}", message="Words.", audio=f"sponsors/sponsors-{n:03}")
        for n in range(6)
    ]
    rows = compile_log(inputs(LIBRARY, PLAN, sponsors=_book(campaigns)), MONDAY, MONDAY + DAY_MS)
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.sponsor:
            counts[row.sponsor.campaign] += 1
    assert len(counts) == 6
    assert max(counts.values()) - min(counts.values()) <= 3


def _book(campaigns: Sequence[Campaign]) -> SponsorBook:
    sponsors = {one.sponsor: Sponsor(id=one.sponsor, name=one.sponsor) for one in campaigns}
    return SponsorBook(sponsors=sponsors, campaigns=tuple(campaigns))


def _breaks(rows: Sequence[LogRow]) -> dict[str, list[LogRow]]:
    found: dict[str, list[LogRow]] = defaultdict(list)
    for row in rows:
        if row.break_id:
            found[row.break_id].append(row)
    return found
