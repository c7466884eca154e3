"""Frames of two encoders in one stream: every frame decodes, and the sound goes on as if there had been one."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from radio.audio.encode import Mp3Encoder
from radio.audio.mp3_splice import MOST_BYTES_BACK, bytes_back, spliced
from radio.audio.pcm import Pcm
from radio.errors import AudioError

FRAME = 1152


def _sound(seconds: float, seed: int = 1) -> Pcm:
    n = round(48_000 * seconds)
    time_s = np.arange(n) / 48_000
    random = np.random.default_rng(seed)
    left = 0.2 * np.sin(2 * np.pi * 997 * time_s) + 0.1 * np.sin(2 * np.pi * 311 * time_s * (1 + time_s / 50))
    noise = 0.05 * random.standard_normal(n) * (np.sin(2 * np.pi * 3 * time_s) > 0)
    return np.stack([left + noise, left - noise], axis=1).astype(np.float32)


def _decoded(stream: bytes) -> np.ndarray:
    with av.open(io.BytesIO(stream), format="mp3") as container:
        planes = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(planes, axis=1)


def _encoded(sound: Pcm, bitrate_kbps: int) -> bytes:
    encoder = Mp3Encoder(bitrate_kbps)
    return b"".join(encoder.encode(sound) + encoder.flush())


@pytest.mark.parametrize("bitrate_kbps", [64, 128, 192, 320])
@pytest.mark.parametrize("warm_up", [4, 42])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_sound_goes_on_across_the_splice(bitrate_kbps: int, seed: int, warm_up: int) -> None:
    sound = _sound(6.0, seed)
    size = 3 * bitrate_kbps
    whole = _encoded(sound, bitrate_kbps)
    at, span = 126, 42
    late = _encoded(sound[FRAME * (at - warm_up) :], bitrate_kbps)
    old = whole[at * size : (at + span) * size]
    new = late[warm_up * size : (warm_up + span) * size]

    joined = spliced(old, new, size)

    assert joined is not None
    stretch, number = joined
    assert 0 < number < span
    assert stretch[number * size :] == new[number * size :]
    stream = whole[: at * size] + stretch + late[(warm_up + span) * size :]
    heard, meant = _decoded(stream), _decoded(whole)
    assert heard.shape == meant.shape
    around = slice(FRAME * (at - 2), FRAME * (at + span + 2))
    difference = heard[:, around] - meant[:, around]
    level = np.sqrt(np.mean(meant[:, around] ** 2))
    # two encodings of one sound differ by their quantisation alone; a broken frame would be as loud as the sound
    blocks = difference[:, : difference.shape[1] // 192 * 192].reshape(2, -1, 192)
    worst = np.sqrt((blocks**2).mean(axis=(0, 2))).max()
    assert worst < level * 0.25


def test_without_the_bytes_that_it_looks_for_a_frame_is_broken() -> None:
    """What the splice is for: the same cut without it is heard."""
    sound = _sound(6.0)
    whole = _encoded(sound, 128)
    late = _encoded(sound[FRAME * 122 :], 128)
    stream = whole[: 126 * 384] + late[4 * 384 :]
    heard, meant = _decoded(stream), _decoded(whole)
    around = slice(FRAME * 124, FRAME * 130)
    assert np.abs(heard[:, around] - meant[:, around]).max() > 0.1


def test_the_reach_back_of_real_frames_is_within_the_standard() -> None:
    whole = _encoded(_sound(2.0), 128)
    reached = [bytes_back(whole[at : at + 384]) for at in range(0, len(whole), 384)]
    assert reached[0] == 0
    assert 0 < max(reached) <= MOST_BYTES_BACK


def test_what_is_no_mp3_is_refused() -> None:
    with pytest.raises(AudioError):
        bytes_back(b"\0" * 384)
    with pytest.raises(AudioError):
        spliced(b"\xff" * 384, b"\xff" * 768, 384)


def test_no_splice_where_nothing_is_kept_free() -> None:
    frame = bytearray(_encoded(_sound(1.0), 128)[:384])
    full = bytes(frame)
    hungry = bytearray(frame)
    hungry[4], hungry[5] = 0xFF, hungry[5] | 0x80
    assert spliced(full * 3, bytes(hungry) * 3, 384) is None
