"""Real players on a live station, and the level of what they hear."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import Future

import numpy as np
import pytest
from player_runs import LISTEN_S, LISTEN_SHORTLY_S, RATE_HZ, Played, longest_silence_s, loudness_lufs

TARGET_LUFS = -16.0
ITS_OWN_STOP = "[ffmpeg/demuxer] aac: Packet corrupt (stream = 0, dts = NOPTS)."
"""What mpv may say last of ADTS: the frame that it was reading when its time was up."""


@pytest.mark.parametrize("name", ["ffmpeg", "mpv", "mpg123"])
def test_player_plays_without_a_complaint(listening: dict[str, Future[Played]], name: str) -> None:
    run = listening[name].result()
    assert (run.status, run.words) == (0, "")
    assert run.took_s > LISTEN_S / 2, "it was fed at the pace of the clock"


@pytest.mark.parametrize("mount", ["live.aac", "live.opus"])
@pytest.mark.parametrize("name", ["ffmpeg", "mpv"])
def test_player_joins_other_formats_in_the_middle_without_a_complaint(
    listening: dict[str, Future[Played]], name: str, mount: str
) -> None:
    run = listening[f"{name} {mount}"].result()
    assert (run.status, run.words.removesuffix(ITS_OWN_STOP)) == (0, "")
    assert run.took_s > LISTEN_SHORTLY_S / 3, "it was fed at the pace of the clock"


@pytest.mark.parametrize(
    ("mount", "promised"),
    [
        ("live.aac", {"codec_name": "aac", "profile": "LC", "sample_rate": "48000", "channels": 2}),
        ("live.opus", {"codec_name": "opus", "sample_rate": "48000", "channels": 2}),
    ],
)
def test_other_formats_are_what_the_station_promises(
    stream: str, programs: dict[str, str], mount: str, promised: dict[str, str | int]
) -> None:
    url = stream.replace("live.mp3", mount)
    told = subprocess.run(
        [programs["ffprobe"], "-loglevel", "error", "-show_streams", "-of", "json", url],
        capture_output=True,
        timeout=30,
        check=True,
        text=True,
    )
    (form,) = json.loads(told.stdout)["streams"]
    assert {key: form[key] for key in promised} == promised
    assert told.stderr == ""


@pytest.mark.parametrize("mount", ["live.aac", "live.opus"])
def test_other_formats_are_as_loud(listening: dict[str, Future[Played]], mount: str) -> None:
    sound = listening[f"pyav {mount}"].result().sound
    assert sound is not None
    assert len(sound) >= LISTEN_SHORTLY_S * RATE_HZ
    assert loudness_lufs(sound) == pytest.approx(TARGET_LUFS, abs=1.0)
    assert longest_silence_s(sound) <= 1.5
    assert np.max(np.abs(sound)) < 1.0


def test_stream_is_what_the_station_promises(stream: str, programs: dict[str, str]) -> None:
    told = subprocess.run(
        [programs["ffprobe"], "-loglevel", "error", "-show_streams", "-of", "json", stream],
        capture_output=True,
        timeout=30,
        check=True,
        text=True,
    )
    (form,) = json.loads(told.stdout)["streams"]
    promised = {"codec_name": "mp3", "sample_rate": "48000", "channels": 2, "bit_rate": "128000"}
    assert {key: form[key] for key in promised} == promised
    assert told.stderr == ""


def test_level_is_the_target_and_nothing_is_silent(listening: dict[str, Future[Played]]) -> None:
    sound = listening["pyav"].result().sound
    assert sound is not None
    assert len(sound) >= LISTEN_S * RATE_HZ
    level_lufs = loudness_lufs(sound)
    print(f"{level_lufs:.2f} LUFS, longest silence {longest_silence_s(sound):.2f} s")  # noqa: T201
    assert level_lufs == pytest.approx(TARGET_LUFS, abs=1.0)
    assert longest_silence_s(sound) <= 1.5
    assert np.max(np.abs(sound)) < 1.0


def test_measures_tell_known_sounds() -> None:
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    sine = np.sin(2 * np.pi * 997 * time_s)
    stereo = np.stack([sine, sine], axis=1)
    assert loudness_lufs(stereo * 10 ** (-23 / 20)) == pytest.approx(-23.0, abs=0.1)
    gap = stereo.copy()
    gap[RATE_HZ : 3 * RATE_HZ] = 0.0
    assert longest_silence_s(gap) == pytest.approx(2.0, abs=0.05)
