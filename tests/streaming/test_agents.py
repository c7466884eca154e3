from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.streaming.agents import FAMILIES, agent_family

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("said", "family"),
    [
        (CHROME, "Chrome"),
        (CHROME + " Edg/137.0.0.0", "Chrome"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:139.0) Gecko/20100101 Firefox/139.0", "Firefox"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 FxiOS/139.0",
            "Firefox",
        ),
        (
            "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
            "Safari",
        ),
        ("AppleCoreMedia/1.0.0.22F76 (iPhone; U; CPU OS 18_5 like Mac OS X; en_us)", "iTunes"),
        ("iTunes/12.13 (Windows; Microsoft Windows 10 x64)", "iTunes"),
        ("VLC/3.0.20 LibVLC/3.0.20", "VLC"),
        ("libmpv", "other"),
        ("mpv 0.37.0", "mpv"),
        ("Lavf/60.16.100", "FFmpeg"),
        ("WinampMPEG/5.66, Ultravox/2.1", "Winamp"),
        ("curl/8.5.0", "curl"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("UptimeRobot/2.0", "bot"),
        ("robotics player", "other"),
        ("Music Player Daemon 0.23", "other"),
        ("", "other"),
        (None, "other"),
    ],
)
def test_players_are_told_apart(said, family):
    assert agent_family(said) == family


@given(st.text(max_size=400))
def test_whatever_is_said_there_is_a_family(said):
    assert agent_family(said) in FAMILIES
