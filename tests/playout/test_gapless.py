"""A sine cut into odd pieces, one for each format, played back to back: not a sample too many or too few."""

from __future__ import annotations

import sys
from math import ceil
from pathlib import Path

import numpy as np
import pytest
from sources import EPOCH_MS, ListLog, row

from radio.audio.encode import Mp3Encoder
from radio.audio.pcm import Pcm
from radio.playout import DirectLoader, Engine
from radio.units import Samples, samples_of

sys.path.insert(0, str(Path(__file__).parent.parent / "audio"))
from audio_sounds import decoded_mp3, sine, write

LENGTHS_MS = {
    ".wav": 1_777, ".flac": 2_311, ".mp3": 1_993, ".ogg": 1_511, ".opus": 2_207, ".m4a": 1_873, ".aiff": 1_009,
    ".m4b": 1_337, ".wv": 1_601,
}  # fmt: skip
EDGE_MS = 60
"""Where one lossy file was cut from the sine, its encoder sees a step: what it makes of that is heard there."""


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Pcm:
    folder = tmp_path_factory.mktemp("pieces")
    rows, files, at_ms = [], {}, 0
    for suffix, length_ms in LENGTHS_MS.items():
        piece = sine(samples_of(length_ms), first=samples_of(at_ms))
        files[suffix] = write(folder / f"piece{suffix}", piece)
        rows.append(row(suffix, at_ms, length_ms, item=suffix))
        at_ms += length_ms
    engine = Engine(
        ListLog(rows),
        DirectLoader(lambda wanted: files[wanted.item or ""]),
        epoch_ms=EPOCH_MS,
        station="wxyz",
        on_event=lambda event: None,
    )
    total = samples_of(at_ms)
    blocks = [engine.render(Samples(min(4_032, total - at))) for at in range(0, total, 4_032)]
    engine.close()
    return np.concatenate(blocks)


def test_every_piece_stands_at_its_sample(rendered: Pcm) -> None:
    ideal = sine(len(rendered))
    at_ms = 0
    for suffix, length_ms in LENGTHS_MS.items():
        inside = slice(samples_of(at_ms + EDGE_MS), samples_of(at_ms + length_ms - EDGE_MS))
        # one sample off is an error of 0.065 at this pitch and level
        assert np.abs(rendered[inside] - ideal[inside]).max() < 0.02, suffix
        at_ms += length_ms


def test_no_join_is_silent_and_lossless_ones_cannot_be_found(rendered: Pcm) -> None:
    windows = rendered[: len(rendered) // 240 * 240].reshape(-1, 240, 2)
    assert np.sqrt((windows**2).mean(axis=(1, 2))).min() > 0.25  # of 0.354
    join = samples_of(LENGTHS_MS[".wav"])
    around = slice(join - 480, join + 480)
    assert np.abs(rendered[around] - sine(len(rendered))[around]).max() < 1e-3


def test_the_encoded_stream_has_exactly_the_frames_that_it_must_have(rendered: Pcm) -> None:
    encoder = Mp3Encoder(128)
    blocks = [encoder.encode(rendered[at : at + 4_032]) for at in range(0, len(rendered), 4_032)]
    stream = b"".join(frame for block in [*blocks, encoder.flush()] for frame in block)
    frames = ceil((len(rendered) + 1_152) / 1_152)
    assert len(stream) == frames * 384
    heard = decoded_mp3(stream)[encoder.delay_samples :][: len(rendered)]
    inside = slice(samples_of(EDGE_MS), samples_of(LENGTHS_MS[".wav"] - EDGE_MS))
    assert np.abs(heard[inside] - sine(len(rendered))[inside]).max() < 0.03
