from __future__ import annotations

from push_doubles import Follower, frames

from radio.push.backlog import Backlog
from radio.push.channel import Channel, Kind, Publication
from radio.push.hub import Hub
from radio.units import UtcMs

AT = UtcMs(0)


def updates(count: int, station: str = "wxyz") -> list[Publication]:
    channel = Channel(station, "e", {})
    made = (channel.publish({"n": n}, AT) for n in range(count))
    return [publication for publication in made if publication is not None]


def test_what_fits_comes_out_in_order() -> None:
    backlog, published = Backlog(10_000), updates(20)
    for publication in published:
        assert not backlog.put(publication, 1.0)
    assert backlog.size_bytes == sum(len(publication.payload) for publication in published)
    assert [backlog.take(lambda station, id_: None) for _ in published] == published
    assert not backlog
    assert backlog.take(lambda station, id_: None) is None
    assert (backlog.size_bytes, backlog.behind_since_s) == (0, None)


def test_past_the_bound_all_is_dropped_for_one_snapshot_of_each_station() -> None:
    hub = Hub()
    hub.open("wxyz", {"n": -1})
    hub.open("kday", {"n": -1})
    follower = Follower(hub, backlog_bytes=500)
    hub.subscribe(follower, "wxyz")
    follower.paused = True
    hub.subscribe(follower, "kday", request_id=8)
    for n in range(1000):
        hub.publish_state("wxyz", {"n": n}, AT)
        assert follower.backlog.size_bytes <= 500
    follower.resume()
    got = frames(follower.received[1:])
    assert [(frame["type"], frame["station"], frame.get("id")) for frame in got] == [
        ("snapshot", "kday", 8),
        ("snapshot", "wxyz", None),
    ]
    assert got[1]["state"] == {"n": 999}
    assert hub.publish_state("wxyz", {"n": 0}, AT) is not None
    assert follower.states["wxyz"] == {"n": 0}


def test_it_says_since_when_it_has_been_behind() -> None:
    backlog = Backlog(100)
    fell = [backlog.put(publication, float(n)) for n, publication in enumerate(updates(5))]
    assert fell == [False, True, False, False, False]
    assert backlog.behind_since_s == 1.0


def test_a_station_that_is_no_longer_wanted_is_passed_over() -> None:
    hub = Hub()
    hub.open("wxyz", {"n": -1})
    follower = Follower(hub, backlog_bytes=10)
    follower.paused = True
    hub.subscribe(follower, "wxyz")
    hub.unsubscribe(follower, "wxyz")
    follower.resume()
    assert follower.received == []
    assert follower.backlog.behind_since_s is None


def test_the_answer_to_a_request_keeps_its_number() -> None:
    backlog, channel = Backlog(1), Channel("wxyz", "e", {})
    backlog.put(channel.snapshot(4), 0.0)
    backlog.put(channel.snapshot(), 0.0)
    backlog.put(channel.snapshot(5), 0.0)
    fresh = backlog.take(lambda station, id_: channel.snapshot(id_))
    assert fresh is not None
    assert (fresh.kind, fresh.request_id) == (Kind.SNAPSHOT, 5)
