from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from push_doubles import Follower, frames

from radio.errors import UnknownStation
from radio.push.channel import Channel, Publication
from radio.push.hub import Hub
from radio.push.messages import Listening, Position, ServerMessage
from radio.units import DurationMs, UtcMs

AT = UtcMs(1_800_000_000_000)
SESSION = "6f1c8d2e-3b4a-4c5d-8e9f-0a1b2c3d4e5f"


def later(seconds: float) -> UtcMs:
    return UtcMs(AT + round(seconds * 1000))


def state(title: str | None, listeners: int = 0) -> dict[str, Any]:
    return {"now": title and {"title": title, "artist": None}, "listeners": {"current": listeners}}


@pytest.fixture
def hub() -> Hub:
    hub = Hub(epoch="first")
    hub.open("wxyz", state("Morning bells"))
    return hub


def test_a_subscriber_gets_the_state_first_and_then_each_change(hub: Hub) -> None:
    follower = Follower(hub)
    assert not hub.subscribe(follower, "wxyz", request_id=1)
    hub.publish_state("wxyz", state("River song"), AT)
    hub.publish_state("wxyz", state(None), later(1))
    assert frames(follower.received) == [
        {
            **{"type": "snapshot", "id": 1, "station": "wxyz", "epoch": "first", "seq": 0},
            "state": state("Morning bells"),
        },
        {
            "type": "update",
            "station": "wxyz",
            "seq": 1,
            "at_ms": AT,
            "changed": ["now"],
            "patch": {"now": {"title": "River song"}},
        },
        {
            "type": "update",
            "station": "wxyz",
            "seq": 2,
            "at_ms": later(1),
            "changed": ["now"],
            "patch": {"now": None},
        },
    ]


def test_nothing_is_sent_when_nothing_changed(hub: Hub) -> None:
    follower = Follower(hub)
    hub.subscribe(follower, "wxyz")
    assert hub.publish_state("wxyz", state("Morning bells"), AT) is None
    assert len(follower.received) == 1
    assert hub.position("wxyz") == Position("first", 0)


def test_a_caller_may_go_on_with_its_own_object(hub: Hub) -> None:
    mine = state("River song")
    hub.publish_state("wxyz", mine, AT)
    mine["now"]["title"] = "Sea song"
    publication = hub.publish_state("wxyz", mine, later(1))
    assert publication is not None
    assert frames([publication])[0]["patch"] == {"now": {"title": "Sea song"}}


def test_a_state_may_be_a_struct_but_must_be_an_object(hub: Hub) -> None:
    class State(msgspec.Struct):
        now: str

    hub.open("kday", State("Sea song"))
    assert hub.state("kday") == {"now": "Sea song"}
    with pytest.raises(TypeError, match="JSON object"):
        hub.publish_state("kday", ["Sea song"], AT)


def test_a_thousand_subscribers_share_one_encoding(hub: Hub) -> None:
    built: list[bytes] = []

    def frame(publication: Publication) -> bytes:
        built.append(publication.payload)
        return b"frame:" + publication.payload

    class Sink:
        lane = None

        def __init__(self) -> None:
            self.sent: list[bytes] = []

        def deliver(self, publication: Publication) -> None:
            self.sent.append(publication.form(frame))

        def tell(self, message: ServerMessage) -> None:
            raise AssertionError(message)

    sinks = [Sink() for _ in range(1000)]
    for sink in sinks:
        hub.subscribe(sink, "wxyz", since=hub.position("wxyz"))
    assert hub.counts().encoded == 0
    hub.publish_state("wxyz", state("River song"), AT)
    assert hub.counts().encoded == 1
    assert len(built) == 1
    assert len({id(sink.sent[0]) for sink in sinks}) == 1
    assert hub.counts().delivered == 1000


def test_a_storm_of_newcomers_encodes_the_state_once(hub: Hub) -> None:
    for _ in range(100):
        hub.subscribe(Follower(hub), "wxyz", request_id=1)
    counts = hub.counts()
    assert (counts.encoded, counts.snapshots, counts.subscriptions) == (1, 100, 100)


def test_whoever_returns_gets_what_it_missed_in_order(hub: Hub) -> None:
    for title in "ABCDE":
        hub.publish_state("wxyz", state(title), AT)
    follower = Follower(hub)
    follower.positions["wxyz"], follower.states["wxyz"] = Position("first", 2), state("B")
    assert hub.subscribe(follower, "wxyz", since=Position("first", 2), request_id=9)
    assert [publication.seq for publication in follower.received] == [3, 4, 5]
    assert follower.states["wxyz"]["now"]["title"] == "E"


@pytest.mark.parametrize(
    "since", [Position("other", 5), Position("first", 6), Position("first", 1), Position("", 0)]
)
def test_whoever_cannot_be_brought_up_to_date_gets_a_snapshot_alone(since: Position) -> None:
    hub = Hub(epoch="first", history_length=3)
    hub.open("wxyz", state(None))
    for title in "ABCDE":
        hub.publish_state("wxyz", state(title), AT)
    follower = Follower(hub)
    assert not hub.subscribe(follower, "wxyz", since=since)
    assert [frame["type"] for frame in frames(follower.received)] == ["snapshot"]


def test_history_is_bounded_in_bytes_too() -> None:
    channel = Channel("wxyz", "e", {}, history_length=100, history_bytes=1000)
    for number in range(20):
        channel.publish({"title": f"{number:0100d}"}, AT)
    assert channel.missed(Position("e", 19)) is not None
    assert channel.missed(Position("e", 10)) is None
    kept = next(n for n in range(20) if channel.missed(Position("e", n)) is not None)
    missed = channel.missed(Position("e", kept))
    assert missed is not None
    assert sum(len(publication.payload) for publication in missed) <= 1000


def test_a_new_epoch_reaches_those_who_follow_as_a_snapshot(hub: Hub) -> None:
    follower = Follower(hub)
    hub.subscribe(follower, "wxyz")
    hub.publish_state("wxyz", state("A"), AT)
    hub.open("wxyz", state("B"), epoch="second")
    hub.publish_state("wxyz", state("C"), AT)
    assert follower.positions["wxyz"] == Position("second", 1)
    assert follower.states["wxyz"]["now"]["title"] == "C"
    hub.open("wxyz", state("B"))
    assert hub.position("wxyz").epoch not in ("first", "second")


def test_unsubscribed_and_dropped_subscribers_hear_nothing(hub: Hub) -> None:
    hub.open("kday", state("Sea song"))
    follower, gone = Follower(hub), Follower(hub)
    for station in hub.stations:
        hub.subscribe(follower, station)
        hub.subscribe(gone, station)
    hub.unsubscribe(follower, "wxyz")
    hub.unsubscribe(follower, "wxyz")
    hub.unsubscribe(follower, "nowhere")
    hub.drop(gone)
    hub.drop(gone)
    hub.publish_state("wxyz", state("A"), AT)
    hub.publish_state("kday", state("A"), AT)
    assert [publication.station for publication in follower.received[2:]] == ["kday"]
    assert len(gone.received) == 2
    assert hub.subscriptions(follower) == {"kday"}
    assert hub.subscriptions(gone) == frozenset()


def test_an_unknown_station_is_named_with_its_nearest(hub: Hub) -> None:
    follower = Follower(hub)
    for call in (
        lambda: hub.subscribe(follower, "wxyy"),
        lambda: hub.listen(follower, "wxyy", SESSION),
        lambda: hub.publish_state("wxyy", {}, AT),
        lambda: hub.state("wxyy"),
    ):
        with pytest.raises(UnknownStation, match="Did you mean `wxyz`"):
            call()
    assert hub.counts().subscribers == 0


def test_a_subscriber_that_fails_harms_no_other(hub: Hub) -> None:
    class Broken(Follower):
        def deliver(self, publication: Publication) -> None:
            if publication.seq:
                raise OSError("gone")

    broken, follower = Broken(hub), Follower(hub)
    hub.subscribe(broken, "wxyz")
    hub.subscribe(follower, "wxyz")
    hub.publish_state("wxyz", state("A"), AT)
    hub.publish_state("wxyz", state("B"), AT)
    assert follower.states["wxyz"]["now"]["title"] == "B"
    assert (hub.counts().faults, hub.counts().subscribers) == (1, 1)


def test_counts_of_listeners_are_coalesced() -> None:
    hub = Hub(coalesce_ms=DurationMs(5000))
    hub.open("wxyz", state("A"))
    follower = Follower(hub)
    hub.subscribe(follower, "wxyz")
    for tenth in range(100):
        hub.publish_coalesced("wxyz", state("A", tenth + 1), later(tenth / 10))
    hub.flush(later(9.9))
    assert [frame["patch"]["listeners"]["current"] for frame in frames(follower.received[1:])] == [1, 51]
    hub.flush(later(10))
    hub.flush(later(20))
    assert frames(follower.received)[-1]["patch"] == {"listeners": {"current": 100}}
    assert len(follower.received) == 4


def test_a_real_change_goes_out_at_once_and_takes_the_counts_along() -> None:
    hub = Hub(coalesce_ms=DurationMs(5000))
    hub.open("wxyz", state("A"))
    hub.publish_coalesced("wxyz", state("A", 1), AT)
    hub.publish_coalesced("wxyz", state("A", 2), later(1))
    publication = hub.publish_state("wxyz", state("B", 3), later(2))
    assert publication is not None
    hub.flush(later(60))
    assert hub.state("wxyz") == state("B", 3)
    assert hub.position("wxyz").seq == 2


def test_a_clock_that_was_set_back_does_not_hold_the_counts(hub: Hub) -> None:
    hub.publish_coalesced("wxyz", state("A", 1), AT)
    assert hub.publish_coalesced("wxyz", state("A", 2), later(-3600)) is not None


def test_a_listener_learns_its_stream_time_at_once_where_it_is_known() -> None:
    hub = Hub(
        session_lookup=lambda session, station: later(4) if session == SESSION and station == "wxyz" else None
    )
    hub.open("wxyz", state(None))
    follower = Follower(hub)
    hub.listen(follower, "wxyz", SESSION, request_id=2)
    hub.listen(follower, "wxyz", str(uuid4()), request_id=3)
    assert follower.told == [Listening(id=2, session=SESSION, station="wxyz", stream_time_ms=later(4))]


def test_a_listener_that_asks_early_is_answered_when_its_stream_starts_and_again_when_it_restarts(
    hub: Hub,
) -> None:
    early, other = Follower(hub), Follower(hub)
    hub.listen(early, "wxyz", SESSION, request_id=2)
    hub.listen(other, "wxyz", str(uuid4()), request_id=2)
    assert early.told == []
    hub.session_started("wxyz", SESSION, later(4))
    hub.session_started("kday", SESSION, later(5))
    hub.session_started("wxyz", SESSION, later(60))
    assert [message.stream_time_ms for message in early.told if isinstance(message, Listening)] == [
        later(4),
        later(60),
    ]
    assert other.told == []


def test_a_subscriber_listens_to_a_station_under_its_last_session_only(hub: Hub) -> None:
    follower, second = Follower(hub), str(uuid4())
    hub.listen(follower, "wxyz", SESSION)
    hub.listen(follower, "wxyz", second)
    hub.session_started("wxyz", SESSION, AT)
    hub.session_started("wxyz", second, AT)
    assert [message.session for message in follower.told if isinstance(message, Listening)] == [second]
    assert hub.counts().sessions == 1
    hub.drop(follower)
    hub.session_started("wxyz", second, AT)
    assert len(follower.told) == 1
    assert hub.counts().sessions == 0
