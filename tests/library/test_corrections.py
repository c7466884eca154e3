from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_items import item

from radio.errors import InvalidRequest
from radio.library.corrections import FIELDS, check_cues, checked, corrected
from radio.library.items import Item


def test_every_field_that_can_be_corrected_is_a_field_of_an_item() -> None:
    assert set(FIELDS) <= set(Item.__struct_fields__)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("title", "  Slack \u202e water\n", "Slack water"),
        ("artist", "", ""),
        ("date", "2019-03", "2019-03"),
        ("isrc", "gb-abc-19-00012", "GBABC1900012"),
        ("explicit", False, False),
        ("bpm", 120, 120.0),
        ("cue_in_ms", 0, 0),
        ("loudness_lufs", -23.5, -23.5),
        ("category", "news", "news"),
    ],
)
def test_values_are_taken_in_their_kept_form(field: str, value: object, kept: object) -> None:
    assert checked(field, value) == kept


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("title", " ", "1 to 300 characters"),
        ("title", 5, "text"),
        ("artist", "x" * 301, "300"),
        ("category", "a/b", "without `/`"),
        ("date", "March 2019", "YYYY-MM-DD"),
        ("isrc", "12", "ISRC"),
        ("explicit", "yes", "true or false"),
        ("bpm", True, "from 1 to 999"),
        ("bpm", float("nan"), "from 1 to 999"),
        ("cue_in_ms", -1, "from 0 to"),
        ("cue_in_ms", 1.5, "whole milliseconds"),
        ("content_hash", "x", "title, category"),
        ("titel", "x", "Did you mean `title`?"),
    ],
)
def test_what_cannot_be_is_told_with_its_field(field: str, value: object, allowed: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        checked(field, value)
    assert caught.value.field == field
    assert allowed in caught.value.message


def test_corrections_win_and_empty_means_none() -> None:
    measured = item("music/a", artist="Wrong", loudness_lufs=-20.0)
    shown = corrected(measured, {"artist": "Right", "album": "", "loudness_lufs": -18.0, "category": ""})
    assert (shown.artist, shown.album, shown.loudness_lufs, shown.category) == ("Right", None, -18.0, "")
    assert corrected(measured, {}) is measured
    assert corrected(measured, {"a field of a later release": 1}) == measured


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_cues_that_do_not_fit_are_left_as_measured(cue_in_ms: int, cue_out_ms: int) -> None:
    shown = corrected(item("a"), {"cue_in_ms": cue_in_ms, "cue_out_ms": cue_out_ms})
    assert 0 <= shown.cue_in_ms < shown.cue_out_ms <= shown.duration_ms
    if 0 <= cue_in_ms < cue_out_ms <= 3000:
        assert (shown.cue_in_ms, shown.cue_out_ms) == (cue_in_ms, cue_out_ms)


def test_cues_out_of_the_file_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="at most 3000"):
        check_cues(item("a", cue_out_ms=3001))
