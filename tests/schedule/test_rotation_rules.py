"""Rotation's further rules, in a compiled log: what is kept, what is given up first, and that the rows say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from schedule_doubles import DAY_MS, HOUR_MS, folder, inputs, item, utc_ms, written

from radio.library.items import Item
from radio.log import LogRow, first_fault
from radio.schedule import compile_log
from radio.schedule.wallclock import local_time

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = utc_ms("2026-11-23 05:00")
MINUTE = 60_000


def songs(count: int, *, per_album: int = 5, artists: int = 0) -> list[Item]:
    return [
        msgspec.structs.replace(one, album=f"Album {index // per_album}")
        for index, one in enumerate(folder("music", count, 150_000, 250_000, artists=artists))
    ]


def rows_of(
    rules: str, items: Sequence[Item], hours: int = 24, more: str = "", artist_min: int = 0
) -> list[LogRow]:
    text = f"""
    default_clock = "hour"
    [categories.music]
    separation_min = 30
    artist_separation_min = {artist_min}
    {rules}
    [clocks.hour]
    positions = [{{ rotate = ["music"] }}]
    {more}
    """
    rows = compile_log(inputs(items, written(text)), MONDAY, MONDAY + hours * HOUR_MS)
    assert first_fault(rows) is None
    return rows


def apart(rows: Sequence[LogRow], key: str) -> int:
    """The least time between two plays of one title, artist or album, in minutes."""
    starts: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row.item is None:
            continue
        starts[getattr(row, key) or row.id].append(row.starts_at_ms)
    return min((b - a for found in starts.values() for a, b in pairwise(found)), default=DAY_MS) // MINUTE


def test_albums_keep_their_distance() -> None:
    assert apart(rows_of("", songs(60)), "album") < 60
    assert apart(rows_of("album_separation_min = 40", songs(60, per_album=3)), "album") >= 40


def test_an_item_does_not_come_back_in_the_same_hour_of_the_days_after() -> None:
    def repeats(rules: str) -> int:
        heard: dict[str, set[tuple[int, int]]] = defaultdict(set)
        count = 0
        for row in rows_of(rules, songs(432), hours=72):
            local = local_time(row.starts_at_ms, NEW_YORK)
            count += (local.toordinal() - 1, local.hour) in heard[row.item or ""]
            heard[row.item or ""].add((local.toordinal(), local.hour))
        return count

    assert repeats("") > 20
    # an item is chosen for the time at which it is planned; joints may still move it over the hour by a moment
    assert repeats("same_hour_days = 1") <= 2


def test_an_item_is_played_no_more_than_so_often_a_day() -> None:
    rows = rows_of("max_per_day = 2\nhard = ['per-day']", songs(20), hours=24)
    plays: dict[str, int] = defaultdict(int)
    for row in rows:
        plays[row.item or "bed"] += 1
    del plays["bed"]
    assert set(plays.values()) == {2}


def test_rules_are_given_up_in_their_order_and_titles_last() -> None:
    rules = "album_separation_min = 200\nsame_hour_days = 1"
    rows = rows_of(rules, songs(24, per_album=4, artists=4), hours=12, artist_min=200)
    assert apart(rows, "title") >= 30
    relaxed = [row.reason for row in rows if "relaxed" in row.reason]
    assert relaxed
    assert not [reason for reason in relaxed if "title separation" in reason]
    assert [
        reason for reason in relaxed if "artist separation to" in reason and "album separation to" in reason
    ]


def test_a_hard_rule_and_a_floor_are_never_given_up() -> None:
    few = songs(6, artists=3)
    assert apart(rows_of("", few, hours=6), "title") < 30
    assert apart(rows_of("hard = ['title']", few, hours=6), "title") >= 30
    assert apart(rows_of("title_floor_min = 25", few, hours=6), "title") >= 25


def test_what_stands_in_is_taken_before_titles_come_closer() -> None:
    text = "[categories.gold]\nfolders = ['gold']\nseparation_min = 5"
    items = [*songs(4), *[item(f"gold/{n}.mp3", 200_000, title=f"Gold {n}") for n in range(10)]]
    rows = rows_of("else = 'gold'", items, hours=6, more=text)
    assert apart([row for row in rows if (row.title or "").startswith("music")], "title") >= 30
    gold = [row for row in rows if row.title.startswith("Gold")]
    assert gold
    assert all(
        row.reason.startswith("music: nothing keeps its rules; gold: ")
        for row in gold
        if "fits" not in row.reason
    )


def test_items_air_within_their_dates_and_dayparts_and_some_never() -> None:
    more = """
    [dayparts.evening]
    days = "daily"
    from = "18:00"
    to = "02:00"
    [[item_rules]]
    items = ["music/music-000"]
    last = 2026-11-23
    [[item_rules]]
    items = ["music/music-001"]
    first = 2026-11-24
    [[item_rules]]
    where = "title:music-002"
    dayparts = ["evening"]
    [[item_rules]]
    items = ["music/music-003.mp3"]
    do_not_play = true
    """
    rows = rows_of("", songs(12), hours=48, more=more)
    at = defaultdict(list)
    for row in rows:
        at[row.title].append(local_time(row.starts_at_ms, NEW_YORK))
    assert {local.day for local in at["music-000"]} == {23}
    assert {local.day for local in at["music-001"]} == {24}
    assert at["music-002"]
    assert all(local.hour >= 18 or local.hour < 2 for local in at["music-002"])
    assert not at["music-003"]


def test_a_category_is_kept_to_its_dayparts_while_something_else_can_play() -> None:
    text = """
    default_clock = "hour"
    [dayparts.night]
    from = "22:00"
    to = "05:00"
    [categories.quiet]
    folders = ["quiet"]
    dayparts = ["night"]
    separation_min = 20
    [categories.music]
    separation_min = 20
    [clocks.hour]
    positions = [{ rotate = ["quiet", "music"] }]
    """
    items = [*songs(20), *folder("quiet", 10, 150_000, 200_000)]
    rows = compile_log(inputs(items, written(text)), MONDAY, MONDAY + DAY_MS)
    hours = {local_time(row.starts_at_ms, NEW_YORK).hour for row in rows if row.category == "quiet"}
    assert hours
    assert hours <= {22, 23, 0, 1, 2, 3, 4}


def test_a_row_says_what_was_passed_over() -> None:
    rows = rows_of("album_separation_min = 40", songs(30, per_album=10), hours=6)
    assert [row.reason for row in rows if "passed over" in row.reason and "(album" in row.reason]


@pytest.mark.parametrize(
    "rules",
    ["hard = ['title']", "max_per_day = 1\nhard = ['per-day']", "dayparts = ['never']\nhard = ['daypart']"],
)
def test_rules_that_nothing_keeps_leave_the_bed_and_a_whole_log(rules: str) -> None:
    more = "[dayparts.never]\ndays = 'wed'\nfrom = '03:00'\nto = '03:30'"
    rows = rows_of(rules, songs(2), hours=6, more=more)
    assert rows[-1].ends_at_ms >= MONDAY + 6 * HOUR_MS
    assert any(row.item is None for row in rows)
