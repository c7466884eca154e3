"""A mirror behind a bus that loses, repeats and reorders: always a state that the source had, in the end its own.

Followers go from the source to the edges and between them with the position that they have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from push_doubles import Follower

from radio.clock import ManualClock
from radio.push.bus import Receive, check_payload, check_subject, matcher
from radio.push.channel import Kind
from radio.push.hub import Hub
from radio.push.messages import Position
from radio.push.mirror import SILENT_S, Mirror
from radio.push.patch import prune
from radio.push.relay import SNAPSHOT_EVERY_S, Relay
from radio.units import UtcMs

EDGES = ("one", "two")
HISTORY = 4
states = st.fixed_dictionaries(
    {
        "now": st.none()
        | st.fixed_dictionaries({"title": st.sampled_from("ABCD"), "artist": st.none() | st.just("X")})
    },
    optional={"next": st.lists(st.sampled_from(["P", "Q"]), max_size=2), "live": st.booleans() | st.just(1)},
)
fates = st.lists(
    st.sampled_from(["comes", "comes", "comes", "comes", "comes", "is lost", "is late", "comes twice"]),
    max_size=20,
)


class RoughBus:
    """A bus on which every message waits for each subscription until the test says what becomes of it."""

    def __init__(self) -> None:
        self.subscriptions: list[RoughSubscription] = []
        self.on_the_way: list[tuple[RoughSubscription, str, bytes]] = []

    def publish(self, subject: str, payload: bytes) -> None:
        check_subject(subject)
        check_payload(payload)
        self.on_the_way += [(each, subject, payload) for each in self.subscriptions if each.fits(subject)]

    def subscribe(self, pattern: str, receive: Receive) -> RoughSubscription:
        self.subscriptions.append(RoughSubscription(self, matcher(pattern), receive))
        return self.subscriptions[-1]

    def deliver(self, at: int) -> None:
        subscription, subject, payload = self.on_the_way.pop(at)
        if subscription in self.subscriptions:
            subscription.receive(subject, payload)

    def deliver_all(self) -> None:
        for _ in range(10_000):
            if not self.on_the_way:
                return
            self.deliver(0)
        raise AssertionError("they never fall silent")


class RoughSubscription:
    dropped = 0

    def __init__(self, bus: RoughBus, fits: Callable[[str], bool], receive: Receive) -> None:
        self.bus = bus
        self.fits = fits
        self.receive = receive

    def close(self) -> None:
        if self in self.bus.subscriptions:
            self.bus.subscriptions.remove(self)


class Mirrored(RuleBasedStateMachine):
    """One source, two edges, and one follower that goes where it likes.

    In ``calm`` runs no clock is set and no source counts as silent: there no edge ever goes back.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.bus = RoughBus()
        self.truths: dict[Position, Any] = {}
        self.order: dict[str, int] = {}
        self.state: dict[str, Any] = {"now": None}
        self.at: str | None = None
        self.follower: Follower | None = None
        self.known: tuple[dict[str, Any], Position] | None = None
        self.edges: dict[str, Hub] = {}
        self.mirrors: dict[str, Mirror] = {}
        self.best: dict[str, tuple[int, int]] = {}

    @initialize(calm=st.booleans())
    def start(self, calm: bool) -> None:
        self.calm = calm
        for name in EDGES:
            self.start_edge(name)
        self.start_source()
        self.bus.deliver_all()

    def start_edge(self, name: str) -> None:
        self.edges[name] = Hub(epoch=f"edge {name}", history_length=HISTORY)
        silent_s = 1e9 if self.calm else SILENT_S
        self.mirrors[name] = Mirror(self.edges[name], self.bus, self.clock, silent_s=silent_s)
        self.mirrors[name].begin()
        self.best[name] = (-1, -1)

    def start_source(self) -> None:
        self.source = Hub(epoch=self.new_epoch(), history_length=HISTORY)
        self.relay = Relay(self.source, self.bus, self.clock)
        self.relay.begin()
        self.source.open("wxyz", self.state)
        self.remember()

    def new_epoch(self) -> str:
        # Their names are in no order: only terms are.
        epoch = f"{(len(self.order) * 7 + 3) % 10}-{len(self.order)}"
        self.order[epoch] = len(self.order)
        return epoch

    def remember(self) -> None:
        self.truths[self.source.position("wxyz")] = prune(self.state)

    def hubs(self) -> dict[str, Hub]:
        return {"source": self.source, **self.edges}

    @rule(news=st.lists(states, min_size=1, max_size=5), fates=fates)
    def publish(self, news: list[dict[str, Any]], fates: list[str]) -> None:
        for state in news:
            self.source.publish_state("wxyz", state, UtcMs(0))
            self.state = state
            self.remember()
        self.travel(fates)

    @rule(fates=fates)
    def travel(self, fates: list[str]) -> None:
        """What becomes of the messages that have waited longest."""
        for fate in fates:
            if not self.bus.on_the_way:
                return
            if fate == "comes":
                self.bus.deliver(0)
            else:
                message = self.bus.on_the_way.pop(0)
                self.bus.on_the_way += {
                    "is lost": [],
                    "is late": [message],
                    "comes twice": [message, message],
                }[fate]
            self.every_edge_is_where_the_source_was()

    @rule(seconds=st.sampled_from([0.1, 0.6, 5.0, 16.0]), fates=fates)
    def pass_time(self, seconds: float, fates: list[str]) -> None:
        self.clock.advance(seconds)
        self.relay.tick()
        for mirror in self.mirrors.values():
            mirror.tick()
        self.travel(fates)

    @rule(how=st.sampled_from(["anew", "set back", "takeover", "channel"]), fates=fates)
    def restart(self, how: str, fates: list[str]) -> None:
        self.clock.advance(0.05)
        if how == "channel":
            self.source.open("wxyz", self.state, epoch=self.new_epoch())
            self.remember()
        else:
            self.leave_if_at("source")
            self.relay.close()
            if how == "takeover":
                self.take_over()
            else:
                self.clock.step_wall(-3600 if how == "set back" and not self.calm else 1)
                self.start_source()
        self.travel(fates)

    def take_over(self) -> None:
        batons, epoch = self.source.hand_over(), self.source.epoch
        self.source = Hub(epoch="never seen", history_length=HISTORY)
        self.source.adopt(batons, epoch)
        self.relay = Relay(self.source, self.bus, self.clock)
        self.relay.begin()

    @rule(name=st.sampled_from(EDGES))
    def restart_an_edge(self, name: str) -> None:
        self.leave_if_at(name)
        self.mirrors[name].close()
        self.start_edge(name)

    @rule(name=st.sampled_from(["source", *EDGES]))
    def the_follower_goes_to(self, name: str) -> None:
        hub = self.hubs()[name]
        if "wxyz" not in hub.stations:
            return
        self.leave_if_at(self.at)
        self.at, self.follower = name, Follower(hub)
        since = None
        if self.known is not None:
            self.follower.states["wxyz"], since = self.known
            self.follower.positions["wxyz"] = since
        resumed = hub.subscribe(self.follower, "wxyz", since)
        if not resumed:
            assert [each.kind for each in self.follower.received] == [Kind.SNAPSHOT]

    def leave_if_at(self, name: str | None) -> None:
        if self.follower is not None and name == self.at:
            self.known = self.follower.states["wxyz"], self.follower.positions["wxyz"]
            self.follower.hub.drop(self.follower)
            self.at = self.follower = None

    @invariant()
    def every_edge_is_where_the_source_was(self) -> None:
        for name, hub in self.edges.items():
            if "wxyz" not in hub.stations:
                continue
            position = hub.position("wxyz")
            assert prune(hub.state("wxyz")) == self.truths[position]
            reached = self.order[position.epoch], position.seq
            assert reached >= self.best[name] or not self.calm
            self.best[name] = reached

    @invariant()
    def the_follower_is_where_its_hub_is(self) -> None:
        if self.follower is not None:
            assert self.follower.positions["wxyz"] == self.follower.hub.position("wxyz")
            assert prune(self.follower.states["wxyz"]) == self.truths[self.follower.positions["wxyz"]]

    def teardown(self) -> None:
        """Whatever was lost: once messages come through again, every edge is the source's equal."""
        if not self.edges:
            return
        self.bus.on_the_way.clear()
        for _ in range(5):
            self.clock.advance(SNAPSHOT_EVERY_S)
            self.relay.tick()
            self.bus.deliver_all()
        for name, hub in self.edges.items():
            assert hub.position("wxyz") == self.source.position("wxyz")
            assert prune(hub.state("wxyz")) == prune(self.state)
            assert self.mirrors[name].is_current("wxyz")
            assert self.mirrors[name].counts.faults == 0
        assert self.relay.faults == 0
        self.the_follower_is_where_its_hub_is()


TestMirrored = Mirrored.TestCase
TestMirrored.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
