from __future__ import annotations

from radio.alarms import REMEMBERED, Alarm, AlarmBoard, Severity
from radio.units import UtcMs


def alarm(
    code: str, severity: Severity = Severity.WARNING, *, station: str | None = None, message: str = ""
) -> Alarm:
    return Alarm(code=code, severity=severity, message=message, advice="Look.", station=station)


def test_an_alarm_keeps_its_age_while_it_stays_and_takes_the_newest_words() -> None:
    board = AlarmBoard()
    new, over = board.settle([alarm("disk_low", message="3 left")], UtcMs(1_000))
    assert ([each.code for each in new], over) == (["disk_low"], [])
    assert board.settle([alarm("disk_low", message="2 left")], UtcMs(2_000)) == ([], [])
    (up,) = board
    assert (up.since_ms, up.message) == (1_000, "2 left")


def test_what_is_over_is_told_with_its_end() -> None:
    board = AlarmBoard()
    board.settle([alarm("disk_low")], UtcMs(1_000))
    _, (over,) = board.settle([], UtcMs(5_000))
    assert (over.since_ms, over.until_ms) == (1_000, 5_000)
    assert (len(board), board.over) == (0, [over])


def test_stations_have_alarms_of_their_own_and_critical_ones_come_first() -> None:
    board = AlarmBoard()
    board.settle([alarm("b", station="one")], UtcMs(1))
    board.settle(
        [alarm("b", station="one"), alarm("b", station="two"), alarm("a", Severity.CRITICAL)], UtcMs(2)
    )
    assert [(each.code, each.station) for each in board] == [("a", None), ("b", "one"), ("b", "two")]


def test_what_is_over_is_remembered_with_a_bound() -> None:
    board = AlarmBoard()
    for moment in range(2 * REMEMBERED):
        board.settle([alarm(str(moment))], UtcMs(moment))
    assert len(board.over) == REMEMBERED
    assert board.over[0].code == str(2 * REMEMBERED - 2)
