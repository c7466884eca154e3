"""Random logs, random commands, kills and restarts: every row ends as exactly one thing, and the air has no hole."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sources import EPOCH_MS, Steady, StudioLoader, row

from radio.errors import RadioError
from radio.events import PlayoutEvent, RowEnded, RowStarted
from radio.log import Anchor, ItemKind, LogRow, Outcome, first_fault
from radio.playout import Engine
from radio.schedule import StationLog
from radio.schedule.laying import is_emergency
from radio.schedule.remains import Remains
from radio.schedule.resume import Interrupted, resumed
from radio.units import DurationMs, UtcMs, samples_of

DESK = "the evening desk"
KINDS = (ItemKind.MUSIC, ItemKind.SPEECH, ItemKind.IDENT, ItemKind.SPONSOR, ItemKind.PROMO)
BLOCK = samples_of(1_000)


@st.composite
def logs(draw: st.DrawFn) -> list[LogRow]:
    """A minute or two of rows: hard and soft ones, breaks, programmes that follow each other."""
    rows: list[LogRow] = []
    at_ms, programme, break_of = 0, 0, None
    for index in range(draw(st.integers(8, 26))):
        length_ms = draw(st.integers(40, 9_000))
        anchor = draw(st.sampled_from([Anchor.FLOAT] * 5 + [Anchor.SOFT, Anchor.HARD]))
        if draw(st.integers(0, 7)) == 0:
            programme, anchor = programme + 1, Anchor.HARD
        break_of = f"break-{index}" if draw(st.integers(0, 5)) == 0 else break_of
        break_of = break_of if anchor is not Anchor.HARD and draw(st.booleans()) else None
        rows.append(
            row(
                f"r{index}",
                at_ms,
                length_ms,
                draw(st.sampled_from(KINDS)),
                anchor=anchor,
                anchor_window_ms=DurationMs(draw(st.integers(0, 6_000)) if anchor is Anchor.SOFT else 0),
                programme=f"p{programme}" if programme else None,
                occurrence=f"p{programme}@2026-11-23T09:{programme:02}" if programme else None,
                break_id=break_of,
            )
        )
        at_ms += length_ms
    return rows


class Air(RuleBasedStateMachine):
    """A station's engine on its real log, without a planner: what is dropped stays dropped."""

    @initialize(rows=logs())
    def go_on_air(self, rows: list[LogRow]) -> None:
        self.known = {each.id: each for each in rows}
        self.ends: dict[str, list[tuple[Outcome, str]]] = {}
        self.spans: list[tuple[int, int, str]] = []
        self.started: dict[str, int] = {}
        self.called_off: set[str] = set()
        self.is_killed = False
        self.number = 0
        self.log = self.log_of(rows)
        self.engine = self.engine_at(EPOCH_MS)

    def log_of(self, rows: list[LogRow]) -> StationLog:
        log = StationLog("wxyz", "WXYZ")
        assert log.replace_from(rows[0].starts_at_ms, rows)
        return log

    def engine_at(self, at_ms: int) -> Engine:
        return Engine(
            self.log,
            StudioLoader(lambda each: 0.5),
            epoch_ms=UtcMs(at_ms),
            station="wxyz",
            on_event=self.heard,
            bed=lambda: Steady(0.125, 1 << 40),
            patience_s=0.02,
        )

    def heard(self, event: PlayoutEvent) -> None:
        if isinstance(event, RowStarted):
            assert event.row.id not in self.started
            self.started[event.row.id] = event.at_ms
            if event.row.anchor is Anchor.HARD and event.row.due_ms is None and not self.is_killed:
                assert event.at_ms == event.row.starts_at_ms
            self.is_killed = False
        if isinstance(event, RowEnded):
            self.ends.setdefault(event.row.id, []).append((event.outcome, event.cause))
            began_ms = self.started.pop(event.row.id, None)
            if began_ms is not None:
                self.spans.append((began_ms, event.at_ms, event.row.id))

    @property
    def at_ms(self) -> int:
        return self.engine.now_ms

    def rows(self) -> list[LogRow]:
        return list(self.log.coming(0, 10_000))

    def coming(self) -> list[LogRow]:
        return [each for each in self.rows() if each.starts_at_ms >= self.at_ms and each.item]

    @rule(length_ms=st.integers(1, 6_000))
    def play(self, length_ms: int) -> None:
        left = samples_of(length_ms)
        while left:
            n = min(BLOCK, left)
            self.engine.render(n)
            left -= n

    def order(self, work: Any) -> None:
        before = self.rows()
        try:
            work()
        except RadioError:
            return
        assert first_fault(self.rows()) is None
        here = {each.id for each in self.rows()}
        repeats = (each for each in before if is_emergency(each) and each.id not in self.asked_for)
        self.called_off |= {
            each.id for each in repeats if each.id not in here and each.starts_at_ms >= self.at_ms
        }
        self.known.update({each.id: each for each in self.rows()})

    def a_row(self, length_ms: int) -> LogRow:
        self.number += 1
        return row(f"new{self.number}", 0, length_ms)

    @property
    def asked_for(self) -> set[str]:
        """What operators have put in themselves, and not its repeats."""
        return {f"new{number}" for number in range(1, self.number + 1)}

    @rule()
    def skip(self) -> None:
        self.order(lambda: self.engine.skip(DESK))

    @rule(length_ms=st.integers(1_500, 8_000), when=st.sampled_from(["now", "next"]))
    def insert(self, length_ms: int, when: Any) -> None:
        self.order(lambda: self.engine.insert(self.a_row(length_ms), when, DESK))

    @rule(data=st.data(), to=st.sampled_from(["next", "before", "after"]))
    @precondition(lambda self: self.coming())
    def move(self, data: st.DataObject, to: Any) -> None:
        ids = [each.id for each in self.coming()][:9]
        row_id, other = data.draw(st.sampled_from(ids)), data.draw(st.sampled_from(ids))
        self.order(lambda: self.engine.move(row_id, to, other, DESK))

    @rule(data=st.data())
    @precondition(lambda self: self.coming())
    def remove(self, data: st.DataObject) -> None:
        row_id = data.draw(st.sampled_from([each.id for each in self.coming()][:9]))
        self.order(lambda: self.engine.remove(row_id, DESK))

    @rule()
    def hold(self) -> None:
        self.order(lambda: self.engine.hold(DESK))

    @rule()
    def resume(self) -> None:
        self.order(lambda: self.engine.resume(DESK))

    @rule(length_ms=st.integers(1_000, 12_000))
    def extend(self, length_ms: int) -> None:
        self.order(lambda: self.engine.extend(length_ms, DESK))

    @rule()
    def end(self) -> None:
        self.order(lambda: self.engine.end(DESK))

    @rule(length_ms=st.integers(20_000, 40_000), repeat=st.booleans())
    def emergency(self, length_ms: int, repeat: bool) -> None:
        self.order(lambda: self.engine.emergency(self.a_row(length_ms), repeat, DESK))

    @rule(away_ms=st.integers(10, 9_000))
    @precondition(lambda self: (here := self.log.peek(self.at_ms)) is not None and here.id in self.started)
    def kill_and_restart(self, away_ms: int) -> None:
        """The as-run log ends what was on the air at its last word, and what passed meanwhile."""
        died_ms = self.at_ms
        on_air = self.log.peek(died_ms)
        assert on_air is not None
        began_ms = self.started.pop(on_air.id, None)
        for id_ in list(self.started):
            self.ends.setdefault(id_, []).append((Outcome.TRUNCATED, "crash"))
            self.spans.append((self.started.pop(id_), died_ms, id_))
        if began_ms is not None:
            self.ends.setdefault(on_air.id, []).append((Outcome.TRUNCATED, "crash"))
            self.spans.append((began_ms, died_ms, on_air.id))
        stored, back_ms = self.rows(), UtcMs(died_ms + away_ms)
        cut = Interrupted(on_air.id, DurationMs(died_ms - on_air.starts_at_ms), UtcMs(died_ms))
        again = resumed(stored, back_ms, cut)
        for missed in again.missed:
            if missed.id not in self.ends:
                self.ends[missed.id] = [(Outcome.MISSED, "the station was off the air")]
        _, remains = self.log.kept_from(0)
        self.log = self.log_of(list(again.rows))
        stored = msgspec.json.decode(msgspec.json.encode(remains), type=Remains)
        self.log.remember(stored.without(self.ends.__contains__, back_ms))
        self.known.update({each.id: each for each in again.rows})
        self.spans.append((died_ms, back_ms, "away"))
        self.is_killed = True
        self.engine = self.engine_at(back_ms)

    @invariant()
    def each_row_has_one_end_at_most_and_none_before_its_time(self) -> None:
        for id_, found in getattr(self, "ends", {}).items():
            counted = [outcome for outcome, cause in found if cause != "crash"]
            assert len(counted) <= 1, (id_, found)
        if hasattr(self, "engine"):
            here = {each.id for each in self.coming() if each.starts_at_ms > self.at_ms}
            ended = {id_ for id_, found in self.ends.items() if found[-1][1] != "crash"}
            assert not here & ended

    def teardown(self) -> None:
        if not hasattr(self, "engine"):
            return
        try:
            if (on_air := self.log.peek(self.at_ms)) is not None and is_emergency(on_air):
                self.engine.resume(DESK)
            self.play(12_000)
        except RadioError:
            pass
        self.each_row_has_one_end_at_most_and_none_before_its_time()
        rows = self.rows()
        # bed that gave way before its first sample was nothing; that no hole is left is looked at below
        over = {
            each.id
            for each in rows
            if each.starts_at_ms >= EPOCH_MS and each.ends_at_ms <= self.at_ms
            if each.item or each.id in self.started
        }
        assert over <= self.ends.keys(), over - self.ends.keys()
        here = {each.id for each in rows}
        # repeats that an emergency did not come to were nobody's plan
        gone = [
            each
            for each in self.known.values()
            if each.id not in here and each.item and each.id not in self.called_off
        ]
        latest_ms = self.at_ms - 7_000
        lost = [each.id for each in gone if each.ends_at_ms <= latest_ms and each.id not in self.ends]
        assert not lost, lost
        assert self.started.keys() <= here, self.started.keys() - here
        self.the_air_has_no_hole()
        self.engine.close()

    def the_air_has_no_hole(self) -> None:
        spans = sorted(self.spans)
        last = rows[-1].ends_at_ms if (rows := self.rows()) else EPOCH_MS
        for (_, ended_ms, before), (began_ms, _, after) in zip(spans, spans[1:], strict=False):
            assert began_ms == ended_ms or ended_ms >= last, (before, after, began_ms - ended_ms)


TestEveryRowEnds = Air.TestCase
TestEveryRowEnds.settings = settings(
    max_examples=60, stateful_step_count=20, deadline=None, report_multiple_bugs=False
)
