"""AAC-LC in ADTS, made by FFmpeg's own encoder (ISO/IEC 13818-7, section 6.2; ISO/IEC 14496-3, section 4.5.2).

How samples and frames meet: frame ``k`` (from 0) decodes to the samples ``1024 k`` up to ``1024 (k + 1)`` of a
decoder's output, and sample ``s`` of what was encoded is found there at ``s + 1024``: the overlap of the
transform. Frame ``k`` comes out when the samples of frame ``k`` have gone in; the first one holds silence.

Up to 128 kbit/s FFmpeg's coder ``fast`` is used: it costs half of the default one (30 to 35 against 75 to 80
CPU-seconds an hour) and keeps its noise lower under the masking threshold. It has a fault: where nothing but
a loud pure tone sounds it asks for a finer scale than the format has, and clips (2.4 dB of a tone at -1 dBFS
are lost). Noise 66 dB below each frame's peak, far below the coder's own, keeps it from that. Above 128 kbit/s
the default coder is the better one, and costs little more.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

import numpy as np

from radio.audio.frame_codec import FrameCodec, Frames
from radio.audio.pcm import Pcm
from radio.units import CHANNELS, SAMPLE_RATE_HZ, Samples

AAC_BITRATES_KBPS: Final = (48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256)
"""The rates offered: below 48, stereo in AAC-LC is not worth hearing."""

_FRAME_SAMPLES: Final = 1024
_HEADER_BYTES: Final = 7
_HEADER_BITS_PER_S: Final = _HEADER_BYTES * 8 * SAMPLE_RATE_HZ // _FRAME_SAMPLES

_SAVED_UP_S: Final = 0.5
"""How far the stream may run ahead of its bit rate and then be as much below it without being filled up."""

_MOST_FILL: Final = 269  # bytes in one fill element; from 15 on its length takes eight bits more
_SHORT_HEAD_BITS: Final = 7
_LONG_HEAD_BITS: Final = 15

_FAST_UP_TO_KBPS: Final = 128
_VEIL_FACTOR: Final = np.float32(10 ** (-66 / 20))
_VEIL_FRAMES: Final = 47


class AacEncoder:
    """AAC-LC, 48 kHz stereo, as ADTS frames of varying length that keep to ``bitrate_kbps``.

    Frames of silence would be a few bytes each; they are lengthened with fill elements, so that a number of
    bytes of the stream is never much more than its share of time. Samples beyond full scale are clipped.
    Raises ValueError for a bit rate that is not offered.
    """

    content_type: Final = "audio/aac"
    frame_samples: Final = _FRAME_SAMPLES
    delay_samples: Final = Samples(1024)
    header: Final = b""

    def __init__(self, bitrate_kbps: int = 96) -> None:
        if bitrate_kbps not in AAC_BITRATES_KBPS:
            allowed = ", ".join(map(str, AAC_BITRATES_KBPS))
            raise ValueError(f"no AAC bit rate {bitrate_kbps}; allowed: {allowed}")
        fast = bitrate_kbps <= _FAST_UP_TO_KBPS
        self._codec = FrameCodec(
            "aac",
            sample_format="fltp",
            frame_samples=_FRAME_SAMPLES,
            bit_rate=bitrate_kbps * 1000 - _HEADER_BITS_PER_S,
            options={"aac_coder": "fast" if fast else "twoloop"},
            touch=_Veil() if fast else None,
        )
        self._bits_per_frame = bitrate_kbps * 1000 * _FRAME_SAMPLES / SAMPLE_RATE_HZ
        self._ahead_most_bits = bitrate_kbps * 1000 * _SAVED_UP_S
        self._ahead_bits = 0.0
        self._frames_out = 0

    @property
    def frames_out(self) -> int:
        """How many frames have come out."""
        return self._frames_out

    @property
    def samples_in(self) -> Samples:
        """How many samples have been put in."""
        return self._codec.samples_in

    def encode(self, block: Pcm) -> list[bytes]:
        """Take a block of any length; the frames that became ready."""
        return [self._framed(raw) for raw in self._codec.encode(block)]

    def flush(self) -> list[bytes]:
        """The rest of the stream: ``ceil(samples_in / 1024) + 1`` frames will have come out in all."""
        return [self._framed(raw) for raw in self._codec.flush()]

    def _framed(self, raw: bytes) -> bytes:
        ahead_bits = self._ahead_bits + (_HEADER_BYTES + len(raw)) * 8 - self._bits_per_frame
        if ahead_bits < 0:
            filled = lengthened(raw, int(-ahead_bits) // 8 + 1)
            ahead_bits += (len(filled) - len(raw)) * 8
            raw = filled
        self._ahead_bits = min(ahead_bits, self._ahead_most_bits)
        self._frames_out += 1
        return adts_header(len(raw)) + raw


class _Veil:
    """Adds noise to each frame, in proportion to its peak; silence stays silent."""

    def __init__(self) -> None:
        self._noise = _normal_noise((_VEIL_FRAMES, _FRAME_SAMPLES, CHANNELS)) * _VEIL_FACTOR
        self._next = 0

    def __call__(self, frames: Frames) -> Frames:
        count = len(frames)
        noise = self._noise.take(range(self._next, self._next + count), axis=0, mode="wrap")
        self._next = (self._next + count) % _VEIL_FRAMES
        peaks = np.abs(frames).reshape(count, -1).max(axis=1)
        noise *= peaks[:, np.newaxis, np.newaxis]
        noise += frames
        return noise


def _normal_noise(shape: tuple[int, ...]) -> Pcm:
    """Always the same, of variance 1 (Box and Muller's way). Without ``numpy.random``, which holds 3 MB."""
    size = 4 * int(np.prod(shape))
    uniform = (np.frombuffer(Random(1024).randbytes(2 * size), dtype="<u4") + 0.5) / 2**32
    radius, turns = uniform.reshape(2, *shape)
    noise: Pcm = (np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * turns)).astype(np.float32)
    return noise


def adts_header(raw_bytes: int) -> bytes:
    """The header before a raw data block: MPEG-4 AAC-LC, 48 kHz, stereo, no checksum."""
    size = _HEADER_BYTES + raw_bytes
    if size >= 1 << 13:
        raise ValueError(f"an ADTS frame of {size} bytes")
    return bytes(
        (0xFF, 0xF1, 0x4C, 0x80 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC)
    )  # ... buffer fullness 0x7FF (not constant from frame to frame), one raw data block


def lengthened(raw: bytes, more: int) -> bytes:
    """A raw data block made at least ``more`` bytes longer, at most two more than that, by fill elements.

    The block ends with the element END (three ones) and zeros up to a whole byte; the fill elements
    (ISO/IEC 14496-3, table 4.11) go before it.
    """
    bits = int.from_bytes(raw, "big")
    zeros = (bits & -bits).bit_length() - 1
    count = len(raw) * 8 - zeros - 3
    bits >>= zeros + 3
    for size in _fill_sizes(more):
        element, width = _fill_element(size)
        bits, count = bits << width | element, count + width
    bits, count = bits << 3 | 0b111, count + 3
    rest = -count % 8
    return (bits << rest).to_bytes((count + rest) // 8, "big")


def _fill_sizes(more: int) -> Iterator[int]:
    bits = more * 8
    while bits > 0:
        long = bits > _SHORT_HEAD_BITS + 14 * 8
        head = _LONG_HEAD_BITS if long else _SHORT_HEAD_BITS
        size = min(max(-(-(bits - head) // 8), 15 if long else 1), _MOST_FILL)
        yield size
        bits -= head + size * 8


def _fill_element(size: int) -> tuple[int, int]:
    payload = int.from_bytes(b"\x00" + b"\xa5" * (size - 1), "big")
    if size < 15:
        head, width = 0b110 << 4 | size, _SHORT_HEAD_BITS
    else:
        head, width = (0b110 << 4 | 15) << 8 | size - 14, _LONG_HEAD_BITS
    return head << size * 8 | payload, width + size * 8
