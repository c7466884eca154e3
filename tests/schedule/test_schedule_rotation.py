from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from schedule_doubles import folder, item

from radio.library.items import Item
from radio.schedule.model import Category
from radio.schedule.rotation import Choice, PlayBook, Rotation, artist_keys
from radio.units import DurationMs

MINUTE = 60_000


def category(
    separation_min: int = 0, artist_min: int = 0, weights: dict[str, float] | None = None
) -> Category:
    return Category(
        name="music",
        folders=("music",),
        separation_ms=DurationMs(separation_min * MINUTE),
        artist_separation_ms=DurationMs(artist_min * MINUTE),
        weights=weights or {},
    )


def play(items: Sequence[Item], rules: Category, count: int, seed: str = "") -> list[Choice]:
    book = PlayBook()
    rotation = Rotation(rules, items, book, seed)
    at_ms, choices = 0, []
    for _ in range(count):
        choice = rotation.choose(at_ms)
        assert choice is not None
        choices.append(choice)
        book.note(choice.item.id, choice.item.title, choice.item.artist, at_ms)
        rotation.touch(choice.item.id)
        at_ms += choice.item.air_ms
    return choices


def test_everything_comes_up_once_before_anything_comes_twice() -> None:
    items = folder("music", 20, 120_000, 300_000)
    chosen = [choice.item.id for choice in play(items, category(), 20)]
    assert len(set(chosen)) == 20


def test_a_heavier_item_comes_up_as_much_more_often() -> None:
    items = folder("music", 12, 60_000, 60_000)
    heavy = items[0]
    rules = category(weights={heavy.path.removesuffix(".mp3"): 3.0})
    counts = Counter(choice.item.id for choice in play(items, rules, 1_400))
    others = [counts[one.id] for one in items[1:]]
    assert 2.5 < counts[heavy.id] / (sum(others) / len(others)) < 3.5


def test_separation_holds_where_there_is_enough_to_choose_from() -> None:
    items = folder("music", 60, 180_000, 240_000, artists=20)
    at_ms, last = 0, {}
    for choice in play(items, category(60, 20), 400):
        artist = choice.item.artist
        assert at_ms - last.get(artist, -(10**9)) >= 20 * MINUTE
        assert at_ms - last.get(choice.item.title, -(10**9)) >= 60 * MINUTE
        assert "relaxed" not in choice.reason
        last[artist] = last[choice.item.title] = at_ms
        at_ms += choice.item.air_ms


def test_what_is_relaxed_is_said() -> None:
    items = folder("music", 6, 2 * MINUTE, 2 * MINUTE)
    reasons = [choice.reason for choice in play(items, category(20), 12)]
    assert "not played before" in reasons[0]
    assert reasons[-1] == (
        "music: least recently played, 12 min ago; relaxed title separation to 12 min: 6 items in music"
    )


def test_artists_are_relaxed_before_titles() -> None:
    same_artist = item("music/a.mp3", MINUTE, title="One", artist="Ann")
    same_title = item("music/b.mp3", MINUTE, title="Two", artist="Ben")
    book = PlayBook()
    book.note("x", "Two", "Cid", 0)
    book.note("y", "Three", "Ann", 0)
    choice = Rotation(category(60, 60), [same_artist, same_title], book, "").choose(5 * MINUTE)
    assert choice is not None
    assert choice.item == same_artist
    assert "relaxed artist separation to 5 min" in choice.reason


def test_credits_are_taken_apart() -> None:
    assert artist_keys("Ann feat. Ben & Cid") == ["ann", "ben", "cid"]
    assert artist_keys(None) == []


@given(st.integers(1, 8), st.integers(1, 30), st.text(max_size=4))
def test_there_is_always_a_choice_and_it_is_always_the_same(size: int, count: int, seed: str) -> None:
    items = folder("music", size, 5_000, 9_000, artists=2)
    first = play(items, category(60, 60), count, seed)
    assert first == play(items, category(60, 60), count, seed)
    repeats = [one.item.id == other.item.id for one, other in zip(first, first[1:], strict=False)]
    assert not any(repeats) or size == 1


def test_nothing_is_chosen_from_nothing_or_from_what_is_too_long() -> None:
    assert Rotation(category(), [], PlayBook(), "").choose(0) is None
    assert (
        Rotation(category(), folder("music", 3, 9_000, 9_000), PlayBook(), "").choose(0, max_ms=8_999) is None
    )
