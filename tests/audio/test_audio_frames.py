from __future__ import annotations

import pytest
from audio_sounds import noise
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.audio.encode import Mp3Encoder
from radio.audio.frames import first_frame, is_info_frame, main_data_begin, parse_header, split_frames


def stream() -> bytes:
    encoder = Mp3Encoder(128)
    return b"".join(encoder.encode(noise(48_000)) + encoder.flush())


@pytest.mark.parametrize(
    ("head", "version", "kbps", "hz", "channels", "size", "samples"),
    [
        ("fffb9464", 1.0, 128, 48_000, 2, 384, 1152),
        ("fffb9064", 1.0, 128, 44_100, 2, 417, 1152),
        ("fffb9264", 1.0, 128, 44_100, 2, 418, 1152),
        ("fffbe4c4", 1.0, 320, 48_000, 1, 960, 1152),
        ("fff38464", 2.0, 64, 24_000, 2, 192, 576),
        ("ffe38464", 2.5, 64, 12_000, 2, 384, 576),
    ],
)
def test_known_headers(
    head: str, version: float, kbps: int, hz: int, channels: int, size: int, samples: int
) -> None:
    header = parse_header(bytes.fromhex(head))
    assert header is not None
    assert (header.version, header.bitrate_kbps, header.sample_rate_hz) == (version, kbps, hz)
    assert (header.channels, header.frame_bytes, header.samples) == (channels, size, samples)


@pytest.mark.parametrize(
    "head", ["", "fffb94", "00fb9464", "fffd9464", "fffb0464", "fffbf464", "fffb9c64", "ffeb9464"]
)
def test_what_is_no_header(head: str) -> None:
    assert parse_header(bytes.fromhex(head)) is None


@settings(deadline=None)
@given(st.binary(max_size=600), st.integers(-2, 700))
def test_any_bytes_are_answered(data: bytes, offset: int) -> None:
    header = parse_header(data, offset)
    assert header is None or header.frame_bytes > 4
    found = first_frame(data)
    assert found is None or parse_header(data, found) is not None
    assert is_info_frame(data) in (True, False)


def test_a_stream_is_split_and_found_again_from_the_middle() -> None:
    data = stream()
    frames = list(split_frames(data))
    assert b"".join(frames) == data
    assert first_frame(data) == 0
    assert first_frame(data[100:]) == 284
    assert max(main_data_begin(frame) for frame in frames) <= 511
    assert main_data_begin(frames[0]) == 0


def test_a_stream_that_is_cut_in_a_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="at byte 384 of 700"):
        list(split_frames(stream()[:700]))
    with pytest.raises(ValueError, match="no whole"):
        main_data_begin(b"\xff")


def test_an_info_frame_is_recognised() -> None:
    frame = next(split_frames(stream()))
    assert not is_info_frame(frame)
    assert is_info_frame(frame[:36] + b"Info" + frame[40:])
    assert is_info_frame(frame[:36] + b"VBRI" + frame[40:])
    assert not is_info_frame(b"text")
