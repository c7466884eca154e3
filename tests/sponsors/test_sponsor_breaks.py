from __future__ import annotations

from collections import Counter
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from radio.library.items import Item
from radio.sponsors import Campaign, Deliveries, Spot, fill_break
from radio.units import DurationMs

HOUR_MS = 3_600_000
LOCAL = datetime.fromisoformat("2026-11-23T09:00")


Creative = tuple[Campaign, Item]


def creative(
    number: int, air_ms: int = 15_000, *, sponsor: str | None = None, cap: int | None = None
) -> tuple[Campaign, Item]:
    item = Item(
        id=f"i{number}",
        root="/library",
        path=f"sponsors/{number}.mp3",
        size_bytes=1,
        mtime_ns=1,
        content_hash=str(number),
        category="sponsors",
        title=f"Sponsor {number}",
        duration_ms=DurationMs(air_ms),
        cue_in_ms=DurationMs(0),
        cue_out_ms=DurationMs(air_ms),
    )
    campaign = Campaign(
        id=f"c{number}",
        sponsor=sponsor or f"s{number}",
        message="Words.",
        audio=f"{number}",
        max_per_hour=cap,
    )
    return campaign, item


def fill(
    creatives: list[Creative],
    deliveries: Deliveries,
    *,
    at_ms: int = 0,
    length_ms: int = 60_000,
    max_units: int = 4,
) -> list[Spot]:
    return fill_break(
        creatives,
        deliveries,
        station="wxyz",
        local=LOCAL,
        at_ms=at_ms,
        length_ms=length_ms,
        max_units=max_units,
        seed="",
    )


@given(
    st.lists(st.tuples(st.integers(5_000, 40_000), st.integers(0, 4)), max_size=12),
    st.integers(0, 120_000),
    st.integers(1, 8),
)
def test_no_break_is_too_long_too_full_or_has_a_sponsor_twice(
    lines: list[tuple[int, int]], length_ms: int, max_units: int
) -> None:
    creatives = [
        creative(index, air_ms, sponsor=f"s{sponsor}") for index, (air_ms, sponsor) in enumerate(lines)
    ]
    spots = fill(creatives, Deliveries(), length_ms=length_ms, max_units=max_units)
    sponsors = [spot.campaign.sponsor for spot in spots]
    assert len(set(sponsors)) == len(sponsors) <= max_units
    assert sum(spot.item.air_ms for spot in spots) <= length_ms


def test_deliveries_stay_even() -> None:
    creatives = [creative(number) for number in range(7)]
    deliveries = Deliveries()
    for number in range(500):
        for spot in fill(creatives, deliveries, at_ms=number * 300_000, max_units=2):
            deliveries.note(spot.campaign.id, number * 300_000)
    counts = [deliveries.count(campaign.id) for campaign, _ in creatives]
    assert sum(counts) == 1_000
    assert max(counts) - min(counts) <= 1


def test_a_cap_holds_in_every_hour() -> None:
    creatives = [creative(0, cap=3), creative(1, cap=6)]
    deliveries = Deliveries()
    starts: Counter[tuple[str, int]] = Counter()
    for number in range(240):
        at_ms = number * 150_000
        for spot in fill(creatives, deliveries, at_ms=at_ms, max_units=1):
            deliveries.note(spot.campaign.id, at_ms)
            starts[spot.campaign.id, at_ms] += 1
    for name, cap in (("c0", 3), ("c1", 6)):
        times = sorted(at_ms for campaign, at_ms in starts if campaign == name)
        assert all(times[index + cap] - times[index] >= HOUR_MS for index in range(len(times) - cap))


def test_the_least_delivered_campaign_comes_first_and_says_so() -> None:
    deliveries = Deliveries()
    for at_ms in (0, 1, 2):
        deliveries.note("c0", at_ms)
    deliveries.note("c1", 3)
    spots = fill([creative(0), creative(1)], deliveries, at_ms=60_000)
    assert [spot.campaign.id for spot in spots] == ["c1", "c0"]
    assert spots[0].reason == "least delivered (1) of 2 campaigns that may air"


def test_nothing_eligible_leaves_the_break_empty() -> None:
    assert fill([], Deliveries()) == []
    assert fill([creative(0, 61_000)], Deliveries()) == []
