"""Which sponsors fill a break (pure).

Positions are filled from left to right. Among the campaigns that may air, the one delivered least comes
first, then the one whose last airing is longest ago, then a stable hash. A sponsor stands in a break once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from zlib import crc32

import msgspec

from radio.library.items import Item
from radio.sponsors.campaigns import Campaign
from radio.sponsors.weektime import HOUR_MS

MAX_UNITS: Final = 30


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """One airing in a break, and in plain words why this campaign."""

    campaign: Campaign
    item: Item
    reason: str


class Deliveries:
    """How often each campaign was or will be aired, and its airings of the last hour."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._starts: dict[str, deque[int]] = {}

    def note(self, campaign: str, at_ms: int) -> None:
        """Count an airing at ``at_ms``; airings are noted in the order of time."""
        self._count[campaign] += 1
        self._starts.setdefault(campaign, deque(maxlen=60)).append(at_ms)

    def count(self, campaign: str) -> int:
        """All airings noted."""
        return self._count[campaign]

    def last_ms(self, campaign: str) -> int:
        """The last airing; far in the past where there is none."""
        starts = self._starts.get(campaign)
        return starts[-1] if starts else -(2**62)

    def in_hour_before(self, campaign: str, at_ms: int) -> int:
        """Airings in the hour that ends at ``at_ms``."""
        return sum(at_ms - HOUR_MS < start <= at_ms for start in self._starts.get(campaign, ()))


def fill_break(
    creatives: Sequence[tuple[Campaign, Item]],
    deliveries: Deliveries,
    *,
    station: str,
    local: datetime,
    at_ms: int,
    length_ms: int,
    max_units: int,
    seed: str,
) -> list[Spot]:
    """The spots of one break that starts at ``at_ms`` (``local`` on the station's clock), in order.

    Together they last at most ``length_ms``. ``deliveries`` is only read. Empty where no campaign may air.
    """
    eligible = [one for one in creatives if _may_air(one[0], deliveries, station, local, at_ms)]
    spots: list[Spot] = []
    left_ms = length_ms
    while len(spots) < min(max_units, MAX_UNITS):
        taken = {spot.campaign.sponsor for spot in spots}
        ranked = sorted(
            (one for one in eligible if one[0].sponsor not in taken and one[1].air_ms <= left_ms),
            key=lambda one: _rank(one[0], deliveries, seed),
        )
        if not ranked:
            break
        campaign, item = ranked[0]
        spots.append(Spot(campaign=campaign, item=item, reason=_reason(campaign, deliveries, len(eligible))))
        left_ms -= item.air_ms
    return spots


def resolve(
    campaigns: Sequence[Campaign], found: Mapping[str, Item]
) -> tuple[list[tuple[Campaign, Item]], list[Campaign]]:
    """Campaigns with their audio, and those whose audio is not in ``found`` (by campaign id)."""
    here = [(campaign, found[campaign.id]) for campaign in campaigns if campaign.id in found]
    return here, [campaign for campaign in campaigns if campaign.id not in found]


def _may_air(campaign: Campaign, deliveries: Deliveries, station: str, local: datetime, at_ms: int) -> bool:
    if not campaign.is_eligible(station, local):
        return False
    cap = campaign.max_per_hour
    return cap is None or deliveries.in_hour_before(campaign.id, at_ms) < cap


def _rank(campaign: Campaign, deliveries: Deliveries, seed: str) -> tuple[int, int, int]:
    stable = crc32(f"{seed}/{campaign.id}".encode())
    return deliveries.count(campaign.id), deliveries.last_ms(campaign.id), stable


def _reason(campaign: Campaign, deliveries: Deliveries, eligible: int) -> str:
    count = deliveries.count(campaign.id)
    return f"least delivered ({count}) of {eligible} campaign{'s' * (eligible != 1)} that may air"
