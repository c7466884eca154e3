from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from log_span import NEW_YORK, laid

from radio.interchange.preview_page import length_words, preview_page
from radio.log import Anchor, LogRow
from radio.schedule.statistics import statistics

VOID = {"meta", "link", "br", "img"}


class Strict(HTMLParser):
    """Fails on a tag that is not closed in its order; keeps the texts of cells and headings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.texts: list[str] = []
        self.hours: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not {name for name, _ in attrs} & {"src", "onclick", "style"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "h1", "h2", "h3", "p"):
            self.texts.append(data)
        if self.open and self.open[-1] == "h3":
            self.hours.append(data)


def page(rows: list[LogRow], zone: ZoneInfo = NEW_YORK) -> Strict:
    text = preview_page(rows, statistics(rows, zone), zone, "WXYZ")
    parser = Strict()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    assert not re.search(r"https?://", text)
    assert "script" not in parser.tags
    return parser


def test_rows_stand_by_the_hour_with_the_stations_times_and_the_numbers_before_them() -> None:
    rows = laid(
        [
            {"title": "Legal ID", "anchor": Anchor.HARD, "programme": "first-light"},
            {"length_s": 3_600, "artist": "The Quartet"},
            {"item": None, "title": "bed", "reason": "bed: 3 s"},
        ]
    )
    shown = page(rows)
    texts = shown.texts
    assert texts[0] == "WXYZ: log preview"
    assert "Monday, 12 January 2026" in texts
    assert shown.hours == ["06:00 first-light", "07:00"]
    assert "06:00:00" in texts
    assert "The Quartet: Piece 1" in texts
    assert "Exceptions: 1 bed" in texts


def test_an_hour_that_comes_twice_is_two() -> None:
    starts = round(datetime(2026, 11, 1, 0, 30, tzinfo=NEW_YORK).timestamp() * 1000)
    rows = laid([{"length_s": 1_800} for _ in range(6)], starts)
    assert page(rows).hours == ["00:00", "01:00 EDT", "01:00 EST", "02:00"]


def test_nothing_to_show_is_a_page_too() -> None:
    assert "nothing" in page([]).texts[1]


@given(st.text(max_size=60))
def test_no_title_can_write_in_the_page(text: str) -> None:
    evil = f"{text}<script>alert(1)</script>\"'&<td>"
    page(laid([{"title": evil, "artist": evil, "reason": evil, "category": evil, "programme": evil}] * 2))


def test_lengths_in_words() -> None:
    assert [length_words(ms) for ms in (4_000, 240_000, 12_000_000, 187_200_000)] == [
        "4 s",
        "4 min",
        "3 h 20 min",
        "2 d 4 h",
    ]
