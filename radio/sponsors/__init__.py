"""Sponsors, their campaigns, and how breaks are filled with them."""

from radio.sponsors.breaks import Deliveries, Spot, fill_break
from radio.sponsors.campaigns import Campaign, Daypart, Sponsor, SponsorBook, read_sponsors

__all__ = [
    "Campaign",
    "Daypart",
    "Deliveries",
    "Sponsor",
    "SponsorBook",
    "Spot",
    "fill_break",
    "read_sponsors",
]
