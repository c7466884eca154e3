from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.library.words import MAX_VALUES, cleaned, cleaned_all, iso_date, isrc_code, title_from_name


@pytest.mark.parametrize(
    ("stem", "title"),
    [
        ("03 - Some_title", "Some title"),
        ("03_some_title", "some title"),
        ("1-02 Second side", "Second side"),
        ("12. Twelve", "Twelve"),
        ("112 - Long list", "Long list"),
        ("07", "07"),
        ("99 Luftballons", "99 Luftballons"),
        ("7 rings", "7 rings"),
        ("1999", "1999"),
        ("24-7", "24-7"),
        ("  \n ", "Untitled"),
        ("a\nb\x1b[31m", "a b[31m"),
        ("Fête 🎺", "Fête 🎺"),
        ("\udcff\udcfe", "Untitled"),
    ],
)
def test_title_from_name(stem: str, title: str) -> None:
    assert title_from_name(stem) == title


@given(st.text(alphabet=st.characters(), max_size=700), st.integers(1, 300))
def test_cleaned_text_is_one_harmless_line(text: str, limit: int) -> None:
    line = cleaned(text, limit)
    assert len(line) <= limit
    assert line == line.strip()
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in line)
    line.encode("utf-8")


@given(st.text(max_size=60))
def test_a_title_is_never_empty(stem: str) -> None:
    assert title_from_name(stem)


def test_direction_marks_are_dropped_and_joined_emoji_stay() -> None:
    assert cleaned("safe\u202egnp.exe\u2066") == "safegnp.exe"
    assert cleaned("👩\u200d🎤") == "👩\u200d🎤"


def test_repeats_and_empty_values_go() -> None:
    assert cleaned_all(["A", " a ", "A ", "", "\0"]) == ("A", "a")
    assert len(cleaned_all(str(number) for number in range(1000))) == MAX_VALUES


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2019", "2019"),
        ("2019-03", "2019-03"),
        ("2019-03-01T12:00:00", "2019-03-01"),
        ("20190301", "2019-03-01"),
        ("2019/03/01", "2019-03-01"),
        ("01/02/2019", "2019"),
        ("2019-13-45", "2019"),
        ("March 1971", "1971"),
        ("0000", None),
        ("", None),
        ("123456789", None),
    ],
)
def test_dates(text: str, date: str | None) -> None:
    assert iso_date(text) == date


def test_recording_codes() -> None:
    assert isrc_code("gb-abc-19-00012") == "GBABC1900012"
    assert isrc_code("ISRC GBABC1900012") == "GBABC1900012"
    assert isrc_code("not one") is None
