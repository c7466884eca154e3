from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.streaming.icy import EMPTY, IcyReader, StreamTitle, clean_title, metadata_block, title_of

TITLES = st.text(st.characters(), max_size=80) | st.text("';'\"\\ab\n\0\u202e", max_size=40)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in zip(edges, edges[1:], strict=False)]


def test_a_block_as_players_know_it():
    assert metadata_block("Artist - Title") == b"\x02StreamTitle='Artist - Title';" + b"\0" * 3
    assert metadata_block("") == b"\x01StreamTitle='';\0"


@given(TITLES)
def test_a_title_stays_inside_its_block(title):
    block = metadata_block(title)
    text = block[1:].rstrip(b"\0")
    assert len(block) == 1 + 16 * block[0]
    assert text.startswith(b"StreamTitle='")
    assert text.endswith(b"';")
    assert text[13:].count(b"';") == 1
    assert title_of(block[1:]) == clean_title(title) == clean_title(clean_title(title))
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", clean_title(title))


@pytest.mark.parametrize("character", ["a", "\u00e9", "\u20ac", "\U0001f399"])
def test_a_long_title_is_cut_between_characters(character):
    block = metadata_block("x" + character * 5000)
    cut = clean_title("x" + character * 5000)
    assert block[0] == 255
    assert len(block) == 4081
    assert set(cut[1:]) == {character}
    assert 4065 - len(cut.encode()) < len(character.encode())


def test_cleaning_keeps_what_writing_needs():
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert clean_title(f" Ra\u00efs\r\n {family}\ud800 ") == f"Ra\u00efs {family}"
    assert clean_title("Rock 'n' Roll; Part 'II'") == "Rock 'n' Roll; Part 'II'"
    assert clean_title("a';StreamUrl='http://bad") == "a\u2019;StreamUrl='http://bad"


@given(
    st.lists(st.tuples(st.binary(min_size=37, max_size=37), st.none() | TITLES), max_size=12),
    st.lists(st.integers(0, 10_000), max_size=30),
)
def test_reader_undoes_the_interleaving_however_it_is_cut(parts, cuts):
    stream = b"".join(data + (EMPTY if title is None else metadata_block(title)) for data, title in parts)
    reader = IcyReader(37)
    out = [found for piece in pieces(stream, cuts) for found in reader.feed(piece)]
    assert b"".join(found for found in out if isinstance(found, bytes)) == b"".join(data for data, _ in parts)
    expected = [
        StreamTitle(clean_title(title), 37 * (index + 1))
        for index, (_, title) in enumerate(parts)
        if title is not None
    ]
    assert [found for found in out if isinstance(found, StreamTitle)] == expected


def test_reader_without_metadata_passes_all_through():
    reader = IcyReader(None)
    assert reader.feed(b"abc") + reader.feed(b"") + reader.feed(b"d") == [b"abc", b"d"]
    assert reader.audio_bytes == 4
    with pytest.raises(ValueError, match="icy-metaint is 0"):
        IcyReader(0)


def test_titles_of_other_servers():
    assert title_of(b"StreamTitle='It's '; fine';StreamUrl='http://a/';\0\0") == "It's '; fine"
    assert title_of(b"StreamTitle='caf\xe9';") == "caf\xe9"
    assert title_of(b"StreamTitle='cut off") == "cut off"
    assert title_of(b"StreamUrl='http://a/';") is None
    assert title_of(b"") is None
