"""Where music comes in beneath music: at the start of an ending that is known, else by the station's crossfade; and
beneath an ident, where its intro is known."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from schedule_doubles import HOUR_MS, folder, inputs, item, utc_ms

from radio.log import Anchor, ItemKind, first_fault
from radio.schedule import Schedule, compile_log
from radio.schedule.drafts import LONGEST_SEGUE_MS, SHORTEST_SEGUE_MS, intro_of, joint_of, segue_of
from radio.schedule.model import HourClock, Position

NOW = utc_ms("2026-11-23 14:00")
IDENT, MUSIC, SPEECH = ItemKind.IDENT, ItemKind.MUSIC, ItemKind.SPEECH


@pytest.mark.parametrize(
    ("left_ms", "segue_ms"),
    [(3_000, 3_000), (0, SHORTEST_SEGUE_MS), (8_000, 8_000), (LONGEST_SEGUE_MS + 1, None), (-5, None)],
)
def test_a_segue_is_what_is_left_from_the_start_of_the_ending(left_ms: int, segue_ms: int | None) -> None:
    song = item("music/song.mp3", 180_000)
    assert segue_of(song) is None
    assert segue_of(msgspec.structs.replace(song, outro_ms=song.cue_out_ms - left_ms)) == segue_ms


def test_a_joint_follows_the_ending_from_music_to_music_alone() -> None:
    assert joint_of(MUSIC, 180_000, MUSIC, 180_000, 2_000) == (500, 2_000, 4_000)
    assert joint_of(MUSIC, 180_000, MUSIC, 180_000, 2_000, 5_000) == (2_500, 5_000, 7_500)
    assert joint_of(MUSIC, 180_000, SPEECH, 180_000, 2_000, 5_000) == (0, 100, 300)
    assert joint_of(SPEECH, 180_000, MUSIC, 180_000, 2_000, 5_000) == (0, 100, 300)
    assert joint_of(MUSIC, 180_000, MUSIC, 180_000, 0, 5_000) == (0, 0, 0)
    assert joint_of(MUSIC, 8_000, MUSIC, 180_000, 2_000, 5_000).usual_ms == 2_000


def test_a_day_of_segues_meets_every_hour() -> None:
    """The last joints before an hour give as far as they can; all others are those of the endings."""
    songs = folder("music", 40, 120_000, 300_000, artists=16)
    endings = {song.id: 500 + 173 * number % 7_000 for number, song in enumerate(songs)}
    known = [msgspec.structs.replace(song, outro_ms=song.cue_out_ms - endings[song.id]) for song in songs]
    clock = HourClock(
        name="hour",
        positions=(
            Position(category="idents", at_ms=0, anchor=Anchor.HARD),
            Position(rotate=("music",)),
        ),
    )
    schedule = Schedule(clocks={"hour": clock}, default_clock="hour")
    rows = compile_log(
        inputs([*known, *folder("idents", 4, 4_000, 9_000)], schedule), NOW, NOW + 24 * HOUR_MS
    )
    assert first_fault(rows) is None
    assert sum(row.anchor is Anchor.HARD for row in rows) >= 24
    assert not any(row.kind is ItemKind.FILL for row in rows)
    joints = [
        (one.overlap_ms, endings[one.item or ""])
        for one, two in pairwise(rows)
        if one.kind is two.kind is MUSIC and not one.fade_out_ms
    ]
    assert len(joints) > 200
    assert all(ending // 2 <= overlap <= ending * 3 // 2 for overlap, ending in joints)
    for one, two in pairwise(rows):
        if one.item and not one.fade_out_ms:
            air_ms = next(
                song.air_ms for song in [*known, *folder("idents", 4, 4_000, 9_000)] if song.id == one.item
            )
            assert two.starts_at_ms == one.starts_at_ms + air_ms - one.overlap_ms


@pytest.mark.parametrize(
    ("ident_ms", "intro_ms", "over_ms"),
    [(6_000, 9_000, 3_000), (4_000, 9_000, 2_000), (6_000, 2_100, 1_600), (6_000, 800, 100), (6_000, 0, 100)],
)
def test_an_ident_is_heard_over_an_intro_of_music_that_is_known(
    ident_ms: int, intro_ms: int, over_ms: int
) -> None:
    joint = joint_of(IDENT, ident_ms, MUSIC, 180_000, 2_000, None, intro_ms)
    assert joint.usual_ms == over_ms
    assert joint.low_ms == 0
    assert joint_of(IDENT, ident_ms, SPEECH, 180_000, 2_000, None, intro_ms).usual_ms == 100
    assert joint_of(SPEECH, ident_ms, MUSIC, 180_000, 2_000, None, intro_ms).usual_ms == 100


def test_an_intro_is_counted_from_where_the_item_comes_in() -> None:
    song = msgspec.structs.replace(item("music/song.mp3", 180_000), cue_in_ms=400)
    assert intro_of(song) == 0
    known = msgspec.structs.replace(song, intro_ms=5_400)
    assert intro_of(known) == 5_000
    assert intro_of(known, skip_ms=60_000) == 0


def test_a_day_of_idents_over_intros_meets_every_hour() -> None:
    """An ident at each hour and each half hour; the log stays contiguous, and no ident covers the end of an intro."""
    songs = folder("music", 40, 120_000, 300_000, artists=16)
    intros = {song.id: 700 * number % 14_000 for number, song in enumerate(songs)}
    known = [msgspec.structs.replace(song, intro_ms=song.cue_in_ms + intros[song.id]) for song in songs]
    idents = folder("idents", 4, 4_000, 9_000)
    clock = HourClock(
        name="hour",
        positions=(
            Position(category="idents", at_ms=0, anchor=Anchor.HARD),
            Position(rotate=("music",)),
            Position(category="idents", at_ms=1_800_000, anchor=Anchor.HARD),
            Position(rotate=("music",)),
        ),
    )
    schedule = Schedule(clocks={"hour": clock}, default_clock="hour")
    rows = compile_log(inputs([*known, *idents], schedule), NOW, NOW + 24 * HOUR_MS)
    assert first_fault(rows) is None
    hard = [row for row in rows if row.anchor is Anchor.HARD]
    assert len(hard) >= 48
    assert all((row.starts_at_ms - NOW) % 1_800_000 == 0 for row in hard)
    lengths = {one.id: one.air_ms for one in [*known, *idents]}
    over = []
    for one, two in pairwise(rows):
        if one.kind is IDENT and two.kind is MUSIC:
            over.append(one.overlap_ms)
            assert one.overlap_ms <= max(300, intros[two.item or ""] - 500)
            assert one.overlap_ms <= lengths[one.item or ""] // 2
            assert one.duration_ms + one.overlap_ms == lengths[one.item or ""]
            assert not one.fade_out_ms
    assert len(over) >= 48
    assert sum(overlap_ms > 300 for overlap_ms in over) > len(over) // 2
    assert not any(row.kind is ItemKind.FILL for row in rows)
