from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.events import Availability
from radio.stations import Signs, Status, assess
from radio.stations.availability import STALLED_AFTER_MS, STARTING_FOR_MS
from radio.units import UtcMs

START = 1_800_000_000_000


def signs(at_ms: int = 60_000, **changes: Any) -> Signs:
    """Signs of a station that is well, ``at_ms`` after its start."""
    values: dict[str, Any] = {
        "at_ms": START + at_ms,
        "started_at_ms": START,
        "bytes_at_ms": START + at_ms - 900,
    }
    return Signs(**(values | changes))


VERDICTS = {
    "bytes with sound": (signs(), Availability.ON_AIR, None),
    "switched off, though bytes come": (signs(enabled=False), Availability.OFF_AIR, "switched off"),
    "switched off before the first byte": (
        signs(10, enabled=False, bytes_at_ms=None),
        Availability.OFF_AIR,
        "switched off",
    ),
    "no byte yet": (signs(STARTING_FOR_MS, bytes_at_ms=None), Availability.STARTING, None),
    "no byte for too long": (
        signs(STARTING_FOR_MS + 1, bytes_at_ms=None),
        Availability.OFF_AIR,
        "No sound has been made",
    ),
    "the last moment before a stall": (
        signs(60_000, bytes_at_ms=START + 60_000 - STALLED_AFTER_MS),
        Availability.ON_AIR,
        None,
    ),
    "stalled": (
        signs(60_000, bytes_at_ms=START + 59_999 - STALLED_AFTER_MS),
        Availability.OFF_AIR,
        "The stream has stopped",
    ),
    "quiet, not yet silent": (signs(silent_ms=9_999), Availability.ON_AIR, None),
    "silent": (signs(silent_ms=10_000), Availability.SILENT, "silent"),
    "silent by the station's own measure": (
        signs(silent_ms=3_000, silence_after_ms=3_000),
        Availability.SILENT,
        "silent",
    ),
    "stalled while silent": (
        signs(silent_ms=60_000, bytes_at_ms=START),
        Availability.OFF_AIR,
        "The stream has stopped",
    ),
    "silent on the bed": (signs(silent_ms=60_000, on_bed=True), Availability.SILENT, "silent"),
    "on the bed": (signs(on_bed=True), Availability.DEGRADED, "the bed stands in"),
    "on the bed for a reason": (
        signs(on_bed=True, fault="Tide cannot be played: no such file."),
        Availability.DEGRADED,
        "Tide cannot be played: no such file.",
    ),
    "a fault that is over": (signs(fault="Tide cannot be played."), Availability.ON_AIR, None),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_the_verdict_and_its_reason(case: str) -> None:
    seen, status, reason = VERDICTS[case]
    found = assess(None, seen)
    assert found.status is status
    assert found.since_ms == seen.at_ms
    assert found.reason is None if reason is None else reason in (found.reason or "")


def test_since_stays_while_the_status_stays_and_moves_when_it_changes() -> None:
    first = assess(None, signs(1_000))
    second = assess(first, signs(2_000))
    assert (second.status, second.since_ms) == (Availability.ON_AIR, first.since_ms)
    degraded = assess(second, signs(3_000, on_bed=True, fault="one"))
    assert degraded.since_ms == START + 3_000
    other_reason = assess(degraded, signs(4_000, on_bed=True, fault="two"))
    assert (other_reason.since_ms, other_reason.reason) == (START + 3_000, "two")
    well = assess(other_reason, signs(5_000))
    assert (well.status, well.since_ms, well.reason) == (Availability.ON_AIR, START + 5_000, None)


def test_a_wall_clock_that_jumps_back_is_no_stall() -> None:
    """The newest chunk then seems to come from the future."""
    assert assess(None, signs(60_000, bytes_at_ms=START + 3_600_000)).status is Availability.ON_AIR
    assert assess(None, signs(-3_600_000, bytes_at_ms=None)).status is Availability.STARTING


@given(
    st.lists(
        st.builds(
            dict,
            enabled=st.booleans(),
            bytes_at_ms=st.none() | st.integers(START - 10_000, START + 100_000),
            silent_ms=st.integers(0, 20_000),
            on_bed=st.booleans(),
            fault=st.sampled_from(["", "a fault"]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_since_is_always_the_moment_of_the_last_change(course: list[dict[str, Any]]) -> None:
    status: Status | None = None
    changed_at = UtcMs(START)
    for second, seen in enumerate(course):
        before = status
        status = assess(before, signs(second * 1_000, **seen))
        if before is None or before.status is not status.status:
            changed_at = UtcMs(START + second * 1_000)
        assert status.since_ms == changed_at
        assert (status.reason is None) == (status.status in (Availability.ON_AIR, Availability.STARTING))
