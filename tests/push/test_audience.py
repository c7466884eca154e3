"""How publications go round."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from radio.push.audience import COHORT, Audience
from radio.push.channel import Kind, Publication
from radio.push.messages import ServerMessage
from radio.push.sessions import Together


def text(publication: Publication) -> bytes:
    return publication.payload


def numbered(seq: int, size: int = 10) -> Publication:
    return Publication(Kind.UPDATE, "wxyz", "first", seq, b"%d," % seq + bytes(size))


class Street:
    """A lane that remembers each send."""

    def __init__(self) -> None:
        self.sends: list[tuple[int, bytes]] = []
        self.groups: list[Company] = []

    def group(self) -> Company:
        self.groups.append(Company(self))
        return self.groups[-1]

    def send(self, subscribers: Sequence[Walker], together: Together) -> None:
        buffer = together.form(text)
        self.sends.append((len(subscribers), buffer))
        for subscriber in subscribers:
            subscriber.heard += [publication.seq for publication in together.publications]


class Company:
    """A group that sends by its street."""

    def __init__(self, street: Street) -> None:
        self.street = street
        self.walkers: list[Walker] = []

    def add(self, subscriber: Walker) -> None:
        assert subscriber not in self.walkers
        self.walkers.append(subscriber)

    def discard(self, subscriber: Walker) -> None:
        self.walkers.remove(subscriber)

    def send(self, together: Together) -> None:
        self.street.send(tuple(self.walkers), together)


class Walker:
    def __init__(self, lane: Street | None = None) -> None:
        self.lane = lane
        self.heard: list[int] = []
        self.does: Callable[[], None] = lambda: None

    def deliver(self, publication: Publication) -> None:
        self.heard.append(publication.seq)
        self.does()

    def tell(self, message: ServerMessage) -> None:
        raise AssertionError(message)


def audience_of(members: Sequence[Walker], **limits: int) -> Audience:
    audience = Audience(lambda: numbered(99), lambda member: None, **limits)
    for member in members:
        audience.add(member)
    return audience


def test_a_turn_serves_one_cohort_and_all_get_the_same_bytes() -> None:
    street = Street()
    walkers = [Walker(street) for _ in range(10 * COHORT)]
    audience = audience_of(walkers)
    audience.publish(numbered(1))
    assert audience.turn() == COHORT
    assert [count for count, _ in street.sends] == [COHORT]
    assert sum(audience.turn() for _ in range(9)) == 9 * COHORT
    assert audience.is_served
    assert len({id(buffer) for _, buffer in street.sends}) == 1
    assert all(walker.heard == [1] for walker in walkers)


def test_what_comes_while_it_goes_round_is_joined() -> None:
    street = Street()
    walkers = [Walker(street) for _ in range(10 * COHORT)]
    audience = audience_of(walkers)
    audience.publish(numbered(1))
    audience.turn()
    for seq in range(2, 17):
        audience.publish(numbered(seq))
    while not audience.is_served:
        audience.turn()
    assert all(walker.heard == list(range(1, 17)) for walker in walkers)
    # One round for all sixteen, and one more send to those who had the first.
    assert len(street.sends) == 11
    assert len({id(buffer) for _, buffer in street.sends}) == 3


def test_whoever_comes_or_goes_meanwhile_gets_what_is_after_it() -> None:
    street = Street()
    walkers = [Walker(street) for _ in range(COHORT // 2)]
    audience = audience_of(walkers)
    audience.publish(numbered(1))
    late = Walker(street)
    audience.add(late)
    audience.add(walkers[3])  # it was just told of everything
    audience.publish(numbered(2))
    audience.discard(walkers[4])
    while not audience.is_served:
        audience.turn()
    assert late.heard == walkers[3].heard == [2]
    assert walkers[4].heard == []
    assert walkers[5].heard == [1, 2]
    assert len(audience) == COHORT // 2
    assert walkers[4] not in audience


def test_one_that_leaves_while_others_are_sent_to_harms_nobody() -> None:
    walkers = [Walker() for _ in range(6)]
    audience = audience_of(walkers)
    walkers[2].does = lambda: audience.discard(walkers[2])
    audience.publish(numbered(1))
    audience.turn()
    audience.publish(numbered(2))
    audience.turn()
    assert [walker.heard for walker in walkers] == [[1, 2], [1, 2], [1], [1, 2], [1, 2], [1, 2]]


def test_too_much_on_its_way_gives_way_to_a_snapshot() -> None:
    street = Street()
    walkers = [Walker(street) for _ in range(3 * COHORT)]
    audience = audience_of(walkers, log_bytes=1000)
    for seq in range(1, 21):
        audience.publish(numbered(seq, 100))
        if seq == 2:
            audience.turn()
    while not audience.is_served:
        audience.turn()
    assert walkers[0].heard[:2] == [1, 2]
    assert walkers[0].heard[2] == walkers[-1].heard[0] == 99
    assert walkers[0].heard[3:] == walkers[-1].heard[1:]
    assert sum(len(buffer) for _, buffer in street.sends) < 10 * 1000


def test_places_are_filled_again() -> None:
    street = Street()
    walkers = [Walker(street) for _ in range(5 * COHORT)]
    audience = audience_of(walkers)
    for walker in walkers[::2]:
        audience.discard(walker)
    for _ in range(len(walkers) // 2):
        audience.add(Walker(street))
    audience.publish(numbered(1))
    turns = 0
    while not audience.is_served:
        audience.turn()
        turns += 1
    assert turns == 5


def test_a_turn_is_never_longer_than_a_full_cohort() -> None:
    street = Street()
    walkers = [Walker(street) for _ in range(3 * COHORT)]
    audience = audience_of(walkers)
    for walker in (walkers[0], *walkers[COHORT : 2 * COHORT - 1]):
        audience.discard(walker)
    audience.publish(numbered(1))
    turns = []
    while not audience.is_served:
        turns.append(audience.turn())
    assert turns == [COHORT, COHORT]


def test_an_empty_house_costs_nothing() -> None:
    walker = Walker()
    audience = audience_of([walker])
    audience.discard(walker)
    audience.discard(walker)
    audience.publish(numbered(1))
    assert audience.is_served
    audience.add(walker)
    audience.publish(numbered(2))
    audience.turn()
    assert walker.heard == [2]
