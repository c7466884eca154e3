"""Which player a ``User-Agent`` header speaks of, as one of a few words."""

from __future__ import annotations

import re
from typing import Final

OTHER: Final = "other"

MAX_LOOKED_AT: Final = 300
"""Characters; what stands behind them decides nothing."""

# Order matters: browsers name their ancestors, and robots and players name browsers.
_FAMILIES: Final = (
    ("bot", re.compile(r"bot\b|bot/|crawler|spider|slurp|monitor|uptime|pingdom|headlesschrome", re.I)),
    ("VLC", re.compile(r"\bvlc\b|libvlc", re.I)),
    ("mpv", re.compile(r"\bmpv\b", re.I)),
    ("FFmpeg", re.compile(r"^lavf|ffmpeg|libavformat", re.I)),
    ("Winamp", re.compile(r"winamp|^nsplayer.*winamp", re.I)),
    ("iTunes", re.compile(r"\bitunes\b|applecoremedia|^music/", re.I)),
    ("curl", re.compile(r"^curl/", re.I)),
    ("Firefox", re.compile(r"\bfirefox/|\bfxios/", re.I)),
    ("Chrome", re.compile(r"\bchrom(?:e|ium)/|\bcrios/", re.I)),
    ("Safari", re.compile(r"\bsafari/", re.I)),
)

FAMILIES: Final = (*(name for name, _ in _FAMILIES), OTHER)
"""Every word that :func:`agent_family` answers."""


def agent_family(user_agent: str | None) -> str:
    """The family of a player, one of :data:`FAMILIES`; ``other`` for none and for what is not known.

    Browsers on Chromium (Edge, Opera) count as Chrome. iOS and macOS fetch streams as AppleCoreMedia, whichever
    page asked for them, and count as iTunes.
    """
    if not user_agent:
        return OTHER
    text = user_agent[:MAX_LOOKED_AT]
    return next((name for name, pattern in _FAMILIES if pattern.search(text)), OTHER)
