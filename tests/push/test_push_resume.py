"""The promise of resumption, against a model that keeps everything."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from push_doubles import Follower

from radio.push import audience
from radio.push.channel import Kind
from radio.push.hub import Hub
from radio.push.messages import Position
from radio.push.patch import prune
from radio.push.sessions import Together
from radio.units import UtcMs

HISTORY = 4
BACKLOG_BYTES = 400
names = st.sampled_from(["one", "two", "three"])
states = st.fixed_dictionaries(
    {
        "now": st.none()
        | st.fixed_dictionaries({"title": st.sampled_from("ABCD"), "artist": st.none() | st.just("X")})
    },
    optional={"next": st.lists(st.sampled_from(["P", "Q" * 60]), max_size=3)},
)


class Fellow(Follower):
    """A follower that is sent to together with others."""

    def __init__(self, hub: Hub, lane: Bus, **limits: int) -> None:
        super().__init__(hub, **limits)
        self.lane = lane


class Bus:
    """A lane that sends to each."""

    def group(self) -> Crew:
        return Crew(self)

    def send(self, subscribers: Sequence[Follower], together: Together) -> None:
        for subscriber in subscribers:
            for publication in together.publications:
                subscriber.deliver(publication)


class Crew:
    """A group that sends by its lane."""

    def __init__(self, lane: Bus) -> None:
        self.lane = lane
        self.members: list[Follower] = []

    def add(self, subscriber: Follower) -> None:
        self.members.append(subscriber)

    def discard(self, subscriber: Follower) -> None:
        self.members.remove(subscriber)

    def send(self, together: Together) -> None:
        self.lane.send(tuple(self.members), together)


class Turns:
    """An event loop, as far as a hub knows it: one turn at a time."""

    def __init__(self) -> None:
        self.waiting: deque[Callable[[], None]] = deque()

    def soon(self, run: Callable[[], None]) -> None:
        self.waiting.append(run)

    def one(self) -> None:
        if self.waiting:
            self.waiting.popleft()()


class Resumption(RuleBasedStateMachine):
    """Publish, drop, come back with a position, fall behind, lose history, restart in another epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.lane = Bus()
        self.turns = Turns()
        self.hub = self.new_hub()
        self.truth: dict[str, Any] = {"now": None}
        self.epoch, self.seq, self.epochs = "epoch 0", 0, 0
        self.hub.open("wxyz", self.truth)
        self.followers: dict[str, Follower] = {}
        self.known: dict[str, tuple[dict[str, Any], Position]] = {}

    @rule(state=states)
    def publish(self, state: dict[str, Any]) -> None:
        changed = prune(state) != prune(self.truth)
        self.truth = state
        self.seq += changed
        assert (self.hub.publish_state("wxyz", state, UtcMs(0)) is not None) == changed

    @rule(name=names, remembers=st.booleans())
    def connect(self, name: str, remembers: bool) -> None:
        if name in self.followers:
            return
        follower = self.followers[name] = (
            Follower(self.hub, backlog_bytes=BACKLOG_BYTES)
            if name == "one"
            else Fellow(self.hub, self.lane, backlog_bytes=BACKLOG_BYTES)
        )
        since = None
        if remembers and name in self.known:
            follower.states["wxyz"], since = self.known[name]
            follower.positions["wxyz"] = since
        possible = (
            since is not None and since.epoch == self.epoch and self.seq - since.seq <= min(HISTORY, self.seq)
        )
        assert self.hub.subscribe(follower, "wxyz", since, request_id=5) == possible
        if possible:
            assert since is not None
            assert [p.seq for p in follower.received] == list(range(since.seq + 1, self.seq + 1))
        else:
            assert [(p.kind, p.request_id) for p in follower.received] == [(Kind.SNAPSHOT, 5)]

    @rule(name=names)
    def disconnect(self, name: str) -> None:
        follower = self.followers.pop(name, None)
        if follower is not None:
            self.hub.drop(follower)
            self.known[name] = follower.states["wxyz"], follower.positions["wxyz"]

    @rule(name=names)
    def stop_reading(self, name: str) -> None:
        if name in self.followers:
            self.followers[name].paused = True

    @rule(name=names)
    def read_again(self, name: str) -> None:
        if name in self.followers:
            self.followers[name].resume()

    @rule(state=states)
    def restart_the_station(self, state: dict[str, Any]) -> None:
        self._new_epoch(state)
        self.hub.open("wxyz", state, epoch=self.epoch)

    @rule(state=states)
    def restart_the_server(self, state: dict[str, Any]) -> None:
        for name in tuple(self.followers):
            self.disconnect(name)
        self._new_epoch(state)
        self.turns.waiting.clear()
        self.hub = self.new_hub()
        self.hub.open("wxyz", state)

    @rule()
    def another_process_takes_over(self) -> None:
        batons = self.hub.hand_over()
        for name in tuple(self.followers):
            self.disconnect(name)
        self.turns.waiting.clear()
        epoch, self.hub = self.hub.epoch, self.new_hub()
        self.hub.adopt(batons, epoch)

    @rule(name=names, current=st.booleans())
    def subscribe_again(self, name: str, current: bool) -> None:
        follower = self.followers.get(name)
        if follower is not None and not follower.paused:
            self.hub.subscribe(follower, "wxyz", follower.positions["wxyz"] if current else None)

    @rule()
    def a_turn(self) -> None:
        self.turns.one()

    def new_hub(self) -> Hub:
        return Hub(epoch=getattr(self, "epoch", "epoch 0"), history_length=HISTORY)

    def _new_epoch(self, state: dict[str, Any]) -> None:
        self.epochs += 1
        self.epoch, self.seq, self.truth = f"epoch {self.epochs}", 0, state

    def at_rest(self) -> bool:
        return not self.turns.waiting

    @invariant()
    def readers_hold_the_truth(self) -> None:
        if not self.at_rest():
            return
        for follower in self.followers.values():
            if not follower.paused:
                assert prune(follower.states["wxyz"]) == prune(self.truth)
                assert follower.positions["wxyz"] == Position(self.epoch, self.seq)

    @invariant()
    def what_waits_is_bounded(self) -> None:
        assert all(follower.backlog.size_bytes <= BACKLOG_BYTES for follower in self.followers.values())

    @precondition(lambda self: self.followers)
    @invariant()
    def no_subscription_leaks(self) -> None:
        assert self.hub.counts().subscriptions == len(self.followers)


TestResumption = Resumption.TestCase
TestResumption.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class SlowResumption(Resumption):
    """The same where publications go round in turns, one subscriber at a time, and everything happens in between."""

    def __init__(self) -> None:
        self.cohort, audience.COHORT = audience.COHORT, 1
        super().__init__()

    def new_hub(self) -> Hub:
        epoch = getattr(self, "epoch", "epoch 0")
        return Hub(epoch=epoch, history_length=HISTORY, soon=self.turns.soon, on_its_way_bytes=600)

    @invariant()
    def nobody_is_ahead(self) -> None:
        for follower in self.followers.values():
            assert (
                follower.positions["wxyz"].seq <= self.seq or follower.positions["wxyz"].epoch != self.epoch
            )

    def teardown(self) -> None:
        while self.turns.waiting:
            self.turns.one()
        self.readers_hold_the_truth()
        audience.COHORT = self.cohort


TestSlowResumption = SlowResumption.TestCase
TestSlowResumption.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
