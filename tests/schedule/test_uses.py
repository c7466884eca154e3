from __future__ import annotations

from radio.library.items import Item
from radio.schedule.model import HourClock, Position, Schedule, default_category
from radio.schedule.uses import Use, uses
from radio.sponsors.campaigns import Campaign


def item(path: str) -> Item:
    category = path.partition("/")[0] if "/" in path else ""
    return Item(
        id=path, root="/audio/shared", path=path, size_bytes=1, mtime_ns=1, content_hash=path, title=path,
        category=category, duration_ms=3000, cue_in_ms=0, cue_out_ms=3000,
    )  # type: ignore[arg-type]  # fmt: skip


def position(**source: object) -> Position:
    return Position(at_ms=None, anchor="float", window_ms=0, **source)  # type: ignore[arg-type]


SCHEDULE = Schedule(
    categories={
        "evening": default_category("evening", folders=("music", "talk")),
        "picks": default_category("picks", folders=(), items=("music/tide",)),
        "other": default_category("other", folders=("news",)),
        "tidal": default_category("tidal", where="title:tide -path:news"),
        "spoken": default_category("spoken", folders=("news", "talk"), where="title:tide"),
    },
    clocks={
        "day": HourClock(name="day", positions=(position(item="shared/music/tide"), position(category="picks"))),
        "night": HourClock(name="night", positions=(position(rotate=("evening", "other")),), fill=("evening",)),
        "news": HourClock(name="news", positions=(position(category="other"),)),
    },
)  # fmt: skip


def test_every_place_is_named_once() -> None:
    assert uses(item("music/tide.wav"), SCHEDULE) == [
        Use("category", "evening", "folder"),
        Use("category", "music", "folder"),
        Use("category", "picks", "item"),
        Use("category", "tidal", "where"),
        Use("clock", "day", "item"),
        Use("clock", "day", "picks"),
        Use("clock", "night", "evening"),
    ]


def test_campaigns_that_pay_for_it() -> None:
    campaigns = tuple(
        Campaign(id=name, sponsor="s", message="m", audio=audio)
        for name, audio in (("a", "sponsors/ferry"), ("b", "sponsors/ferry.mp3"), ("c", "sponsors/other"))
    )
    found = uses(item("sponsors/ferry.mp3"), Schedule(), campaigns)
    assert [(use.kind, use.name) for use in found] == [
        ("category", "sponsors"), ("campaign", "a"), ("campaign", "b")
    ]  # fmt: skip


def test_a_file_in_the_root_of_an_empty_schedule_is_nowhere() -> None:
    assert uses(item("loose.wav"), Schedule()) == []
