from __future__ import annotations

from configparser import ConfigParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.errors import InvalidRequest
from radio.streaming.playlists import Entry, m3u, pls, xspf

NAMES = st.text(st.characters(), max_size=40)
ADDRESSES = st.builds(
    "https://radio.example/listen/wxyz/{}".format, st.text("abc019&<>'\"?=%;,", max_size=20)
)
ENTRIES = st.lists(st.builds(Entry, NAMES, ADDRESSES), max_size=4)
XSPF = "{http://xspf.org/ns/0/}"


@given(ENTRIES)
def test_m3u_has_two_lines_for_each_stream(entries):
    lines = m3u(entries).splitlines()
    assert lines[0] == "#EXTM3U"
    assert lines[2::2] == [entry.address for entry in entries]
    assert lines[1::2] == [f"#EXTINF:-1,{entry.line}" for entry in entries]


@given(ENTRIES)
def test_pls_reads_back_as_an_ini_file(entries):
    parser = ConfigParser(interpolation=None, delimiters="=", comment_prefixes=None)
    parser.read_string(pls(entries))
    said = parser["playlist"]
    assert said["numberofentries"] == str(len(entries))
    assert [said[f"file{n + 1}"] for n in range(len(entries))] == [entry.address for entry in entries]
    assert [said[f"title{n + 1}"].strip() for n in range(len(entries))] == [e.line.strip() for e in entries]


@given(ENTRIES)
def test_xspf_is_sound_xml_with_what_was_put_in(entries):
    root = ElementTree.fromstring(xspf(entries).encode())
    tracks = root.findall(f"{XSPF}trackList/{XSPF}track")
    assert [track.findtext(f"{XSPF}location") for track in tracks] == [entry.address for entry in entries]
    assert [track.findtext(f"{XSPF}title") for track in tracks] == [entry.line for entry in entries]


@pytest.mark.parametrize(
    "address", ["", "live.mp3", "javascript:alert(1)", "http://a b", "http://a/\nFile2=x", "http://a/\u00e9"]
)
def test_an_address_that_no_playlist_can_carry(address):
    with pytest.raises(InvalidRequest, match="is no address"):
        Entry("WXYZ", address)


def test_a_title_cannot_add_lines():
    entry = Entry("WXYZ\r\n#EXTINF:-1,evil\u2028x\0", "http://radio.example/live.mp3")
    assert m3u([entry]).count("\n") == 3
    assert pls([entry]).count("\n") == 6
