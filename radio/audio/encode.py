"""Encoders: float sound in, whole frames of a stream out. AAC and Opus have modules of their own.

MP3 is made by LAME (package ``lameenc``), which is three times as fast as the one inside PyAV's wheels for
Python 3.11 and as fast elsewhere. No container is written: no ID3, no Xing or Info frame, frames only.

How samples and frames meet: frame ``k`` of the stream (from 0) decodes to the samples ``1152 k`` up to
``1152 (k + 1)`` of a decoder's output, and sample ``s`` of what was encoded is found there at ``s + 1105``:
576 samples of delay in the encoder's filter bank and 529 in every decoder's. So the first sample put in is
heard 1105 samples (23.02 ms) after the start of frame 0. Frames come out of :meth:`Mp3Encoder.encode` two or
three frames later than their sound went in (up to nine at 32 kbit/s), because the bit reservoir holds bytes
back; that shifts no sample.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, Literal, Protocol, TypeAlias

import lameenc
import numpy as np

from radio.audio.aac import AacEncoder
from radio.audio.opus import OpusEncoder
from radio.audio.pcm import Pcm
from radio.units import CHANNELS, SAMPLE_RATE_HZ, Samples

BITRATES_KBPS: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
"""The bit rates of MPEG-1 Layer III (ISO/IEC 11172-3, table 2.4.2.3)."""

# LAME scales its input down at these rates to keep decoders from clipping; all below are as 160.
_LAME_SCALE: Final = MappingProxyType({160: 0.95, 192: 0.97, 224: 0.98, 256: 1.0, 320: 1.0})


StreamFormat: TypeAlias = Literal["mp3", "aac", "opus"]

MIME_TYPES: Final = MappingProxyType({"mp3": "audio/mpeg", "aac": "audio/aac", "opus": "audio/ogg"})
"""What each format is called in HTTP; Opus travels in Ogg."""

_CHUNK_BYTES_PER_KBPS: Final = 126


class Encoder(Protocol):
    """What playout needs of any encoder; one per mount, used by one thread.

    A frame is the smallest piece that a player can start with: an MP3 or ADTS frame, or an Ogg page.
    ``frame_samples`` is how much sound each holds; their sizes may vary. ``delay_samples``: sample ``s`` of the
    input is heard at sample ``s + delay_samples`` of the stream. ``header`` is what a player needs before its
    first frame, or empty.
    """

    @property
    def content_type(self) -> str: ...
    @property
    def frame_samples(self) -> int: ...
    @property
    def delay_samples(self) -> Samples: ...
    @property
    def header(self) -> bytes: ...

    def encode(self, block: Pcm) -> list[bytes]:
        """The whole frames that became ready; may be none. They do not depend on how blocks are cut."""

    def flush(self) -> list[bytes]:
        """The frames still held back, the last one filled with silence. Nothing can be encoded afterwards."""


def encoder_for(
    stream_format: StreamFormat, bitrate_kbps: int, *, serial: int = 1, first_frame: int = 0
) -> Encoder:
    """A new encoder. ``serial`` is the number of the run of the stream, which Ogg needs (see OpusEncoder).

    ``first_frame`` is the number of the first frame that comes out, where the stream of another encoder is
    continued. Raises ValueError for a bit rate that the format does not have.
    """
    if stream_format == "opus":
        return OpusEncoder(bitrate_kbps, serial=serial, first_page=first_frame)
    return AacEncoder(bitrate_kbps) if stream_format == "aac" else Mp3Encoder(bitrate_kbps)


def frame_samples_of(stream_format: StreamFormat) -> int:
    """How much sound a frame of that format holds, without an encoder."""
    if stream_format == "opus":
        return OpusEncoder.frame_samples
    return AacEncoder.frame_samples if stream_format == "aac" else Mp3Encoder.frame_samples


def chunk_bytes_of(stream_format: StreamFormat, bitrate_kbps: int) -> int | None:
    """The one size of a mount's chunks, 1.008 s at its bit rate (42 frames of MP3); None where it varies."""
    return None if stream_format == "opus" else _CHUNK_BYTES_PER_KBPS * bitrate_kbps


class Mp3Encoder:
    """MPEG-1 Layer III, 48 kHz, joint stereo, constant bit rate: every frame has ``3 * bitrate_kbps`` bytes.

    ``quality`` is LAME's: 2 is the best and slowest, 7 the fastest. LAME lowers the level of its input at low
    rates (-0.45 dB up to 160 kbit/s); that is undone, so that what is decoded is as loud as what was encoded.
    Samples beyond full scale are clipped. :raises ValueError: a bit rate or quality that does not exist.
    """

    content_type: Final = "audio/mpeg"
    frame_samples: Final = 1152
    delay_samples: Final = Samples(1105)
    header: Final = b""

    def __init__(self, bitrate_kbps: int = 128, *, quality: int = 5) -> None:
        if bitrate_kbps not in BITRATES_KBPS:
            raise ValueError(f"no MP3 bit rate {bitrate_kbps}; allowed: {', '.join(map(str, BITRATES_KBPS))}")
        if not 2 <= quality <= 7:
            raise ValueError(f"no MP3 quality {quality}; allowed: 2 to 7")
        self._bitrate_kbps = bitrate_kbps
        self._factor = np.float32(32768.0 / _LAME_SCALE[max(160, bitrate_kbps)])
        self._lame = _lame(bitrate_kbps, quality)
        self._held = bytearray()
        self._frames_out = 0
        self._samples_in = 0

    @property
    def bitrate_kbps(self) -> int:
        return self._bitrate_kbps

    @property
    def frame_bytes(self) -> int:
        """The size of every frame: exact, because 48 kHz needs no padding slot."""
        return self.frame_samples // 8 * self._bitrate_kbps * 1000 // SAMPLE_RATE_HZ

    @property
    def frames_out(self) -> int:
        """How many frames have come out; the next is frame ``frames_out`` of the stream."""
        return self._frames_out

    @property
    def samples_in(self) -> Samples:
        """How many samples have been put in."""
        return Samples(self._samples_in)

    def encode(self, block: Pcm) -> list[bytes]:
        """Take a block of any length; gives the whole frames that became ready (none, one or more)."""
        if not len(block):
            return []
        self._samples_in += len(block)
        scaled = np.rint(np.clip(block * self._factor, -32768.0, 32767.0)).astype("<i2")
        self._held += self._lame.encode(scaled.tobytes())
        return self._whole_frames()

    def flush(self) -> list[bytes]:
        """The rest of the stream: ``ceil((samples_in + 1152) / 1152)`` frames will have come out in all."""
        if self._samples_in:
            self._held += self._lame.flush()
        return self._whole_frames()

    def _whole_frames(self) -> list[bytes]:
        size = self.frame_bytes
        whole = len(self._held) // size * size
        ready = bytes(self._held[:whole])
        del self._held[:whole]
        self._frames_out += whole // size
        return [ready[at : at + size] for at in range(0, whole, size)]


def _lame(bitrate_kbps: int, quality: int) -> lameenc.Encoder:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_channels(CHANNELS)
    encoder.set_in_sample_rate(SAMPLE_RATE_HZ)
    encoder.set_out_sample_rate(SAMPLE_RATE_HZ)
    encoder.set_bit_rate(bitrate_kbps)
    encoder.set_quality(quality)
    return encoder
