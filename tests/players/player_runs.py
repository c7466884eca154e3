"""Players at work on a live stream, and measures of what they hear."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

LISTEN_S = 20
LISTEN_SHORTLY_S = 8
RATE_HZ = 48_000
GIVE_UP_S = LISTEN_S + 25
MP3_FRAME_SAMPLES = 1_152
COMMANDS = {
    "ffmpeg": "-nostdin -hide_banner -loglevel error -xerror -i {url} -t {seconds} -f null -",
    "mpg123": "--quiet --test --frames {frames} {url}",
    # its clock is the null device's: 2 s in it, so that only the stream can run dry, not mpv on a busy machine
    "mpv": "--no-config --no-video --ao=null --ao-null-buffer=2 --audio-buffer=2 --msg-level=all=warn "
    "--length={seconds} {url}",
}

Sound = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Played:
    """How a run ended, what it said, how long it took, and the samples where these are known."""

    status: int
    words: str
    took_s: float
    sound: Sound | None = None


def play(program: str, name: str, url: str, seconds: int = LISTEN_S) -> Played:
    """Run a player on ``url`` for so many seconds of sound."""
    frames = seconds * RATE_HZ // MP3_FRAME_SAMPLES
    arguments = COMMANDS[name].format(url=url, seconds=seconds, frames=frames).split()
    began_s = time.monotonic()
    run = subprocess.run(
        [program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=GIVE_UP_S,
        check=False,
    )
    return Played(run.returncode, run.stdout.strip(), time.monotonic() - began_s)


def decode(url: str, seconds: int = LISTEN_S) -> Played:
    """Decode so many seconds of ``url`` with PyAV: (samples, 2) between -1 and 1."""
    began_s = time.monotonic()
    blocks: list[Sound] = []
    with av.open(url, timeout=(10.0, 10.0)) as container:
        resampler = av.AudioResampler("fltp", "stereo", RATE_HZ)
        for frame in container.decode(audio=0):
            blocks += [block.to_ndarray().T.astype(np.float64) for block in resampler.resample(frame)]
            if sum(len(block) for block in blocks) >= seconds * RATE_HZ:
                break
    return Played(0, "", time.monotonic() - began_s, np.concatenate(blocks))


def loudness_lufs(sound: Sound) -> float:
    """Integrated loudness of stereo at 48 kHz as of ITU-R BS.1770-4, annex 1; not the service's own measure."""
    weighted = _k_weighted(sound)
    step, block = RATE_HZ // 10, RATE_HZ * 4 // 10
    starts = range(0, len(weighted) - block + 1, step)
    power = np.array([np.sum(np.mean(weighted[start : start + block] ** 2, axis=0)) for start in starts])
    power = power[_lufs(power) > -70.0]
    return float(_lufs(np.mean(power[_lufs(power) > _lufs(np.mean(power)) - 10.0])))


def longest_silence_s(sound: Sound, below_db: float = -50.0) -> float:
    """The longest stretch in which no 20 ms reach ``below_db`` (peak, full scale)."""
    window = RATE_HZ // 50
    whole = len(sound) // window * window
    peaks = np.abs(sound[:whole]).reshape(-1, window * 2).max(axis=1)
    longest = run = 0
    for is_quiet in peaks < 10 ** (below_db / 20):
        run = run + 1 if is_quiet else 0
        longest = max(longest, run)
    return longest * window / RATE_HZ


def _lufs(power: NDArray[np.float64] | np.floating) -> NDArray[np.float64]:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, 1e-12)))


def _k_weighted(sound: Sound) -> Sound:
    # both filters of table 1 and table 2, by their response; long enough that the wrap-around is not heard
    shelf = (
        (1.53512485958697, -2.69169618940638, 1.19839281085285),
        (1, -1.69065929318241, 0.73248077421585),
    )
    high_pass = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(len(sound)))
    response = np.ones_like(turn)
    for above, below in (shelf, high_pass):
        response *= np.polyval(above[::-1], turn) / np.polyval(below[::-1], turn)
    spectrum = np.fft.rfft(sound, axis=0) * response[:, None]
    return np.asarray(np.fft.irfft(spectrum, n=len(sound), axis=0))
