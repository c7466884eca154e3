from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sources import EPOCH_MS, Steady, StudioLoader, row

from radio.audio.pcm import Pcm
from radio.errors import AudioError, InvalidRequest, NotFound, RadioError
from radio.events import FallbackStarted, PlayoutEvent, RowEnded, RowStarted
from radio.log import Anchor, ItemKind, LogRow, Outcome, first_fault
from radio.playout import Engine
from radio.playout.decks import Decks
from radio.schedule import StationLog
from radio.schedule.moves import FADE_MS, is_bridge, is_hold
from radio.units import UtcMs, samples_of

BED = 0.125
DESK = "the evening desk"


class Studio:
    """An engine on a station's real log, with known sources; rendered flat out in blocks of 84 ms."""

    def __init__(self, rows: list[LogRow], sound: dict[str, float] | None = None, epoch_ms: int = EPOCH_MS):
        values = sound or {each.id: 0.5 for each in rows}
        self.log = StationLog("wxyz", "WXYZ")
        assert self.log.replace_from(rows[0].starts_at_ms, rows)
        self.moves: list[int] = []
        self.log.on_move = self.moves.append
        self.loader = StudioLoader(lambda each: values.get(each.id, 0.375))
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

    def ends(self) -> list[tuple[str, int, Outcome, str]]:
        return [
            (event.row.id, event.at_ms - EPOCH_MS, event.outcome, event.cause)
            for event in self.events
            if isinstance(event, RowEnded)
        ]

    def starts(self) -> list[tuple[str, int]]:
        return [
            (event.row.id, event.at_ms - EPOCH_MS) for event in self.events if isinstance(event, RowStarted)
        ]

    def all_rows(self) -> list[LogRow]:
        return list(self.log.coming(0, 1_000))


def three() -> list[LogRow]:
    return [row("one", 0, 20_000), row("two", 20_000, 4_000), row("three", 24_000, 9_000)]


def test_a_skip_is_heard_at_the_very_next_sample() -> None:
    studio = Studio(three(), {"one": 0.5, "two": -0.25, "three": 0.75})
    studio.render_ms(3_000)
    change = studio.engine.skip(DESK)
    assert change.at_ms == EPOCH_MS + 3_000
    assert change.on_air is not None
    assert change.next is not None
    assert (change.on_air.id, change.next.id) == ("two", "three")
    sound = studio.render_ms(5_000)
    fading = np.cos((np.arange(samples_of(300)) + 0.5) / samples_of(300) * np.pi / 2) * 0.5 - 0.25
    assert sound[: samples_of(300)] == pytest.approx(fading, abs=1e-4)
    assert np.all(sound[samples_of(301) : samples_of(4_000)] == -0.25)
    assert np.all(sound[samples_of(4_000) :] == 0.75)
    assert studio.ends()[0] == ("one", 3_000, Outcome.SKIPPED, f"skipped by {DESK}")
    assert studio.ends()[1][2] is Outcome.AIRED
    assert studio.starts() == [("one", 0), ("two", 3_000), ("three", 7_000)]
    assert studio.moves == [EPOCH_MS]
    ended = next(event for event in studio.events if isinstance(event, RowEnded))
    assert (ended.played_ms, ended.row.ends_at_ms) == (3_000, EPOCH_MS + 3_000)


def test_a_skip_uses_the_file_that_is_open_already() -> None:
    studio = Studio(three())
    studio.render_ms(84)
    assert [id_ for id_, _ in studio.loader.opened] == ["one", "two"]
    studio.render_ms(15_000)
    assert [id_ for id_, _ in studio.loader.opened] == ["one", "two", "three"]
    studio.engine.skip(DESK)
    studio.engine.skip(DESK)
    assert [id_ for id_, _ in studio.loader.opened] == ["one", "two", "three"]
    studio.render_ms(1_000)
    assert [deck.closed for deck in studio.loader.decks] == [True, True, False]


def test_a_skip_does_not_wait_for_a_slow_disk() -> None:
    """Each open takes longer than the engine has patience; the file of the next row is open before it is needed."""
    slow_s, opened = 0.3, threading.Semaphore(0)

    class SlowDisk(StudioLoader):
        def open(self, each: LogRow, seek_ms: int) -> Future[Any]:
            ready, answer = super().open(each, seek_ms), Future[Any]()

            def come() -> None:
                answer.set_result(ready.result())
                opened.release()

            threading.Timer(0 if each.id == "one" else slow_s, come).start()
            return answer

    studio = Studio(three())
    studio.engine._decks = Decks(SlowDisk(lambda each: 0.5))
    studio.render_ms(84)
    for _ in range(2):
        assert opened.acquire(timeout=5)
    began_s = time.monotonic()
    studio.engine.skip(DESK)
    studio.render_ms(84)
    assert time.monotonic() - began_s < slow_s
    assert not studio.engine.on_bed
    assert studio.starts()[-1] == ("two", 84)
    assert opened.acquire(timeout=5)
    studio.engine.skip(DESK)
    studio.render_ms(84)
    assert not studio.engine.on_bed
    assert not any(isinstance(event, FallbackStarted) for event in studio.events)


def test_the_file_of_a_skip_is_kept_open_only_as_long_as_its_row_is_next() -> None:
    studio = Studio(three())
    studio.render_ms(84)
    rows = [row("other", 20_000, 4_000), row("three", 24_000, 9_000)]
    assert studio.log.replace_from(EPOCH_MS + 20_000, rows)
    studio.render_ms(84)
    assert [id_ for id_, _ in studio.loader.opened] == ["one", "two", "other"]
    assert [deck.closed for deck in studio.loader.decks] == [False, True, False]
    studio.engine.close()
    assert all(deck.closed for deck in studio.loader.decks)


def test_a_file_that_could_not_be_opened_for_a_skip_is_tried_again_when_its_row_is_due() -> None:
    studio = Studio(three())
    opened = studio.loader.open
    failures = [AudioError("two.mp3", "busy")]

    def once_busy(each: LogRow, seek_ms: int) -> Any:
        if each.id == "two" and failures:
            studio.loader.sound, sound = lambda _: failures.pop(), studio.loader.sound
            future = opened(each, seek_ms)
            studio.loader.sound = sound
            return future
        return opened(each, seek_ms)

    studio.loader.open = once_busy  # type: ignore[method-assign]
    studio.render_ms(21_000)
    assert [id_ for id_, _ in studio.loader.opened].count("two") == 2
    assert studio.ends() == [("one", 20_000, Outcome.AIRED, "as planned")]
    assert not studio.engine.on_bed


def test_music_comes_in_beneath_skipped_music_with_equal_power() -> None:
    rows = [row("song", 0, 20_000, ItemKind.MUSIC), row("next", 20_000, 9_000, ItemKind.MUSIC)]
    studio = Studio(rows)
    studio.render_ms(1_008)
    studio.engine.skip(DESK, fade_ms=1_000)
    crossing = studio.render_ms(1_000)
    assert crossing.max() == pytest.approx(0.5 * 2**0.5, abs=0.01)
    assert crossing[0] == pytest.approx(0.5, abs=0.01)
    assert crossing[-1] == pytest.approx(0.5, abs=0.01)


def test_many_skips_at_once_go_through_row_after_row_and_each_ends_once() -> None:
    rows = [row(f"r{i}", i * 10_000, 10_000) for i in range(6)]
    studio = Studio(rows)
    studio.render_ms(840)
    for _ in range(3):
        studio.engine.skip(DESK)
    studio.render_ms(2_000)
    assert studio.starts() == [("r0", 0), ("r3", 840)]
    assert [(id_, outcome) for id_, _, outcome, _ in studio.ends()] == [
        ("r1", Outcome.SKIPPED), ("r2", Outcome.SKIPPED), ("r0", Outcome.SKIPPED),
    ]  # fmt: skip
    opened = [deck for deck in studio.loader.decks if not deck.closed]
    assert len(opened) == 2, "the one on the air, and the one that the next skip needs"


def test_before_a_hard_row_the_bed_bridges_until_the_log_is_compiled_anew() -> None:
    rows = [row("one", 0, 30_000), row("news", 30_000, 5_000, anchor=Anchor.HARD)]
    studio = Studio(rows, {"one": 0.5, "news": 0.75, "late": -0.25})
    studio.render_ms(2_016)
    studio.engine.skip(DESK)
    assert studio.render_ms(1_008)[-1] == BED
    bridge = studio.log.bridge(EPOCH_MS + 3_000)
    assert bridge is not None
    assert studio.log.frontier_ms == bridge.ends_at_ms
    late = row("late", 3_500, 26_500)
    assert not studio.log.replace_from(EPOCH_MS + 3_000, [row("soon", 3_000, 27_000), rows[1]])
    assert studio.log.replace_from(late.starts_at_ms, [late, rows[1]])
    sound = studio.render_ms(28_000)
    assert sound[samples_of(470)] == BED
    assert sound[samples_of(3_500 - 3_024) + samples_of(260)] == pytest.approx(-0.25)
    assert sound[samples_of(30_000 - 3_024) + 10] == pytest.approx(0.75, abs=0.01)
    assert studio.starts()[-2:] == [("late", 3_500), ("news", 30_000)]
    assert [outcome for _, _, outcome, _ in studio.ends()] == [Outcome.SKIPPED, Outcome.AIRED, Outcome.AIRED]
    assert first_fault(studio.all_rows()) is None


def test_an_item_is_put_in_at_once_or_after_the_row_on_the_air() -> None:
    studio = Studio(three(), {"one": 0.5, "two": -0.25, "three": 0.75})
    studio.render_ms(1_008)
    now = studio.engine.insert(row("message", 0, 2_000), "now", DESK)
    assert [now.on_air and now.on_air.id, now.next and now.next.id] == ["message", "two"]
    later = studio.engine.insert(row("weather", 0, 3_000), "next", DESK)
    assert [later.on_air and later.on_air.id, later.next and later.next.id] == ["message", "weather"]
    studio.render_ms(9_000)
    assert (
        studio.starts()
        == [("one", 0), ("message", 1_008), ("weather", 3_008), ("two", 6_008), ("three", 10_008)][:4]
    )
    assert studio.ends()[0] == ("one", 1_008, Outcome.TRUNCATED, f"ended for an item put in by {DESK}")
    with pytest.raises(InvalidRequest):
        Studio([three()[0], row("hard", 20_000, 500, anchor=Anchor.HARD)]).engine.insert(
            row("message", 0, 2_000), "next", DESK
        )


def test_a_hold_lasts_until_it_is_resumed() -> None:
    studio = Studio(three(), {"one": 0.5, "two": -0.25, "three": 0.75})
    studio.render_ms(17_976)
    assert studio.log.frontier_ms == EPOCH_MS + 24_000
    change = studio.engine.hold(DESK)
    assert change.on_air is not None
    assert change.next is not None
    assert change.on_air.id == "one"
    assert is_hold(change.next)
    assert studio.log.frontier_ms == change.next.ends_at_ms
    assert studio.render_ms(30_024)[-1] == BED
    resumed = studio.engine.resume(DESK)
    assert resumed.on_air is not None
    assert resumed.on_air.id == "two"
    sound = studio.render_ms(1_000)
    assert sound[-1] == -0.25
    assert studio.starts()[-1] == ("two", 48_000)
    assert [(outcome, cause) for _, _, outcome, cause in studio.ends()] == [
        (Outcome.AIRED, "as planned"), (Outcome.AIRED, f"resumed by {DESK}"),
    ]  # fmt: skip
    with pytest.raises(InvalidRequest):
        studio.engine.resume(DESK)


def test_a_row_that_is_given_up_is_bed_to_its_end_and_truncated() -> None:
    studio = Studio(three())
    studio.render_ms(5_040)
    studio.engine.give_up("its sound was silent")
    studio.engine.give_up("again")
    sound = studio.render_ms(14_000)
    assert np.all(sound[samples_of(260) :] == BED)
    assert studio.engine.on_bed
    fallbacks = [event for event in studio.events if isinstance(event, FallbackStarted)]
    assert [(event.reason, event.at_ms) for event in fallbacks] == [
        ("its sound was silent", EPOCH_MS + 5_040)
    ]
    assert studio.render_ms(2_000)[-1] == 0.5
    assert studio.ends() == [("one", 20_000, Outcome.TRUNCATED, "its sound was silent")]
    ended = next(event for event in studio.events if isinstance(event, RowEnded))
    assert ended.played_ms == 5_040


def test_nothing_is_given_up_where_the_bed_is_planned_or_nothing_is_on_the_air() -> None:
    studio = Studio([row("fill", 0, 2_000, ItemKind.FILL, item=None)])
    studio.engine.give_up("too early")
    studio.render_ms(1_000)
    studio.engine.give_up("its sound was silent")
    studio.render_ms(2_000)
    studio.engine.give_up("too late")
    assert not any(isinstance(event, FallbackStarted) for event in studio.events)


def test_a_skip_of_a_row_on_the_bed_ends_it_as_what_it_was() -> None:
    studio = Studio(three())
    studio.render_ms(5_040)
    studio.engine.give_up("its sound was silent")
    studio.render_ms(1_008)
    studio.engine.skip(DESK)
    assert studio.render_ms(1_000)[-1] == pytest.approx(0.5)
    assert studio.ends() == [
        ("one", 6_048, Outcome.SKIPPED, f"skipped by {DESK}; its sound was silent"),
    ]  # fmt: skip


def test_nothing_can_be_skipped_in_a_hole_of_the_log() -> None:
    studio = Studio([row("one", 0, 1_000)])
    studio.render_ms(2_000)
    with pytest.raises(NotFound):
        studio.engine.skip(DESK)
    assert studio.render_ms(1_000)[-1] == BED


def test_an_engine_made_anew_goes_on_with_the_changed_log() -> None:
    studio = Studio(three())
    studio.render_ms(2_016)
    studio.engine.skip(DESK)
    studio.engine.close()
    assert studio.ends() == [("one", 2_016, Outcome.SKIPPED, f"skipped by {DESK}")]
    again = Studio(studio.all_rows(), epoch_ms=EPOCH_MS + 2_500)
    again.render_ms(500)
    assert again.loader.opened[0] == ("two", 484)


ORDERS = st.sampled_from(["skip", "now", "next", "hold", "resume", "give up"])


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(50, 9_000), min_size=2, max_size=12),
    hard=st.sets(st.integers(0, 11), max_size=2),
    orders=st.lists(st.tuples(ORDERS, st.integers(0, 3_000)), min_size=1, max_size=6),
    block=st.integers(500, 4_800),
)
def test_whatever_is_commanded_every_row_ends_once_and_sounds_as_the_log_says(
    lengths: list[int], hard: set[int], orders: list[tuple[str, int]], block: int
) -> None:
    starts = np.cumsum([0, *lengths])
    rows = [
        row(f"r{i}", int(start), length, anchor=Anchor.HARD if i in hard else Anchor.FLOAT)
        for i, (start, length) in enumerate(zip(starts, lengths, strict=False))
    ]
    studio = Studio(rows)
    sounds = []
    for number, (order, pause_ms) in enumerate(orders):
        if pause_ms:
            sounds.append(studio.render_ms(pause_ms, block))
        try:
            if order in ("now", "next"):
                studio.engine.insert(row(f"new{number}", 0, 2_500), order, DESK)  # type: ignore[arg-type]
            elif order == "give up":
                studio.engine.give_up("no use")
            else:
                getattr(studio.engine, order if order != "next" else "skip")(DESK)
        except RadioError:
            pass
        assert first_fault(studio.all_rows()) is None
    sounds.append(studio.render_ms(12_000, block))
    studio.engine.close()
    ended = Counter(id_ for id_, *_ in studio.ends())
    assert all(count == 1 for count in ended.values())
    assert {id_ for id_, _ in studio.starts()} <= set(ended)
    assert all(deck.closed for deck in studio.loader.decks)
    sound = np.concatenate(sounds)
    assert np.count_nonzero(sound < 1e-4) < samples_of(5)
    heard = dict(studio.starts())
    for each in studio.all_rows():
        if is_bridge(each) or is_hold(each) or each.id not in heard:
            continue
        assert heard[each.id] == each.starts_at_ms - EPOCH_MS


def test_a_row_that_comes_past_its_window_is_late_and_one_that_never_comes_is_missed() -> None:
    rows = [
        row("one", 0, 10_000),
        row("spot", 10_000, 2_000, anchor=Anchor.SOFT, anchor_window_ms=3_000),
        row("two", 12_000, 4_000),
        row("news", 16_000, 2_000, anchor=Anchor.HARD),
    ]
    studio = Studio(rows)
    studio.render_ms(8_000)
    studio.engine.insert(row("long", 0, 6_000), "now", DESK)
    studio.render_ms(10_100)
    assert studio.starts() == [("one", 0), ("long", 8_000), ("spot", 14_000), ("news", 16_000)]
    assert {id_: (outcome, cause) for id_, _, outcome, cause in studio.ends()[1:]} == {
        "long": (Outcome.AIRED, "as planned"),
        "two": (Outcome.MISSED, "a change on the air left no room for it"),
        "spot": (Outcome.LATE, "4.0 s after its time"),
        "news": (Outcome.AIRED, "as planned"),
    }


def test_a_hard_row_that_is_joined_is_late() -> None:
    studio = Studio([row("news", 0, 10_000, anchor=Anchor.HARD)], epoch_ms=EPOCH_MS + 2_500)
    studio.render_ms(8_000)
    assert [(outcome, cause) for *_, outcome, cause in studio.ends()] == [
        (Outcome.LATE, "2.5 s after its time")
    ]


def test_what_is_joined_after_an_emergency_comes_in_without_a_click() -> None:
    studio = Studio(
        [row("talk", 0, 60_000), row("news", 60_000, 60_000)], {"talk": 0.5, "talk-rest-1800000002016": 0.5}
    )
    studio.render_ms(2_016)
    studio.engine.emergency(row("alert", 0, 20_000), False, DESK)
    studio.render_ms(5_040)
    on_air = studio.engine.resume(DESK).on_air
    assert on_air is not None
    assert on_air.cue_in_ms == 7_056
    start, length = samples_of(FADE_MS), samples_of(40)
    heard = studio.render_ms(1_008)
    assert heard[start:] == pytest.approx(heard[start])
    rising = heard[:length]
    assert rising[0] < rising[length // 2]
