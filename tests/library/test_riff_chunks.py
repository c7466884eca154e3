from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from library_sounds import id3_words, tone
from mutagen.wave import WAVE
from tagged_files import bext_data, cart_data, chunk, info, with_chunks

from radio.library.bext import read_bext
from radio.library.cart import CartTimer, read_cart
from radio.library.probe import Probed, probe
from radio.library.riff import read_form
from radio.library.tag_reading import read_tags

TIMERS = b"".join(
    struct.pack("<4sI", kind, samples)
    for kind, samples in ((b"AUDs", 4800), (b"INTe", 96_000), (b"SEGs", 480_000), (b"EOD ", 528_000))
)


def test_a_cart_chunk() -> None:
    data = cart_data(
        title=b"Harbour lights",
        artist=b"The Tern Trio",
        cut_id=b"000417",
        out_cue=b"...and good night",
        start_date=b"2019/03/01",
        start_time=b"06:00:00",
        end_date=b"9999-12-31",
        end_time=b"23:59:59",
        timers=TIMERS,
        url=b"https://radio.example/417",
    )
    cart, certain = read_cart(data, 48_000) or (None, False)
    assert cart is not None
    assert certain
    assert (cart.title, cart.artist, cart.cut_id) == ("Harbour lights", "The Tern Trio", "000417")
    assert (cart.out_cue, cart.url, cart.tag_text) == (
        "...and good night",
        "https://radio.example/417",
        "<tag/>",
    )
    assert (cart.start_date, cart.start_time) == ("2019-03-01", "06:00:00")
    assert (cart.end_date, cart.end_time) == (None, "23:59:59")
    assert cart.level_reference == 32768
    assert cart.timers[0] == CartTimer("AUDs", 100)
    assert (cart.segue_ms, cart.at_ms("INTe"), cart.at_ms("EOD"), cart.at_ms("SECs")) == (
        10_000,
        2000,
        11_000,
        None,
    )


@pytest.mark.parametrize("length", [0, 3, 1000, 2047])
def test_a_short_cart_chunk_is_none(length: int) -> None:
    assert read_cart(cart_data()[:length], 48_000) is None


def test_a_cart_without_a_rate_has_no_timers() -> None:
    cart, _ = read_cart(cart_data(timers=TIMERS), 0) or (None, False)
    assert cart is not None
    assert cart.timers == ()


def test_a_bext_chunk() -> None:
    bext, certain = read_bext(bext_data()) or (None, False)
    assert bext is not None
    assert certain
    assert (bext.description, bext.originator) == ("Interview at the pier", "Harbor desk")
    assert (bext.originator_reference, bext.origination_date) == ("HD-2019-17", "2019-03-01")
    assert (bext.origination_time, bext.time_reference) == ("12:34:56", (1 << 32) + 5)
    assert (bext.loudness_lufs, bext.loudness_range_lu, bext.max_true_peak_db) == (-23.0, 7.1, -1.2)
    assert (bext.max_momentary_lufs, bext.max_short_term_lufs) == (-18.1, None)
    assert bext.umid is not None
    assert bext.umid.startswith("060a")
    assert bext.coding_history == "A=PCM,F=48000,W=16,M=stereo"


def test_an_older_bext_chunk_has_no_loudness() -> None:
    bext, _ = read_bext(bext_data(version=0)) or (None, False)
    assert bext is not None
    assert (bext.loudness_lufs, bext.umid) == (None, None)
    assert read_bext(bext_data()[:601]) is None


def test_chunks_in_a_file_and_which_one_counts(tmp_path: Path) -> None:
    file = with_chunks(
        tone(tmp_path / "a.wav"),
        chunk(b"bext", bext_data()),
        chunk(b"cart", cart_data(title=b"Of the cart", artist=b"Desk", timers=TIMERS)),
    )
    assert (read_tags(file).title, read_tags(file).artist) == ("Of the cart", "Desk")
    with_chunks(file, info(INAM=b"Of the list", IPRD=b"Album"))
    assert (read_tags(file).title, read_tags(file).artist) == ("Of the list", "Desk")
    media = WAVE(file)
    media.add_tags()
    media.tags.add(id3_words("Of ID3")["TIT2"])
    media.save()
    tags = read_tags(file)
    assert (tags.title, tags.album, tags.artist) == ("Of ID3", "Album", "Desk")
    assert tags.cart is not None
    assert tags.cart.segue_ms == 10_000
    assert tags.bext is not None
    assert tags.bext.originator == "Harbor desk"


@pytest.mark.parametrize(
    ("timers", "marks"),
    [
        ([(b"INTe", 96_000), (b"SEGs", 240_000)], (2_000, 5_000)),
        ([(b"INT ", 48_000), (b"SEG ", 144_000)], (1_000, 3_000)),
        ([(b"OUTs", 192_000)], (None, 4_000)),
        ([(b"INTe", 9_600_000), (b"SEGs", 9_600_000)], (None, None)),
    ],
)
def test_the_timers_of_a_cart_are_the_marks_of_its_item(tmp_path: Path, timers: Any, marks: Any) -> None:
    data = cart_data(timers=b"".join(struct.pack("<4sI", *timer) for timer in timers))
    file = with_chunks(tone(tmp_path / "a.wav", seconds=6.0), chunk(b"cart", data))
    found = probe(file, tmp_path)
    assert isinstance(found, Probed)
    assert (found.item.intro_ms, found.item.outro_ms) == marks
    again = probe(file, tmp_path, known=found.sound)
    assert isinstance(again, Probed)
    assert again.item == found.item


def test_encodings_of_chunks_are_mended_or_named(tmp_path: Path) -> None:
    file = with_chunks(
        tone(tmp_path / "a.wav"),
        info(INAM="Größe".encode(), IART="Größe".encode("latin-1"), IPRD="Группа крови".encode("koi8_r")),
        chunk(b"cart", cart_data(title="Мама".encode("cp1251"))),
    )
    tags = read_tags(file)
    assert (tags.title, tags.artist) == ("Größe", "Größe")
    assert tags.doubts == ("album", "cart")


def test_rf64(tmp_path: Path) -> None:
    data = tone(tmp_path / "a.wav").read_bytes()
    at = data.index(b"data")
    sound = data[at + 8 :]
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, len(sound), len(sound) // 4, 0))
    head = b"RF64" + b"\xff" * 4 + b"WAVE" + ds64
    (tmp_path / "b.wav").write_bytes(head + data[12:at] + b"data" + b"\xff" * 4 + sound + info(INAM=b"Long"))
    with (tmp_path / "b.wav").open("rb") as file:
        form = read_form(file)
    assert form is not None
    assert [part.id for part in form.chunks][-2:] == [b"data", b"LIST"]
    assert read_tags(tmp_path / "b.wav").title == "Long"


def test_aiff_text_chunks(tmp_path: Path) -> None:
    file = with_chunks(tone(tmp_path / "a.aiff"), chunk(b"NAME", b"Odd", ">"), chunk(b"AUTH", b"A desk", ">"))
    assert (read_tags(file).title, read_tags(file).artist) == ("Odd", "A desk")
