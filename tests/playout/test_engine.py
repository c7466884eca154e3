from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sources import EPOCH_MS, ListLog, Steady, StudioLoader, row

from radio.audio.pcm import Pcm
from radio.errors import AudioError
from radio.events import FallbackStarted, PlayoutEvent, RowCued, RowEnded, RowStarted
from radio.log import ItemKind, LogRow, Outcome
from radio.playout import Engine
from radio.units import UtcMs, samples_of

BED = 0.125


class Studio:
    """An engine on known sources, rendered flat out in blocks of any size."""

    def __init__(self, rows: list[LogRow], sound: object = None, epoch_ms: int = EPOCH_MS) -> None:
        values = {each.id: 0.5 for each in rows} if sound is None else sound
        self.log = ListLog(rows)
        self.loader = StudioLoader(lambda each: values[each.id])  # type: ignore[index]
        self.events: list[PlayoutEvent] = []
        self.engine = Engine(
            self.log,
            self.loader,
            epoch_ms=UtcMs(epoch_ms),
            station="wxyz",
            on_event=self.events.append,
            bed=lambda: Steady(BED, 1 << 40),
            patience_s=0.02,
        )

    def render_ms(self, length_ms: int, block: int = 4032) -> Pcm:
        left = samples_of(length_ms)
        blocks = []
        while left:
            n = min(block, left)
            blocks.append(self.engine.render(n))
            left -= n
        return np.concatenate(blocks)[:, 0]

    def kinds(self) -> list[str]:
        return [f"{type(event).__name__} {event.row.id}" for event in self.events]


def test_rows_sound_from_their_first_sample_to_their_last() -> None:
    studio = Studio([row("one", 0, 101), row("two", 101, 57), row("three", 158, 400)],
                    {"one": 0.5, "two": -0.25, "three": 0.75})  # fmt: skip
    sound = studio.render_ms(400, block=999)
    one, two = samples_of(101), samples_of(158)
    assert np.all(sound[:one] == 0.5)
    assert np.all(sound[one:two] == -0.25)
    assert np.all(sound[two:] == 0.75)


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 400), min_size=1, max_size=8),
    block=st.integers(100, 4800),
    joined_ms=st.integers(0, 300),
)
def test_what_is_heard_is_what_the_log_says_whatever_the_blocks(
    lengths: list[int], block: int, joined_ms: int
) -> None:
    starts = np.cumsum([0, *lengths])
    rows = [
        row(f"r{i}", int(start), length)
        for i, (start, length) in enumerate(zip(starts, lengths, strict=False))
    ]
    values = {each.id: (index + 1) / 16 for index, each in enumerate(rows)}
    joined_ms = min(joined_ms, int(starts[-1]) - 1)
    studio = Studio(rows, values, EPOCH_MS + joined_ms)
    sound = studio.render_ms(int(starts[-1]) - joined_ms, block)
    for each, start in zip(rows, starts, strict=False):
        middle = samples_of(int(start) - joined_ms + each.duration_ms) - 24
        if int(start) >= joined_ms:
            assert sound[middle] == pytest.approx(values[each.id])


def test_events_tell_each_row_in_order_with_its_log_times() -> None:
    studio = Studio([row("one", 0, 100), row("two", 100, 100), row("three", 200, 500)])
    studio.render_ms(300)
    assert studio.kinds() == [
        "RowCued one", "RowStarted one", "RowCued two", "RowStarted two", "RowEnded one",
        "RowCued three", "RowStarted three", "RowEnded two",
    ]  # fmt: skip
    ended = next(event for event in studio.events if isinstance(event, RowEnded))
    assert (ended.at_ms, ended.played_ms, ended.outcome) == (EPOCH_MS + 100, 100, Outcome.AIRED)


def test_files_are_opened_well_before_they_are_due() -> None:
    studio = Studio([row("one", 0, 4_000), row("two", 4_000, 4_000), row("three", 8_000, 4_000)])
    studio.render_ms(84)
    assert [id_ for id_, _ in studio.loader.opened] == ["one", "two"]
    assert studio.log.taken == ["one", "two"]


def test_a_start_in_the_middle_of_a_row_joins_it_there() -> None:
    studio = Studio([row("one", 0, 10_000), row("two", 10_000, 500)], epoch_ms=EPOCH_MS + 7_250)
    sound = studio.render_ms(500)
    assert studio.loader.opened[0] == ("one", 7_250)
    assert sound[-1] == 0.5
    started = studio.events[1]
    assert isinstance(started, RowStarted)
    assert started.at_ms == EPOCH_MS + 7_250


def test_a_file_that_cannot_be_opened_is_replaced_by_the_bed_and_missed() -> None:
    broken = AudioError("one.mp3", "is no audio")
    studio = Studio([row("one", 0, 1_000), row("two", 1_000, 1_000)], {"one": broken, "two": 0.5})
    sound = studio.render_ms(1_500)
    assert sound[samples_of(500)] == BED
    assert sound[-1] == pytest.approx(0.5)
    fallback = next(event for event in studio.events if isinstance(event, FallbackStarted))
    assert "is no audio" in fallback.reason
    ended = next(event for event in studio.events if isinstance(event, RowEnded))
    assert (ended.outcome, ended.played_ms) == (Outcome.MISSED, 0)
    assert "is no audio" in ended.cause


def test_a_file_that_does_not_open_in_time_is_replaced_and_closed_when_it_comes() -> None:
    studio = Studio([row("one", 0, 1_000)])
    studio.loader.never.add("one")
    assert studio.render_ms(600)[-1] == BED
    assert any(isinstance(event, FallbackStarted) for event in studio.events)


def test_a_file_that_ends_early_is_replaced_at_that_very_sample() -> None:
    short = Steady(0.5, samples_of(2_000), failed="error budget spent")
    studio = Studio([row("one", 0, 4_000), row("two", 4_000, 500)], {"one": short, "two": 0.5})
    sound = studio.render_ms(4_200)
    assert sound[samples_of(1_990)] == 0.5
    assert sound[samples_of(2_300)] == BED
    assert np.flatnonzero(np.abs(sound) < 1e-4).size < samples_of(20)
    ended = next(event for event in studio.events if isinstance(event, RowEnded))
    assert (ended.outcome, ended.played_ms, ended.cause) == (Outcome.TRUNCATED, 2_000, "error budget spent")
    assert short.closed


def test_a_shortfall_of_half_a_second_is_let_go() -> None:
    studio = Studio([row("one", 0, 2_000), row("two", 2_000, 500)],
                    {"one": Steady(0.5, samples_of(1_600)), "two": 0.5})  # fmt: skip
    studio.render_ms(2_100)
    ended = next(event for event in studio.events if isinstance(event, RowEnded))
    assert ended.outcome is Outcome.AIRED
    assert not any(isinstance(event, FallbackStarted) for event in studio.events)


def test_a_log_with_a_hole_is_bridged_by_the_bed() -> None:
    studio = Studio([row("one", 0, 300), row("two", 2_800, 500)])
    sound = studio.render_ms(3_300)
    assert sound[samples_of(1_500)] == BED
    assert sound[-1] == pytest.approx(0.5, abs=0.01)
    assert studio.kinds().count("RowStarted two") == 1


def test_an_empty_log_is_never_silent() -> None:
    studio = Studio([])
    sound = studio.render_ms(9_000)
    assert np.min(sound[samples_of(300) :]) >= BED * 0.99
    assert studio.events == []


def test_music_overlaps_music_with_equal_power_and_speech_does_not_fade_in() -> None:
    rows = [
        row("song", 0, 3_000, ItemKind.MUSIC, overlap_ms=1_000),
        row("next", 3_000, 3_000, ItemKind.MUSIC, overlap_ms=500),
        row("talk", 6_000, 1_000),
    ]
    studio = Studio(rows, {"song": 0.5, "next": 0.5, "talk": 0.25})
    sound = studio.render_ms(6_900)
    crossing = sound[samples_of(3_000) : samples_of(4_000)]
    assert crossing.max() == pytest.approx(0.5 * 2**0.5, abs=0.01)
    assert sound[samples_of(6_000) + 10] == pytest.approx(0.75, abs=0.01)


def test_closing_closes_every_file_and_ends_the_row_on_the_air() -> None:
    studio = Studio([row("one", 0, 10_000), row("two", 10_000, 500)])
    studio.render_ms(4_500)
    studio.engine.close()
    assert all(deck.closed for deck in studio.loader.decks)
    assert isinstance(studio.events[-1], RowEnded)
    assert studio.events[-1].outcome is Outcome.TRUNCATED
    assert [type(event) for event in studio.events] == [RowCued, RowStarted, RowEnded]


def test_a_row_without_an_item_is_a_bed_by_plan_and_no_fallback() -> None:
    studio = Studio([row("fill", 0, 2_000, ItemKind.FILL, item=None)])
    assert studio.render_ms(1_000)[-1] == BED
    assert not any(isinstance(event, FallbackStarted) for event in studio.events)
    assert studio.loader.opened == []
