from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_items import item

from radio.errors import InvalidRequest
from radio.library.playlists import FORMS, Entry, matched, read, written

ODD = [
    item("music/a.mp3", title="Night boats", artist="Ada Quay", duration_ms=61_400),
    item("music/new\nline & <b>.flac", title="]]> & <x>", artist=None),
    item("müsic/#1 100%.wav", title="Ünder - way", artist="A - B"),
    item(" led by space.mp3", title="x"),
]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_and_found_again(form: str) -> None:
    text = written(form, ODD, 'The "desk" <&>')
    assert list(matched(read(form, text.encode()), ODD).items) == ODD


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=20)


@given(st.lists(names.filter(lambda name: name.strip("./ ") != ""), unique=True, max_size=5))
def test_any_name_survives(paths: list[str]) -> None:
    items = [item(f"f/{path}", title="t", content=str(index)) for index, path in enumerate(paths)]
    for form in FORMS:
        entries = read(form, written(form, items).encode())
        assert list(matched(entries, items).items) == items


def test_paths_of_other_machines_and_relative_ones_are_found() -> None:
    places = ["D:\\radio\\audio\\music\\a.mp3", "/mnt/disk/music/a.mp3", "./music/a.mp3",
              "file:///elsewhere/audio/music/a.mp3", "music/a.mp3"]  # fmt: skip
    found = matched([Entry(location=place) for place in places], ODD)
    assert list(found.items) == [ODD[0]] * len(places)


def test_words_and_length_find_what_has_moved() -> None:
    found = matched(
        [
            Entry(location="gone.mp3", title="NIGHT BOATS", artist="ada quay", duration_ms=60_000),
            Entry(location="gone.mp3", title="Night boats", artist="Ada Quay", duration_ms=90_000),
            Entry(title="Night boats", artist="Ada Quay"),
            Entry(title="Night boats"),
            Entry(title="…"),
        ],
        ODD,
    )
    assert list(found.items) == [ODD[0], ODD[0]]
    assert [entry.duration_ms for entry in found.missing] == [90_000, None, None]


def test_m3u_of_other_programs() -> None:
    lines = (
        "\ufeff#EXTM3U",
        "#EXTINF:61,Ada Quay - Night boats",
        "x.mp3",
        "#EXTINF:-1,Café",
        "",
        "y.mp3",
        "",
    )
    data = "\r\n".join(lines).encode()
    assert read("m3u", data) == [
        Entry(location="x.mp3", title="Night boats", artist="Ada Quay", duration_ms=61_000),
        Entry(location="y.mp3", title="Café"),
    ]
    assert read("m3u", b"caf\xe9.mp3\rb.mp3\n") == [Entry(location="café.mp3"), Entry(location="b.mp3")]


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("xspf", b"<playlist"),
        ("xspf", b'<!DOCTYPE p [<!ENTITY a "aaaa">]><p>&a;</p>'),
        ("xspf", "<?xml version='1.0' encoding='utf-16'?><p/>".encode("utf-16")),
        ("jspf", b"[]"),
        ("jspf", b'{"playlist": {"track": [{"title": 5}]}}'),
        ("jspf", b"\xff"),
        ("m3u", b"x\n" * 10_001),
        ("m3u", bytes(4_000_001)),
        ("pls", b""),
    ],
)
def test_what_is_no_playlist_is_refused(form: str, data: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(form, data)
    assert caught.value.field in ("body", "format")


@given(st.sampled_from(list(FORMS)), st.binary(max_size=200))
def test_any_bytes_are_a_playlist_or_are_refused(form: str, data: bytes) -> None:
    try:
        entries = read(form, data)
    except InvalidRequest:
        return
    assert matched(entries, ODD).items == ()


def test_jspf_is_the_json_that_others_read() -> None:
    track = json.loads(written("jspf", ODD[:1]))["playlist"]["track"][0]
    assert track["location"] == ["file:///audio/music/a.mp3"]
    assert (track["title"], track["creator"], track["duration"]) == ("Night boats", "Ada Quay", 61_400)
