from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st
from log_span import NEW_YORK, laid, row

from radio.interchange.log_playlists import log_m3u, log_xspf
from radio.library.playlists import read
from radio.log import LogRow

NS = "{http://xspf.org/ns/0/}"
ROWS = laid(
    [
        {"title": "Tide", "artist": "The Quartet", "length_s": 61.4},
        {"item": None, "title": "WXYZ", "reason": "bed: 2.0 s were left", "length_s": 2},
        {"title": "Fog & Foam", "album": "<Bay>", "cue_in_ms": 250},
    ]
)


def place(row: LogRow) -> str | None:
    return f"/sounds/{row.item}.mp3" if row.item else None


def test_m3u_has_what_plays_with_its_length_and_time() -> None:
    assert log_m3u(ROWS, place, NEW_YORK, "WXYZ").splitlines() == [
        "#EXTM3U",
        "#PLAYLIST:WXYZ",
        "# 2026-01-12T06:00:00.000-05:00",
        "#EXTINF:61,The Quartet - Tide",
        "/sounds/item-0.mp3",
        "# 2026-01-12T06:01:01.400-05:00 WXYZ",
        "# 2026-01-12T06:01:03.400-05:00",
        "#EXTINF:60,Fog & Foam",
        "/sounds/item-2.mp3",
    ]


def test_our_reader_of_playlists_finds_the_same_in_both_forms() -> None:
    m3u = read("m3u", log_m3u(ROWS, place, NEW_YORK, "WXYZ").encode())
    assert [(one.location, one.title, one.artist) for one in m3u] == [
        ("/sounds/item-0.mp3", "Tide", "The Quartet"),
        ("/sounds/item-2.mp3", "Fog & Foam", None),
    ]
    xspf = read("xspf", log_xspf(ROWS, place, NEW_YORK, "WXYZ").encode())
    assert [(one.location, one.title, one.duration_ms) for one in xspf] == [
        ("file:///sounds/item-0.mp3", "Tide", 61_400),
        ("", "WXYZ", 2_000),
        ("file:///sounds/item-2.mp3", "Fog & Foam", 60_000),
    ]


def test_xspf_says_when_and_why() -> None:
    root = ET.fromstring(log_xspf(ROWS, place, NEW_YORK, "WXYZ").encode())
    assert root.findtext(f"{NS}date") == "2026-01-12T06:00:00.000-05:00"
    last = root.findall(f".//{NS}track")[2]
    meta = {one.get("rel"): one.text for one in last.findall(f"{NS}meta")}
    assert meta == {
        "urn:x-nextup:starts-at": "2026-01-12T06:01:03.400-05:00",
        "urn:x-nextup:kind": "music",
        "urn:x-nextup:cue-in-ms": "250",
    }
    assert (last.findtext(f"{NS}annotation"), last.findtext(f"{NS}album")) == (
        "music: least recently played",
        "<Bay>",
    )


def test_no_rows_are_an_empty_playlist() -> None:
    assert read("xspf", log_xspf([], place, NEW_YORK, "WXYZ").encode()) == []
    assert log_m3u([], place, NEW_YORK, "WXYZ") == "#EXTM3U\n#PLAYLIST:WXYZ\n"


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_words_break_either_form(title: str, path: str) -> None:
    rows = [row(1, title=title, artist=title)]
    (m3u,) = read(
        "m3u",
        log_m3u(
            rows,
            lambda _: f"/a/{path.replace(chr(0), '')}x".encode("utf-8", "replace").decode(),
            NEW_YORK,
            title,
        ).encode(),
    )
    assert m3u.location
    assert len(read("xspf", log_xspf(rows, lambda _: "/a/x", NEW_YORK, title).encode())) == 1
