from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from radio.clock import ManualClock
from radio.errors import InvalidRequest
from radio.streaming.sessions import Session, Sessions, session_id

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def make(number: int = 0, at_ms: int = 1000, mount: str = "live.mp3") -> Session:
    return Session(id=f"{number}", station="wxyz", mount=mount, stream_time_ms=at_ms)


def open_table(**settings) -> tuple[Sessions, ManualClock, list[Session]]:
    clock = ManualClock()
    sessions = Sessions(clock, **settings)
    told: list[Session] = []
    sessions.on_started = told.append
    return sessions, clock, told


def test_an_id_is_a_uuid_in_lower_case():
    assert session_id(ID.upper()) == ID
    for bad in ("", ID[:-1], ID.replace("-", ""), f"{{{ID}}}", ID + "\n", "x" + ID[1:], "\u0660" + ID[1:]):
        with pytest.raises(InvalidRequest, match="no UUID"):
            session_id(bad)


def test_the_newest_connection_counts():
    sessions, _, told = open_table()
    sessions.begin(make(at_ms=1000), "first")
    sessions.begin(make(at_ms=5000), "second")
    sessions.end("0", "first")
    assert sessions.find("0").stream_time_ms == 5000
    assert [session.stream_time_ms for session in told] == [1000, 5000]


def test_a_session_is_known_for_a_while_after_its_connection():
    sessions, clock, _ = open_table(keep_s=60)
    sessions.begin(make(), "a")
    clock.advance(1000)
    assert sessions.find("0") == make()
    sessions.end("0", "a")
    clock.advance(59)
    assert sessions.find("0") == make()
    clock.advance(1)
    assert sessions.find("0") is None
    assert len(sessions) == 0


def test_a_session_that_comes_back_is_told_again_and_stays():
    sessions, clock, told = open_table(keep_s=60)
    sessions.begin(make(), "a")
    sessions.end("0", "a")
    sessions.begin(make(at_ms=9000), "b")
    clock.advance(100)
    assert sessions.find("0").stream_time_ms == 9000
    assert len(told) == 2
    sessions.end("unknown", "b")


def test_the_table_is_bounded():
    sessions, _, told = open_table(limit=3)
    for number in range(3):
        sessions.begin(make(number), number)
    sessions.end("0", 0)
    sessions.end("1", 1)
    sessions.begin(make(3), 3)
    assert sessions.find("0") is None
    assert sessions.find("1") is not None
    sessions.begin(make(4), 4)
    sessions.begin(make(5), 5)
    assert (len(sessions), sessions.find("5")) == (3, None)
    assert [session.id for session in told] == ["0", "1", "2", "3", "4"]


def test_a_listener_of_the_news_that_fails_harms_nobody():
    sessions, _, _ = open_table()

    def fail(session: Session) -> None:
        raise OSError("gone")

    sessions.on_started = fail
    with capture_logs() as journal:
        sessions.begin(make(), "a")
    assert sessions.find("0") == make()
    assert [entry["event"] for entry in journal] == ["session_news_failed"]


def test_a_shift_moves_the_connections_of_one_mount():
    sessions, _, told = open_table()
    sessions.begin(make(0), "a")
    sessions.begin(make(1, mount="live.aac"), "b")
    sessions.shift("wxyz", "live.mp3", 250)
    assert [sessions.find(id).stream_time_ms for id in "01"] == [1250, 1000]
    assert told[-1] == make(0, at_ms=1250)
    sessions.end("0", "a")
    assert sessions.find("0").stream_time_ms == 1250
