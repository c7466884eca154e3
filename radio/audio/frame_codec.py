"""FFmpeg's encoders that take frames of one length: blocks of any length in, whole packets out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TypeAlias

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from radio.audio.pcm import Pcm, silence
from radio.errors import AudioError
from radio.units import CHANNELS, SAMPLE_RATE_HZ, Samples

Frames: TypeAlias = NDArray[np.float32]
"""Some frames of one length: ``(frames, samples, channels)``."""

_LAYOUT = "stereo"
_TIME_BASE = Fraction(1, SAMPLE_RATE_HZ)


class FrameCodec:
    """An open FFmpeg encoder for 48 kHz stereo; used by one thread.

    ``sample_format`` is ``flt`` or ``fltp``. ``touch`` may change the frames of a block before they are encoded,
    given and given back as ``(frames, samples, channels)``. Samples beyond full scale are clipped; what is not a
    number is silence. Raises AudioError where FFmpeg does not have the encoder or refuses the options.
    """

    def __init__(
        self,
        name: str,
        *,
        sample_format: str,
        frame_samples: int,
        bit_rate: int,
        options: Mapping[str, str],
        touch: Callable[[Frames], Frames] | None = None,
    ) -> None:
        self.frame_samples = frame_samples
        self._format = sample_format
        self._touch = touch
        try:
            self._codec = _opened(name, sample_format, bit_rate, options)
        except (av.FFmpegError, ValueError) as fault:
            raise AudioError(f"the encoder {name}", str(fault)) from fault
        if self._codec.frame_size != frame_samples:
            raise AudioError(f"the encoder {name}", f"takes frames of {self._codec.frame_size} samples")
        self._frame = AudioFrame(format=sample_format, layout=_LAYOUT, samples=frame_samples)
        self._frame.sample_rate = SAMPLE_RATE_HZ
        self._frame.time_base = _TIME_BASE
        self._held = silence(0)
        self._samples_in = 0
        self._samples_sent = 0

    @property
    def samples_in(self) -> Samples:
        """How many samples have been put in."""
        return Samples(self._samples_in)

    @property
    def extradata(self) -> bytes:
        """What FFmpeg says a decoder must know beforehand."""
        return self._codec.extradata or b""

    def encode(self, block: Pcm) -> list[bytes]:
        """The packets that became ready."""
        self._samples_in += len(block)
        sound = np.concatenate([self._held, _tame(block)])
        whole = len(sound) // self.frame_samples * self.frame_samples
        self._held = sound[whole:]
        if not whole:
            return []
        frames = sound[:whole].reshape(-1, self.frame_samples, CHANNELS)
        if self._touch is not None:
            frames = self._touch(frames)
        # As a codec wants it: one plane of both channels in turn, or a plane for each.
        shape = (len(frames), 1, -1) if self._format == "flt" else (len(frames), CHANNELS, -1)
        planes = (frames if self._format == "flt" else frames.transpose(0, 2, 1)).reshape(shape)
        return [packet for of_frame in np.ascontiguousarray(planes) for packet in self._send(of_frame)]

    def flush(self, more: int = 0) -> list[bytes]:
        """The packets still held back, after ``more`` samples of silence and what fills the last frame."""
        if not self._samples_in:
            return []
        short = -(len(self._held) + more) % self.frame_samples
        samples_in = self._samples_in
        packets = self.encode(silence(more + short))
        self._samples_in = samples_in
        return packets + [bytes(packet) for packet in self._codec.encode(None)]

    def _send(self, planes: NDArray[np.float32]) -> list[bytes]:
        for plane, samples in zip(self._frame.planes, planes, strict=True):
            plane.update(samples.data)
        self._frame.pts = self._samples_sent
        self._samples_sent += self.frame_samples
        return [bytes(packet) for packet in self._codec.encode(self._frame)]


def _opened(name: str, sample_format: str, bit_rate: int, options: Mapping[str, str]) -> AudioCodecContext:
    codec = av.CodecContext.create(name, "w")
    assert isinstance(codec, AudioCodecContext)
    codec.sample_rate = SAMPLE_RATE_HZ
    codec.layout = _LAYOUT
    codec.format = sample_format
    codec.bit_rate = bit_rate
    codec.time_base = _TIME_BASE
    codec.options = dict(options)
    codec.open()
    return codec


def _tame(block: Pcm) -> Pcm:
    # One NaN would silence FFmpeg's AAC encoder for good: it refuses the frame.
    if not math.isfinite(float(np.vdot(block, block))):
        block = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(block, -1.0, 1.0)
