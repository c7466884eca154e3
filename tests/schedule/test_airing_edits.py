"""Edits of one airing, of it and all that follow, of the whole series: on the table, as calendars mean them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schedule_doubles import DAY_MS, utc_ms

from radio.errors import InvalidRequest, ScheduleError
from radio.schedule.airing_edits import AiringEdit, edited
from radio.schedule.files import schedule_of
from radio.schedule.occurrences import occurrences
from radio.toml_source import TomlDocument

ZONE = ZoneInfo("America/New_York")
MONDAY = utc_ms("2026-11-23 05:00")


def table(**more: Any) -> dict[str, Any]:
    """A programme at nine on working days and at four on Wednesdays, with one airing changed."""
    return {
        "id": "tides",
        "title": "Tides",
        "airs": [
            {"days": "mon-fri", "from": "09:00", "to": "10:30"},
            {"days": "wed", "from": "16:00", "to": "17:00"},
        ],
        "changes": [{"on": date(2026, 11, 27), "title": "Tides, live", "clock": "hour"}],
        **more,
    }


def edit(scope: str, starts: str, change: Any, why: str | None = None) -> AiringEdit:
    body = {"scope": scope, "starts": starts, "change": change, **({"why": why} if why else {})}
    return msgspec.json.decode(msgspec.json.encode(body), type=AiringEdit)


def airs(one: dict[str, Any], days: int = 7) -> list[str]:
    """The local starts and lengths of a week, as words."""
    bare = {key: value for key, value in one.items() if key != "clock"}
    bare["changes"] = [{k: v for k, v in each.items() if k != "clock"} for each in one.get("changes", [])]
    document = TomlDocument(Path("x"), "", {"programmes": [bare]}, ScheduleError)
    found = occurrences(schedule_of(document).schedule.programmes, ZONE, MONDAY, MONDAY + days * DAY_MS)
    return [
        f"{datetime.fromtimestamp(each.starts_at_ms / 1000, ZONE):%a %H:%M} "
        f"{(each.ends_at_ms - each.starts_at_ms) // 60_000}"
        for each in found
    ]


WEEK = ["Mon 09:00 90", "Tue 09:00 90", "Wed 09:00 90", "Wed 16:00 60", "Thu 09:00 90", "Fri 09:00 90"]


def test_one_airing_is_cancelled_moved_and_moved_again() -> None:
    assert airs(table()) == WEEK
    gone = edited(table(), edit("this", "2026-11-24T09:00", "cancel", "storm"))
    assert airs(gone) == [one for one in WEEK if not one.startswith("Tue")]
    assert gone["changes"][0] == {"on": date(2026, 11, 24), "cancel": True, "why": "storm"}
    moved = edited(table(), edit("this", "2026-11-25T16:00", {"day": "2026-11-28", "from": "12:00"}))
    assert moved["changes"][0] == {
        "on": date(2026, 11, 25), "at": "16:00", "day": date(2026, 11, 28), "from": "12:00",
    }  # fmt: skip
    assert airs(moved)[-1] == "Sat 12:00 60"
    again = edited(moved, edit("this", "2026-11-25T16:00", {"title": "Tides at four"}))
    assert airs(again) == WEEK
    assert len(again["changes"]) == 2
    assert again["airs"] == table()["airs"]


def test_an_airing_and_all_that_follow_move_and_what_was_planned_before_stays() -> None:
    later = edited(table(), edit("this_and_future", "2026-11-25T09:00", {"from": "11:00"}))
    assert airs(later) == [
        "Mon 09:00 90", "Tue 09:00 90", "Wed 11:00 90", "Wed 16:00 60", "Thu 11:00 90", "Fri 11:00 90",
    ]  # fmt: skip
    assert later["airs"][0]["last"] == date(2026, 11, 24)
    assert later["airs"][1] == {
        "days": "mon-fri", "from": "11:00", "to": "12:30", "first": date(2026, 11, 25),
    }  # fmt: skip
    assert later["changes"] == table()["changes"]  # the changed airing goes with its slot
    ended = edited(table(), edit("this_and_future", "2026-11-25T16:00", "cancel"))
    assert airs(ended) == [one for one in WEEK if "16:00" not in one]
    fewer = edited(table(), edit("this_and_future", "2026-11-25T09:00", {"days": "wed,thu"}))
    assert airs(fewer) == [one for one in WEEK if not one.startswith("Fri")]
    assert "changes" not in fewer


def test_the_whole_series_moves_with_its_changed_airings() -> None:
    early = edited(table(), edit("all", "2026-11-24T09:00", {"from": "07:00", "title": "Early Tides"}))
    assert early["title"] == "Early Tides"
    assert [one.replace("07:00", "09:00") for one in airs(early)] == WEEK
    assert early["changes"] == table()["changes"]
    gone = edited(table(), edit("all", "2026-11-25T16:00", "cancel"))
    assert len(gone["airs"]) == 1
    with pytest.raises(InvalidRequest, match="no airing"):
        edited(gone, edit("all", "2026-11-24T09:00", "cancel"))


def test_rules_that_count_go_on_counting_and_single_days_are_shared_out() -> None:
    counted = table(
        airs=[{"rule": "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=MO", "first": date(2026, 11, 9), "from": "09:00",
               "to": "10:00", "also": [date(2026, 11, 11), date(2026, 12, 1)]}],
        changes=[],
    )  # fmt: skip
    before = airs(counted, 60)
    later = edited(counted, edit("this_and_future", "2026-11-23T09:00", {"to": "09:30"}))
    assert [one.replace(" 30", " 60") for one in airs(later, 60)] == before
    assert later["airs"][1]["rule"] == "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=3"
    assert (later["airs"][0]["also"], later["airs"][1]["also"]) == ([date(2026, 11, 11)], [date(2026, 12, 1)])
    single = table(
        airs=[{"dates": [date(2026, 11, 24), date(2026, 11, 26)], "from": "09:00", "to": "10:00"}], changes=[]
    )
    split = edited(single, edit("this_and_future", "2026-11-26T09:00", {"from": "20:00"}))
    assert airs(split) == ["Tue 09:00 60", "Thu 20:00 60"]
    first = edited(single, edit("this_and_future", "2026-11-24T09:00", {"from": "20:00"}))
    assert airs(first) == ["Tue 20:00 60", "Thu 20:00 60"]
    assert len(first["airs"]) == 1


@pytest.mark.parametrize(
    ("scope", "starts", "change", "field"),
    [
        ("this", "2026-11-24T10:00", "cancel", "starts"),
        ("this", "2026-13-24T10:00", "cancel", "starts"),
        ("this", "2026-11-28T09:00", "cancel", "starts"),
        ("this", "2026-11-24T09:00", {}, "change"),
        ("this", "2026-11-24T09:00", {"days": "mon"}, "change.days"),
        ("this_and_future", "2026-11-24T09:00", {"title": "New"}, "change.title"),
        ("all", "2026-11-24T09:00", {"day": "2026-11-25"}, "change.day"),
        ("all", "2026-11-24T09:00", {"from": "7am"}, "change.from"),
        ("all", "2026-11-24T09:00", {"days": "mon", "rule": "FREQ=DAILY"}, "change"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(
    scope: str, starts: str, change: Any, field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        edited(table(), edit(scope, starts, change))
    assert caught.value.field == field


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4), st.sampled_from(["09:00", "00:00", "23:30", "12:15:30"]), st.integers(0, 5))
def test_moving_from_a_day_on_and_back_again_leaves_the_airings_as_they_were(
    day: int, to: str, changed: int
) -> None:
    old = table(
        changes=[{"on": date(2026, 11, 23 + changed), "title": "Other"}]
        if changed < 5 and changed != 2
        else []
    )
    starts = f"2026-11-{23 + day}T09:00"
    there = edited(old, edit("this_and_future", starts, {"from": to}))
    back = edited(there, edit("this_and_future", f"2026-11-{23 + day}T{to}", {"from": "09:00"}))
    assert airs(back, 21) == airs(old, 21)
    assert len(back["airs"]) == 3
    assert len(back.get("changes", [])) == len(old["changes"])
