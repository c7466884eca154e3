from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.library.encodings import Repaired, repaired


def read_as(text: str, meant: str, labelled: str = "latin-1") -> str:
    return text.encode(meant).decode(labelled)


def as_windows(text: str) -> str:
    """UTF-8 as a program reads it that takes everything for Windows-1252."""
    return "".join(
        chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252")
        for byte in text.encode()
    )


WORDS = ["Café", "Größe", "Dvořák", "Łódź", "Привет мир", "Ελλάδα μου", "日本語", "“Quoted” – text…", "Ærø"]


@pytest.mark.parametrize("text", WORDS)
def test_text_that_is_right_stays(text: str) -> None:
    assert repaired(text) == Repaired(text, True)


@pytest.mark.parametrize("text", WORDS)
def test_utf8_under_another_label(text: str) -> None:
    assert repaired(read_as(text, "utf-8")) == (text, True)
    assert repaired(as_windows(text)) == (text, True)
    assert repaired(as_windows(as_windows(text))) == (text, True)


@pytest.mark.parametrize(
    "text", ["Привет мир", "Чайковский: Лебединое озеро", "ПЕСНЯ О ДРУГЕ", "Океан Ельзи"]
)
def test_russian_without_a_label(text: str) -> None:
    assert repaired(read_as(text, "cp1251")) == (text, True)
    assert repaired(read_as(text, "utf-8", "cp1251")) == (text, True)


@pytest.mark.parametrize("text", ["“Quoted” – text…", "Rock’n’roll", "Škoda ™"])
def test_windows_punctuation_under_the_label_latin_1(text: str) -> None:
    assert repaired(read_as(text, "cp1252")) == (text, True)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (read_as("Мама", "cp1251"), "Ìàìà"),
        (read_as("Ελλάδα μου", "cp1253"), "ÅëëÜäá ìïõ"),
        (read_as("Группа крови", "koi8_r"), "çÒÕÐÐÁ ËÒÏ×É"),
        (read_as("cœur", "cp1252"), "cœur"),
        ("Caf\ufffd", "Caf\ufffd"),
        ("CAFÉ®", "CAFÉ®"),
        ("Ã¼ber â€ and\x9d", "Ã¼ber â€ and\x9d"),
    ],
)
def test_what_can_be_several_things_is_doubtful(text: str, kept: str) -> None:
    assert repaired(text) == (kept, False)


@pytest.mark.parametrize(
    "text", ["SÃO PAULO", "ESPAÑA…", "voilà", "Motörhead", "Björk Guðmundsdóttir", "2×4"]
)
def test_western_words_are_not_taken_for_anything_else(text: str) -> None:
    assert repaired(text) == (text, True)


@given(st.text(max_size=80))
def test_any_text_is_bounded_and_settled(text: str) -> None:
    found = repaired(text)
    assert len(found.text) <= len(text)
    if found.certain:
        assert repaired(found.text).text == found.text
