"""The promise of resumption, against a model that keeps everything."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from push_doubles import Follower

from radio.push.channel import Kind
from radio.push.hub import Hub
from radio.push.messages import Position
from radio.push.patch import prune
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


class Resumption(RuleBasedStateMachine):
    """Publish, drop, come back with a position, fall behind, lose history, restart in another epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub(epoch="epoch 0", history_length=HISTORY)
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
        follower = self.followers[name] = Follower(self.hub, backlog_bytes=BACKLOG_BYTES)
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
        self.hub = Hub(epoch=self.epoch, history_length=HISTORY)
        self.hub.open("wxyz", state)

    def _new_epoch(self, state: dict[str, Any]) -> None:
        self.epochs += 1
        self.epoch, self.seq, self.truth = f"epoch {self.epochs}", 0, state

    @invariant()
    def readers_hold_the_truth(self) -> None:
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
TestResumption.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
