"""A hub and its mirror over a real bus, in memory and over NATS."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from bus_house import BusHouse, Inbox
from push_doubles import Follower, frames

from radio.clock import ManualClock
from radio.push.bus import PAYLOAD_LIMIT_BYTES, Bus
from radio.push.channel import Publication
from radio.push.edge_counts import EDGES_LIMIT, FORGET_AFTER_S, TELL_EVERY_S, CountTeller, EdgeCounts
from radio.push.hub import Hub
from radio.push.messages import Position, Update, decode_message
from radio.push.mirror import Mirror
from radio.push.news import SnapshotNews, decode_state
from radio.push.relay import SNAPSHOT_EVERY_S, Relay
from radio.units import UtcMs

AT = UtcMs(1_800_000_000_000)


def state(title: str) -> dict[str, Any]:
    return {"now": {"title": title, "artist": None}, "next": []}


class Network:
    """A source with two stations, and edges that come later."""

    def __init__(self, buses: BusHouse, bus: Bus) -> None:
        self.buses = buses
        self.clock = ManualClock()
        self.bus = bus
        self.hub = Hub(epoch="first")
        self.hub.open("wxyz", state("Morning bells"))
        self.hub.open("kday", state("Sea song"))
        self.relay = Relay(self.hub, bus, self.clock)
        self.relay.begin()

    @classmethod
    async def of(cls, buses: BusHouse) -> Network:
        return cls(buses, await buses.join())

    async def edge(self, **options: Any) -> tuple[Hub, Mirror]:
        hub = Hub()
        mirror = Mirror(hub, await self.buses.join(), self.clock, **options)
        mirror.begin()
        await self.buses.settle()
        self.clock.advance(0.3)
        self.relay.tick()
        await self.buses.settle()
        return hub, mirror

    async def publish(self, *titles: str, station: str = "wxyz") -> None:
        for title in titles:
            self.hub.publish_state(station, state(title), AT)
        await self.buses.settle()


async def test_an_edge_has_every_station_at_once_and_then_the_very_bytes(buses: BusHouse) -> None:
    network = await Network.of(buses)
    hub, mirror = await network.edge()
    assert hub.stations == ("wxyz", "kday")
    assert hub.position("wxyz") == Position("first", 0)
    assert hub.state("wxyz") == state("Morning bells")
    here, there = Follower(network.hub), Follower(hub)
    network.hub.subscribe(here, "wxyz")
    hub.subscribe(there, "wxyz")
    await network.publish("A", "B", "C")
    assert [each.payload for each in there.received[1:]] == [each.payload for each in here.received[1:]]
    assert len(there.received) == 4
    assert hub.counts().encoded == 1  # the snapshot of the subscription
    assert mirror.counts == msgspec.structs.replace(mirror.counts, updates=3, gaps=0, faults=0)


async def test_a_client_goes_from_edge_to_edge_and_back_to_the_source(buses: BusHouse) -> None:
    network = await Network.of(buses)
    (first, _), (second, _) = await network.edge(), await network.edge()
    follower = Follower(first)
    first.subscribe(follower, "wxyz")
    await network.publish("A", "B")
    for hub in (second, network.hub, first):
        follower.hub.drop(follower)
        since = follower.positions["wxyz"]
        await network.publish("C", "D")
        follower.hub = hub
        follower.received.clear()
        assert hub.subscribe(follower, "wxyz", since)
        assert [frame["type"] for frame in frames(follower.received)] == ["update", "update"]
        assert follower.states["wxyz"]["now"]["title"] == "D"


async def test_an_edge_that_comes_late_knows_what_was_before_it(buses: BusHouse) -> None:
    network = await Network.of(buses)
    await network.publish(*"ABCDEF")
    hub, _ = await network.edge()
    follower = Follower(hub)
    follower.positions["wxyz"], follower.states["wxyz"] = Position("first", 2), state("B")
    assert hub.subscribe(follower, "wxyz", Position("first", 2))
    assert [each.seq for each in follower.received] == [3, 4, 5, 6]


async def test_what_an_edge_missed_is_asked_for_and_reaches_its_followers_in_order(buses: BusHouse) -> None:
    network = await Network.of(buses)
    hub, mirror = await network.edge()
    follower = Follower(hub)
    hub.subscribe(follower, "wxyz")
    mirror.close()
    await network.publish("A", "B")
    mirror.begin()
    network.clock.advance(1)
    network.relay.tick()
    await buses.settle()
    await network.publish("C")
    assert [each.seq for each in follower.received] == [0, 1, 2, 3]
    assert mirror.is_current("wxyz")


async def test_a_lost_update_is_noticed_without_another(buses: BusHouse) -> None:
    network = await Network.of(buses)
    hub, mirror = await network.edge()
    network.hub.on_publication = None
    await network.publish("A")
    assert hub.position("wxyz").seq == 0
    network.clock.advance(SNAPSHOT_EVERY_S)
    network.relay.tick()
    await buses.settle()
    assert hub.position("wxyz") == network.hub.position("wxyz")
    assert mirror.counts.updates == 1


async def test_a_new_run_of_the_source_reaches_followers_as_a_snapshot(buses: BusHouse) -> None:
    network = await Network.of(buses)
    hub, mirror = await network.edge()
    follower = Follower(hub)
    hub.subscribe(follower, "wxyz")
    await network.publish("A")
    network.clock.advance(0.01)
    again = Hub(epoch="second")
    Relay(again, network.bus, network.clock).begin()
    again.open("wxyz", state("B"))
    await buses.settle()
    assert follower.positions["wxyz"] == Position("second", 0)
    await network.publish("C")
    assert follower.states["wxyz"]["now"]["title"] == "B"
    assert mirror.counts.stale == 1
    network.relay.close()


async def test_a_source_whose_clock_was_set_back_is_followed_once_the_old_one_is_silent(
    buses: BusHouse,
) -> None:
    network = await Network.of(buses)
    hub, mirror = await network.edge(stations=["wxyz"])
    network.relay.close()
    network.clock.step_wall(-7200)
    again = Hub(epoch="second")
    relay = Relay(again, network.bus, network.clock)
    relay.begin()
    again.open("wxyz", state("B"))
    await buses.settle()
    assert hub.position("wxyz").epoch == "first"
    assert not mirror.silent()
    network.clock.advance(3 * SNAPSHOT_EVERY_S + 1)
    assert mirror.silent() == ["wxyz"]
    relay.tick()
    await buses.settle()
    assert (hub.position("wxyz").epoch, mirror.silent()) == ("second", [])


async def test_only_what_is_wanted_is_mirrored(buses: BusHouse) -> None:
    network = await Network.of(buses)
    hub, mirror = await network.edge(stations=["kday", "none"])
    assert hub.stations == ("kday",)
    assert mirror.silent() == ["none"]


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"nonsense", msgspec.msgpack.encode({"type": "update"})])
async def test_what_is_no_news_is_counted_and_passed_over(buses: BusHouse, payload: bytes) -> None:
    network = await Network.of(buses)
    hub, mirror = await network.edge()
    network.bus.publish("nextup.state.wxyz", payload)
    await network.publish("A")
    assert mirror.counts.faults == 1
    assert hub.state("wxyz")["now"]["title"] == "A"


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": b"[]"},
        {"state": b"{"},
        {"state": b'"text"', "seq": 0},
        {"history": [b"x"] * 9},
        {"term": -1},
        {"epoch": "e" * 65},
    ],
)
async def test_a_wrong_snapshot_harms_nothing(buses: BusHouse, wrong: dict[str, Any]) -> None:
    network = await Network.of(buses)
    hub, mirror = await network.edge()
    news = {
        "type": "snapshot",
        "term": 1 << 60,
        "epoch": "x",
        "seq": 5,
        "state": b"{}",
        "history": [],
        **wrong,
    }
    network.bus.publish("nextup.state.other", msgspec.msgpack.encode(news))
    await network.publish("A")
    assert hub.state("wxyz")["now"]["title"] == "A"
    assert (mirror.counts.faults == 1) != ("other" in hub.stations)


async def test_many_questions_at_once_have_one_answer_with_all_that_was(buses: BusHouse) -> None:
    network = await Network.of(buses)
    await network.publish(*"ABC")
    network.clock.advance(1)
    inbox = Inbox()
    listener = await buses.join()
    listener.subscribe("nextup.state.wxyz", inbox)
    await buses.settle()
    for _ in range(50):
        listener.publish("nextup.ask.wxyz", b"")
    listener.publish("nextup.ask.nobody", b"")
    await buses.settle()
    await buses.settle()
    assert len(inbox.messages) == 1
    network.clock.advance(0.3)
    network.relay.tick()
    await buses.settle()
    news = [decode_state(payload) for payload in inbox.payloads]
    assert [len(each.history) for each in news if isinstance(each, SnapshotNews)] == [3, 3]


async def test_a_state_that_no_message_holds_is_told_and_stops_nobody(buses: BusHouse) -> None:
    network = await Network.of(buses)
    network.hub.publish_state("wxyz", {"now": "x" * PAYLOAD_LIMIT_BYTES}, AT)
    assert network.relay.faults == 1
    hub, _ = await network.edge()
    assert hub.stations == ("kday",)
    await network.publish("A", station="kday")
    assert hub.state("kday")["now"]["title"] == "A"


async def test_a_history_that_is_too_long_for_a_message_is_shortened(buses: BusHouse) -> None:
    clock = ManualClock()
    source = Hub(epoch="first", history_bytes=1 << 22)
    source.open("wxyz", {"now": ""})
    for number in range(20):
        source.publish_state("wxyz", {"now": f"{number:0100000d}"}, AT)
    relay = Relay(source, await buses.join(), clock)
    relay.begin()
    edge = Hub(history_bytes=1 << 22)
    Mirror(edge, await buses.join(), clock).begin()
    await buses.settle()
    await buses.settle()
    assert relay.faults == 0
    assert edge.state("wxyz") == source.state("wxyz")
    assert len(edge.baton("wxyz").history) == 9


def test_the_hub_takes_only_the_next_update_of_another_process() -> None:
    source, edge = Hub(epoch="first"), Hub()
    source.open("wxyz", state("A"))
    edge.replace(source.baton("wxyz"))
    publications: list[Publication] = []
    source.on_publication = publications.append
    source.publish_state("wxyz", state("B"), AT)
    source.publish_state("wxyz", state("C"), AT)
    decoded = decode_message(publications[1].payload)
    assert isinstance(decoded, Update)
    with pytest.raises(ValueError, match="update 2 does not follow 0"):
        edge.follow(decoded, publications[1].payload)
    assert edge.position("wxyz").seq == 0


async def test_listeners_of_all_edges_are_added_up_and_a_dead_edge_is_forgotten(buses: BusHouse) -> None:
    clock = ManualClock()
    counts = EdgeCounts(await buses.join(), clock)
    counts.begin()
    listening = {"wxyz": 3}
    tellers = [
        CountTeller(await buses.join(), clock, "north", lambda: listening),
        CountTeller(await buses.join(), clock, "south", lambda: {"wxyz": 4, "kday": 1}),
    ]
    await buses.settle()
    for teller in tellers:
        teller.tick()
    await buses.settle()
    assert (counts.listeners("wxyz"), counts.listeners("kday"), counts.edges) == (7, 1, 2)
    listening["wxyz"] = 10
    tellers[0].tick()
    await buses.settle()
    assert counts.listeners("wxyz") == 7
    clock.advance(TELL_EVERY_S)
    tellers[0].tick()
    await buses.settle()
    assert counts.listeners("wxyz") == 14
    clock.advance(FORGET_AFTER_S - TELL_EVERY_S + 1)
    assert (counts.listeners("wxyz"), counts.edges) == (10, 1)
    tellers[0].leave()
    await buses.settle()
    assert counts.listeners("wxyz") == 0


async def test_counts_are_bounded_and_nonsense_is_passed_over(buses: BusHouse) -> None:
    bus = await buses.join()
    counts = EdgeCounts(bus, ManualClock())
    counts.begin()
    await buses.settle()
    for edge in range(EDGES_LIMIT + 10):
        bus.publish(f"nextup.count.e{edge}", msgspec.msgpack.encode({"listeners": {"wxyz": 1}}))
    for wrong in (b"x", msgspec.msgpack.encode({"listeners": {"wxyz": -5}})):
        bus.publish("nextup.count.e1", wrong)
    await buses.settle()
    assert (counts.listeners("wxyz"), counts.edges, counts.faults) == (EDGES_LIMIT, EDGES_LIMIT, 2)
    counts.close()
    assert counts.listeners("wxyz") == 0
