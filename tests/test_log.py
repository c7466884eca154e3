from __future__ import annotations

from radio.log import ItemKind, LogRow, first_fault
from radio.units import UtcMs


def row(starts: int, ends: int, id_: str | None = None) -> LogRow:
    return LogRow(
        id=id_ or f"r{starts}", station="wxyz", starts_at_ms=UtcMs(starts), ends_at_ms=UtcMs(ends),
        kind=ItemKind.MUSIC, title="A tune", reason="test",
    )  # fmt: skip


def test_a_contiguous_log_has_no_fault() -> None:
    assert first_fault([]) is None
    assert first_fault([row(0, 10), row(10, 30), row(30, 31)]) is None


def test_gap_overlap_empty_row_and_repeated_id_are_found() -> None:
    assert first_fault([row(0, 10), row(12, 20)]) == "row r12 starts 2 ms after its forerunner ends"
    assert first_fault([row(0, 10), row(9, 20)]) == "row r9 starts -1 ms after its forerunner ends"
    assert first_fault([row(0, 10), row(10, 10)]) == "row r10 lasts 0 ms"
    assert first_fault([row(0, 10, "a"), row(10, 20, "a")]) == "row id a stands twice"
