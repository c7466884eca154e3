from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_items import item

from radio.errors import InvalidRequest
from radio.library import query as q
from radio.library.folding import folded, sort_key, tokens
from radio.library.matching import matches
from radio.library.query import parse


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", q.All(())),
        ("Dvořák", q.Text(("dvorak",))),
        ("AC/DC", q.Text(("ac", "dc"))),
        ("O'Brien*", q.Text(("obrien",))),
        ('"Slack water"', q.Text(("slack", "water"), whole=True)),
        ("artist:quay", q.Text(("quay",), "artist")),
        ('albumartist:"Ada Quay"', q.Text(("ada", "quay"), "album_artist", True)),
        ("a b", q.All((q.Text(("a",)), q.Text(("b",))))),
        ("a OR b c", q.Any((q.Text(("a",)), q.All((q.Text(("b",)), q.Text(("c",))))))),
        ("-(a OR b)", q.Not(q.Any((q.Text(("a",)), q.Text(("b",)))))),
        ("length>=3:30", q.Compare("length", ">=", 210_000)),
        ("length<1:02:03", q.Compare("length", "<", 3_723_000)),
        ("intro:12.5", q.Compare("intro_ms", "=", 12_500)),
        ("length>5m", q.Compare("length", ">", 300_000)),
        ("bpm:120", q.Compare("bpm", "=", 120)),
        ("loudness<=-18.5", q.Compare("loudness_lufs", "<=", -18.5)),
        ("year:1990", q.Text(("1990",), "date", True)),
        ("date=1990-05", q.Text(("1990", "05"), "date", True)),
        ("date<1990-05", q.Compare("date", "<", "1990-05")),
        ("category:music", q.Same("category", "music")),
        ("isrc:gb-abc-19-00012", q.Same("isrc", "gbabc1900012")),
        ("explicit:no", q.Same("explicit", False)),
        ("measured:no", q.Same("measured", False)),
        ("missing:artist", q.Not(q.Has("artist"))),
        ("has:artwork", q.Has("artwork")),
        ("problem:clipping", q.Problem("clipping")),
        ("3:30", q.Text(("3", "30"))),
    ],
)
def test_what_is_meant(text: str, meaning: q.Query) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("artst:bach", 1, "Did you mean `artist`?"),
        ("a  bmp>120", 4, "Did you mean `bpm`?"),
        ("length>long", 8, "M:SS"),
        ("date:spring", 6, "YYYY-MM-DD"),
        ("bpm:fast", 5, "a number"),
        ("artist>bach", 1, "artist:VALUE"),
        ("artist: bach", 8, "a value is missing"),
        ('"open', 1, "not closed"),
        ("(a", 1, "`(` is not closed"),
        ("a)", 2, "closes nothing"),
        ("()", 1, "nothing in the parentheses"),
        ("OR a", 1, "both sides of OR"),
        ("a OR", 5, "both sides of OR"),
        ("- a", 1, "right after it"),
        ("-", 1, "no letter"),
        ("a !!!", 3, "no letter and no digit"),
        ("explicit:maybe", 10, "yes, no"),
        ("missing:title", 9, "artist, "),
        ("a " * 41, 81, "at most 40"),
        ("(" * 9 + "a", 9, "8 at most"),
    ],
)
def test_faults_name_the_place_and_what_is_allowed(text: str, place: int, says: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(text)
    assert caught.value.field == "q"
    assert f"At character {place}:" in caught.value.message
    assert says in caught.value.message


def test_a_search_has_a_bound() -> None:
    with pytest.raises(InvalidRequest, match="at most 500"):
        parse("a" * 501)


@given(st.text(alphabet='ab -():"<>=OR*5é\n', max_size=60) | st.text(max_size=80))
def test_any_text_is_a_query_or_is_refused_politely(text: str) -> None:
    with suppress(InvalidRequest):
        assert matches(parse(text), item("a/b")) in (True, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dvořák: Op. 95", ("dvorak", "op", "95")),
        ("Sigur Rós – Ágætis", ("sigur", "ros", "agaetis")),
        ("don't STRAẞE", ("dont", "strasse")),
        ("坂本龍一 live", ("坂", "本", "龍", "一", "live")),
        ("ﬁne Ⅳ", ("fine", "iv")),
        ("snake_case_name", ("snake", "case", "name")),
        ("🎺 …", ()),
    ],
)
def test_words_are_folded(text: str, words: tuple[str, ...]) -> None:
    assert tokens(text) == words


@given(st.text(max_size=50))
def test_folding_is_settled_and_words_are_letters_and_digits(text: str) -> None:
    assert tokens(" ".join(tokens(text))) == tokens(text)
    assert all(word.isalnum() for word in tokens(text))
    assert folded(folded(text)) == folded(text)


def test_titles_without_words_sort_last() -> None:
    assert sorted(["…", "Über", "alpha", "…!"], key=sort_key) == ["alpha", "Über", "…", "…!"]
