from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_items import item

from radio.errors import InvalidRequest
from radio.library.items import Item
from radio.library.matching import matcher, matches
from radio.library.query import parse

ITEMS = [
    item("music/Dvořák – O'Brien's.mp3", artist="Dvořák", genre="Jazz; Blues", bpm=120.0, date="1990-05-17"),
    item("music/b.mp3", title="Air on the G string", artist="J. S. Bach", genre="Baroque", explicit=False),
    item("news/c.mp3", title="坂本龍一 live", genre="JAZZ", problems=("mono",), language="de"),
    item("d.mp3", title="Don't stop", album="jazz", isrc="GBABC1900012", intro_ms=12_500),
]
TERMS = (
    "jazz", "genre:jazz", "genre:ja", 'genre:"ja"', '"air on the"', "on-the", "dont", "obriens", "artist:dvorak",
    "龍", "comment:jazz", "date:1990", "year<1991", "bpm>=100", "length:3", "intro:12", "explicit:no", "has:genre",
    "missing:album", "problem:mo", "category:music", "language:de", "isrc:gb-abc-19-00012", "path:mp3", "zebra",
)  # fmt: skip

terms = st.sampled_from(TERMS)
queries = st.recursive(
    terms | terms.map("-{}".format),
    lambda parts: st.lists(parts, min_size=1, max_size=3).flatmap(
        lambda some: st.sampled_from([f"({' '.join(some)})", f"({' OR '.join(some)})"])
    ),
    max_leaves=6,
)


@given(queries)
def test_the_fast_test_is_the_same_test(text: str) -> None:
    query = parse(text)
    assert [matcher(query)(one) for one in ITEMS] == [matches(query, one) for one in ITEMS]


words = st.text(st.characters(codec="utf-8") | st.sampled_from(" '´-ßéﬁ坂"), max_size=12)


@given(wanted=words, title=words, album=words | st.none())
def test_letters_of_any_script_are_found_alike(wanted: str, title: str, album: str | None) -> None:
    one = item("a/b.mp3", title=title, album=album)
    for text in ('"' + wanted.replace('"', "") + '"', 'title:"' + wanted.replace('"', "") + '"'):
        if any(char.isalnum() for char in wanted):
            with suppress(InvalidRequest):  # letters that fold to nothing
                query = parse(text)
                assert matcher(query)(one) == matches(query, one)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("genre:jazz bpm>=100", ITEMS[:1]),
        ("genre:jazz", [ITEMS[0], ITEMS[2]]),
        ("jazz", [ITEMS[0], ITEMS[2], ITEMS[3]]),
        ("jazz -category:news", [ITEMS[0], ITEMS[3]]),
        ("bach OR title:live", ITEMS[1:3]),
    ],
)
def test_what_is_found(text: str, found: list[Item]) -> None:
    assert list(filter(matcher(parse(text)), ITEMS)) == found
