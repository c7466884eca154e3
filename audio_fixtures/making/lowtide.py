"""Low Tide Local's music, seven bands of one small town, and the station music."""

from __future__ import annotations

from collections.abc import Callable

from . import effects as fx
from . import fillers, lowtide_acoustic, lowtide_electric
from .piece import Piece


def beats_s(beats: int, bpm: int) -> float:
    """How long so many beats last."""
    return beats * 60 / bpm


def _song(
    slug: str,
    title: str,
    artist: str,
    album: str,
    genre: str,
    make: Callable[[], fx.Sound],
    suffix: str,
    kbps: int,
    intro_s: float = 0.0,
) -> Piece:
    return Piece(slug, title, artist, album, make, suffix, kbps, genre, intro_s=intro_s)


PIECES = (
    _song(
        "slack-water",
        "Slack Water",
        "The Breakwater Lights",
        "Chandlery",
        "Indie folk",
        lowtide_acoustic.slack_water,
        ".opus",
        48,
        beats_s(16, 100),  # the fiddle
    ),
    _song(
        "sodium-lamps",
        "Sodium Lamps",
        "Night Ferry",
        "Last Boat Out",
        "Electronic",
        lowtide_electric.sodium_lamps,
        ".opus",
        44,
        beats_s(32, 108),  # the lead
    ),
    _song(
        "paper-boats",
        "Paper Boats",
        "Saltbox Parade",
        "Small Weather",
        "Indie pop",
        lowtide_acoustic.paper_boats,
        ".opus",
        44,
        beats_s(48, 122),  # the voices
    ),
    _song(
        "mudlark-waltz",
        "Mudlark Waltz",
        "Kelp & Wire",
        "Found on the Flats",
        "Folk",
        lowtide_acoustic.mudlark_waltz,
        ".m4a",
        56,
    ),
    _song(
        "low-sun-long-shadow",
        "Low Sun, Long Shadow",
        "The Tern Island Four",
        "Ferry Lounge",
        "Jazz",
        lowtide_acoustic.long_shadow,
        ".opus",
        42,
    ),
    _song(
        "slipway-dub",
        "Slipway Dub",
        "Dry Dock Sound",
        "Plates and Rivets",
        "Dub",
        lowtide_electric.slipway_dub,
        ".ogg",
        60,
        beats_s(16, 72),  # the melodica
    ),
    _song(
        "driftglass",
        "Driftglass",
        "Glass Floats",
        "Tideline Recordings",
        "Ambient",
        lowtide_electric.driftglass,
        ".opus",
        42,
    ),
)
FILL = (
    _song(
        "quiet-water",
        "Quiet Water",
        "Port Ellery Studio Players",
        "Station music",
        "Instrumental",
        fillers.quiet_water,
        ".opus",
        42,
    ),
    _song(
        "between-tides",
        "Between Tides",
        "Port Ellery Studio Players",
        "Station music",
        "Instrumental",
        fillers.between_tides,
        ".mp3",
        56,
    ),
)
BEDS = (
    _song(
        "newsroom-loop",
        "Newsroom Loop",
        "Port Ellery Studio Players",
        "Station music",
        "Instrumental",
        fillers.newsroom_loop,
        ".ogg",
        48,
    ),
)
