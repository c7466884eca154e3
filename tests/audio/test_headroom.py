"""The ceiling is that of the mount which adds most, and what is decoded of loud sound keeps under -1 dBTP."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from radio.audio.aac import AAC_BITRATES_KBPS
from radio.audio.encode import BITRATES_KBPS, StreamFormat, encoder_for
from radio.audio.headroom import HIGHEST_DBTP, ceiling_dbtp
from radio.audio.limit import Limiter
from radio.audio.opus import OPUS_BITRATES_KBPS
from radio.audio.pcm import Pcm
from radio.audio.true_peak import TruePeak

CONTAINERS = {"mp3": "mp3", "aac": "aac", "opus": "ogg"}


def test_the_worst_mount_decides() -> None:
    assert ceiling_dbtp([]) == HIGHEST_DBTP
    assert ceiling_dbtp([("mp3", 128)]) == -2.0
    assert ceiling_dbtp([("mp3", 128), ("aac", 96), ("opus", 96)]) == ceiling_dbtp([("aac", 96)]) == -3.2
    assert ceiling_dbtp([("mp3", 320), ("opus", 160)]) == -2.2


def test_every_rate_has_a_ceiling_and_more_bits_never_need_a_lower_one() -> None:
    rates: dict[StreamFormat, tuple[int, ...]] = {
        "mp3": BITRATES_KBPS, "aac": AAC_BITRATES_KBPS, "opus": OPUS_BITRATES_KBPS,
    }  # fmt: skip
    for kind, offered in rates.items():
        ceilings = [ceiling_dbtp([(kind, kbps)]) for kbps in offered]
        assert ceilings == sorted(ceilings)
        assert -4 <= min(ceilings) <= max(ceilings) <= HIGHEST_DBTP


@pytest.mark.parametrize(("kind", "kbps"), [("mp3", 64), ("mp3", 128), ("aac", 96), ("opus", 96)])
def test_loud_sound_decodes_under_minus_one(kind: StreamFormat, kbps: int) -> None:
    limiter = Limiter(ceiling_db=ceiling_dbtp([(kind, kbps)]))
    encoder, parts = encoder_for(kind, kbps), list[bytes]()
    sound = dense(6)
    for at in range(0, len(sound), 4_032):
        parts += encoder.encode(limiter.process(sound[at : at + 4_032]))
    peak = TruePeak()
    with av.open(io.BytesIO(b"".join([encoder.header, *parts])), format=CONTAINERS[kind]) as opened:
        for frame in opened.decode(audio=0):
            planes = frame.to_ndarray()
            if not frame.format.is_planar:
                planes = planes.reshape(-1, 2).T
            peak.update(np.ascontiguousarray(planes, dtype=np.float32))
    assert -5 < 20 * np.log10(peak.finish()) < -1


def dense(seconds: int) -> Pcm:
    """Ten notes with their overtones, at about -11 LUFS and peaks of up to +2 dB before they are limited."""
    time_s = np.arange(seconds * 48_000) / 48_000
    notes = (110, 138.6, 164.8, 220, 277.2, 329.6, 440, 554.4, 1_318, 2_637)
    chord = sum(
        np.sin(2 * np.pi * hz * time_s * step + hz) / step**1.5 for hz in notes for step in (1, 2, 3, 4)
    )
    swell = 0.75 + 0.25 * np.sin(2 * np.pi * 1.5 * time_s)
    sound = (chord * swell / np.abs(chord).max() * 1.2).astype(np.float32)
    return np.stack([sound, np.roll(sound, 61)], axis=1)
