from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_span import NEW_YORK, SIX, item, laid, row

from radio.errors import ScheduleError
from radio.interchange.rivendell import (
    AsPlayed,
    Carts,
    ImportLine,
    LineKind,
    cart_number,
    read_import,
    reconcile,
    written_import,
)
from radio.log import LogRow
from radio.units import DurationMs, UtcMs


def line(at: str, cart: str, title: str, length: str = "00:03:00", guid: str = "") -> str:
    made = f"{at}  {cart:<15}{title:<34} {length:<8} {guid:<32}"
    assert (made[:8], made[10:25].strip(), made[25:59].strip(), made[60:68].strip()) == (
        at,
        cart,
        title,
        length.strip(),
    )
    return made


DAY = "\r\n".join(
    [
        line("06:00:00", "012345", "Legal ID", "00:00:10", "g-1"),
        line("06:00:10", "BREAK", "", "00:02:00"),
        line("06:02:10", "23456", "Möwen & Wind", "00:03:00", "g-2"),
        line("06:05:10", "", "VOICETRACK", ""),
        "",
    ]
)


def test_the_columns_are_read() -> None:
    legal, stop, music, track = read_import(DAY.encode(), "day.tfc")
    assert (legal.cart, legal.at_ms, legal.length_ms, legal.title, legal.guid, legal.line) == (
        12345,
        6 * 3_600_000,
        10_000,
        "Legal ID",
        "g-1",
        1,
    )
    assert (stop.kind, stop.length_ms) == (LineKind.BREAK, 120_000)
    assert (music.title, music.guid) == ("Möwen & Wind", "g-2")
    assert (track.kind, track.length_ms) == (LineKind.VOICETRACK, 0)
    assert read_import(DAY.encode("cp1252"), "day.tfc")[2].title == "Möwen & Wind"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (line("06:00:00", "012345", "ok") + "\nnonsense", "columns 1-8"),
        (line("06:00:00", "012345", "ok") + "\n" + line("25:00:00", "1", "late"), "columns 1-8"),
        (line("06:00:00", "012345", "ok") + "\n" + line("06:61:00", "1", "late"), "columns 1-8"),
        (line("06:00:00", "012345", "ok") + "\n" + line("06:00:00", "CART-9", "x"), "columns 11-25"),
        (line("06:00:00", "012345", "ok") + "\n" + line("06:00:00", "1234567", "x"), "columns 11-25"),
        (line("06:00:00", "012345", "ok") + "\n" + line("06:00:00", "1", "x", "3 min"), "columns 61-68"),
        (line("06:00:00", "012345", "ok") + "\n06:00:00", "columns 11-25"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(text: str, problem: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        read_import(text.encode(), "day.tfc")
    assert (caught.value.line, problem in caught.value.problem) == (2, True)


@pytest.mark.parametrize("data", [b"", b"\n \n", b"x" * 50_000_000, b"\n" * 10_001])
def test_files_that_are_none_or_too_large_are_refused(data: bytes) -> None:
    with pytest.raises(ScheduleError):
        read_import(data, "day.tfc")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ScheduleError):
        assert read_import(data, "day.tfc")


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("music/012345.wav", 12345),
        ("music/012345_001.wav", 12345),
        ("012345.flac", 12345),
        ("music/1999.mp3", 1999),
        ("music/000000.wav", None),
        ("music/tide.wav", None),
        ("music/12345678.wav", None),
    ],
)
def test_cart_numbers_are_in_the_names_of_files(path: str, number: int | None) -> None:
    assert cart_number(item(path)) == number


def test_lines_find_their_items_by_cart_then_by_title_and_length() -> None:
    legal, _, music, _ = read_import(DAY.encode(), "day.tfc")
    by_cart = item("id/012345.wav", "Something else")
    right, wrong = item("m/a.wav", "Mowen und Wind"), item("m/b.wav", "MÖWEN & wind", 179_500)
    carts = Carts([by_cart, right, wrong])
    assert (carts.find(legal), carts.find(music)) == (by_cart, wrong)
    two = Carts([item("m/a.wav", "Möwen & Wind", 100_000), item("m/b.wav", "Möwen & Wind", 200_000)])
    assert two.find(music) is None


def carts(row: LogRow) -> int | None:
    return {"item-0": 12345, "item-2": 23456}.get(row.item or "")


ROWS = laid(
    [
        {"title": "Legal ID", "length_s": 10.2},
        {"title": "Ferry", "length_s": 119.8},
        {"title": "Möwen & Wind", "length_s": 180},
        {"item": None, "title": "bed", "length_s": 2},
    ]
)


def test_what_is_written_is_read_back() -> None:
    text = written_import(ROWS, carts, NEW_YORK)
    assert text.splitlines()[0] == (
        "06:00:00  012345         Legal ID                           00:00:10 wxyz-0                          "
    )
    assert text.endswith("\r\n")
    found = read_import(text.encode(), "day.tfc")
    assert [(one.cart, one.title, one.guid) for one in found] == [
        (12345, "Legal ID", "wxyz-0"),
        (None, "Ferry", "wxyz-1"),
        (23456, "Möwen & Wind", "wxyz-2"),
    ]


def test_reconciling_gives_the_imported_ids_to_what_aired() -> None:
    played = [
        AsPlayed(
            row=one, started_ms=UtcMs(one.starts_at_ms + 1_000), played_ms=DurationMs(one.duration_ms - 2_000)
        )
        for one in ROWS
    ]
    text = reconcile(played, carts, NEW_YORK, read_import(DAY.encode(), "day.tfc"))
    first, second, third = text.splitlines()
    assert first == (
        "06:00:00 06:00:01 00:00:10 00:00:08 012345 Legal ID                           g-1                             "
    )
    assert (first[:8], first[9:17], first[18:26], first[27:35]) == (
        "06:00:00",
        "06:00:01",
        "00:00:10",
        "00:00:08",
    )
    assert (first[36:42], first[43:77].strip(), first[78:110].strip()) == ("012345", "Legal ID", "g-1")
    assert second[78:].strip() == ""
    assert third[78:].strip() == "g-2"
    assert reconcile(played, carts, NEW_YORK).splitlines()[1][78:].strip() == "wxyz-1"


def test_an_id_is_given_once_to_the_airing_that_is_nearest_and_none_that_is_far() -> None:
    imported = [
        ImportLine(
            line=number,
            kind=LineKind.CART,
            at_ms=DurationMs(hour * 3_600_000),
            length_ms=DurationMs(60_000),
            title="x",
            cart=12345,
            guid=f"g-{hour}",
        )
        for number, hour in enumerate((6, 7, 15))
    ]
    rows = [row(0, starts_at_ms=SIX + hour * 3_600_000) for hour in (1, 0, 4)]
    played = [AsPlayed(row=one, started_ms=one.starts_at_ms, played_ms=one.duration_ms) for one in rows]
    told = reconcile(played, carts, NEW_YORK, imported).splitlines()
    assert [one[78:].strip() for one in told] == ["g-7", "g-6", ""]
