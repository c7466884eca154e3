from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from schedule_doubles import HOUR_MS, ROOT, inputs, item, utc_ms

from radio.errors import InvalidRequest
from radio.library.items import Item
from radio.schedule import Pool, Schedule, compile_log
from radio.schedule.builder import revision_of
from radio.schedule.model import HourClock, Position, default_category

START = utc_ms("2026-11-02 15:00")


def tagged(path: str, **tags: object) -> Item:
    return msgspec.structs.replace(item(path, 200_000), **tags)


ITEMS = [
    tagged("music/a.mp3", genre="Jazz", bpm=120.0),
    tagged("music/b.mp3", genre="Jazz", bpm=80.0),
    tagged("music/c.mp3", genre="Rock", bpm=140.0),
    tagged("nights/d.mp3", genre="Vocal jazz", bpm=101.0),
    tagged("nights/e.mp3"),
    tagged("d.mp3", genre="jazz"),
]


def paths(found: Sequence[Item]) -> list[str]:
    return [one.path for one in found]


@pytest.mark.parametrize(
    ("folders", "named", "where", "found"),
    [
        ((), (), "genre:jazz bpm>=100", ["music/a.mp3", "nights/d.mp3"]),
        (("music",), (), "genre:jazz", ["music/a.mp3", "music/b.mp3"]),
        (("nights", "music"), (), "bpm>=100", ["music/a.mp3", "music/c.mp3", "nights/d.mp3"]),
        ((), ("music/c", "music/a"), "genre:jazz", ["d.mp3", "music/a.mp3", "music/b.mp3", "nights/d.mp3",
                                                   "music/c.mp3"]),
        (("",), (), "jazz", ["d.mp3"]),
        ((), (), "has:isrc", []),
        ((), ("music/c",), None, ["music/c.mp3"]),
    ],
)  # fmt: skip
def test_who_belongs_to_a_category(
    folders: tuple[str, ...], named: tuple[str, ...], where: str | None, found: list[str]
) -> None:
    pool = Pool.of(ITEMS, (ROOT,))
    assert paths(pool.of_category(folders, named, where)) == found
    assert paths(pool.of_category(folders, named, where)) == found


def test_the_order_is_that_of_roots_and_paths() -> None:
    other = [msgspec.structs.replace(one, id=f"o-{one.id}", root="/library/a") for one in ITEMS]
    mixed = [*ITEMS, *other]
    wanted = Pool.of(mixed, (ROOT, "/library/a")).of_category((), (), "genre:jazz")
    assert [(one.root, one.path) for one in wanted[:5:4]] == [(ROOT, "d.mp3"), ("/library/a", "d.mp3")]
    Random(3).shuffle(mixed)
    assert Pool.of(mixed, (ROOT, "/library/a")).of_category((), (), "genre:jazz") == wanted


def test_a_search_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="Did you mean `genre`"):
        Pool.of(ITEMS, (ROOT,)).of_category((), (), "gnere:jazz")


def test_many_drafts_of_one_search_do_not_pile_up() -> None:
    pool = Pool.of(ITEMS, (ROOT,))
    for bpm in range(500):
        assert len(pool.of_category((), (), f"bpm>{bpm}")) == sum(
            bool(one.bpm and one.bpm > bpm) for one in ITEMS
        )


def jazz_schedule(where: str = "genre:jazz") -> Schedule:
    clock = HourClock(name="hour", positions=(Position(rotate=("jazz",)),))
    jazz = default_category("jazz", where=where)
    return Schedule(categories={"jazz": jazz}, clocks={"hour": clock}, default_clock="hour")


def test_a_search_fills_the_hour_with_what_it_finds() -> None:
    rows = compile_log(inputs(ITEMS, jazz_schedule()), START, START + HOUR_MS)
    aired = {row.item for row in rows if row.item}
    assert aired == {"id-music/a", "id-music/b", "id-nights/d", "id-d"}
    assert {row.category for row in rows if row.item} == {"jazz"}


def test_the_plan_is_another_when_the_search_finds_others() -> None:
    corrected = [tagged("music/a.mp3", genre="Rock", bpm=120.0), *ITEMS[1:]]
    moved = [msgspec.structs.replace(ITEMS[0], category="nights"), *ITEMS[1:]]
    slower = [tagged("music/a.mp3", genre="Jazz", bpm=119.0), *ITEMS[1:]]
    plan = revision_of(inputs(ITEMS, jazz_schedule()))
    assert revision_of(inputs(corrected, jazz_schedule())) != plan
    assert revision_of(inputs(moved, jazz_schedule())) != plan
    assert revision_of(inputs(ITEMS, jazz_schedule("genre:jazz bpm>1"))) != plan
    assert revision_of(inputs(slower, jazz_schedule())) == plan
