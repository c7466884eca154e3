"""FFmpeg behind a fault budget: a checked file in, pieces of stereo sound out.

Channels: stereo stays as it is; mono is given to both channels at full level, so that its peak stays what it
was; more than two are mixed down by FFmpeg with the weights of ITU-R BS.775 (centre and surrounds at -3 dB,
no LFE).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Any, Final, TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from radio.audio.guard import CheckedFile
from radio.errors import AudioError
from radio.units import CHANNELS, SAMPLE_RATE_HZ

Planes: TypeAlias = NDArray[np.float32]
"""Sound as the decoder gives it: shape ``(2, n)``; see :func:`safe`."""

LENIENT: Final[dict[str, Any]] = {"metadata_errors": "ignore"} if av.__version__ < "19" else {}
"""Arguments with which PyAV opens a file whose tags are no UTF-8; from version 19 on it needs none."""

FORMATS: Final = "mp3,flac,ogg,wav,w64,mov,aac,aiff,wv,ape,mpc,mpc8,asf"
"""The containers that may be opened. None of them is let to refer to other files or to hosts."""

OWN_RATES_HZ: Final = (44_100, 48_000)
"""Sound of these rates can be had as it is in the file."""

MIN_RATE_HZ: Final = 8_000
MAX_RATE_HZ: Final = 192_000
MAX_CHANNELS: Final = 8

MAX_FAULTS: Final = 50
"""How many damaged packets a file may have before it counts as unplayable."""

_TIMEOUTS_S: Final = (10.0, 5.0)
_HIGHEST_SAMPLE: Final = 8.0
_PADDING_FRAMES: Final = 4
_SAMPLES: Final[dict[str, tuple[type[np.generic], np.float32]]] = {
    "flt": (np.float32, np.float32(1)),
    "fltp": (np.float32, np.float32(1)),
    "s16": (np.int16, np.float32(2**-15)),
    "s16p": (np.int16, np.float32(2**-15)),
    "s32": (np.int32, np.float32(2**-31)),
    "s32p": (np.int32, np.float32(2**-31)),
}
_FAULTS: Final = (av.FFmpegError, ValueError)


class Reader:
    """Decodes one file from its first sample, or from where :meth:`seek` leads.

    What comes out has ``sound_rate_hz``: 48 kHz, or with ``own_rate`` the file's own rate where that is one of
    :data:`OWN_RATES_HZ`.
    ``failed`` says why decoding ended early; it is None for a file that was read to its end.
    :raises AudioError: no container that is allowed, no sound in it, or a rate or number of channels that is
    not.
    """

    def __init__(self, checked: CheckedFile, *, own_rate: bool = False) -> None:
        self.failed: str | None = None
        self._path = checked.path
        self._faults = 0
        self._container = _open(checked)
        try:
            self._stream = _audio_stream(self._path, self._container)
        except BaseException:
            self._container.close()
            raise
        self.rate_hz, self.channels = self._stream.rate, self._stream.channels
        keeps = own_rate and self.rate_hz in OWN_RATES_HZ
        self.sound_rate_hz = self.rate_hz if keeps else SAMPLE_RATE_HZ
        self._ends_at = _claimed_end(self._container, self._stream, self.sound_rate_hz)
        self._position = 0

    def pieces(self) -> Iterator[Planes]:
        """The sound from here on; each piece is new memory of at least one sample. To be taken once.

        Pieces of a file of floats may hold any value; see :func:`safe`.
        """
        return self._resampled(self._frames())

    def seek(self, to_ms: int) -> tuple[int, Iterator[Planes]]:
        """Go to about ``to_ms``: gives the position of the first sample of the pieces, and the pieces.

        The position is as true as the file's own time stamps. :raises AudioError: the file cannot be sought.
        """
        start = self._stream.start_time or 0
        base = self._stream.time_base or Fraction(1, self.rate_hz)
        try:
            self._container.seek(start + int(Fraction(to_ms, 1000) / base), stream=self._stream)
        except _FAULTS as error:
            raise AudioError(self._path, f"cannot go to {to_ms} ms: {_reason(error)}") from None
        frames = self._frames()
        self._position = to_ms * self.sound_rate_hz // 1000
        first = next(frames, None)
        if first is None:
            return self._position, iter(())
        if first.pts is not None and first.time_base is not None:
            self._position = int((first.pts * first.time_base - start * base) * self.sound_rate_hz)
        return self._position, self._resampled(chain((first,), frames))

    def close(self) -> None:
        """Close the file; a running iterator must not be used afterwards."""
        self._container.close()

    def _resampled(self, frames: Iterable[AudioFrame]) -> Iterator[Planes]:
        resampler = _Resampler(self.sound_rate_hz)
        for frame in frames:
            for planes in resampler.take(frame):
                yield from self._counted(planes)
        for planes in resampler.rest():
            yield from self._counted(planes)

    def _counted(self, planes: Planes) -> Iterator[Planes]:
        if self._ends_at is not None:
            planes = planes[:, : max(0, self._ends_at - self._position)]
        self._position += planes.shape[1]
        if planes.shape[1]:
            yield planes

    def _frames(self) -> Iterator[AudioFrame]:
        for packet in self._packets():
            try:
                for frame in self._stream.decode(packet):
                    if not self._is_sound(frame):
                        return
                    if frame.samples:
                        yield frame
            except _FAULTS as error:
                if not self._may_go_on(error):
                    return

    def _packets(self) -> Iterator[Packet[AudioStream]]:
        while True:
            try:
                yield from self._container.demux(self._stream)
                return
            except _FAULTS as error:
                if not self._may_go_on(error):
                    return

    def _is_sound(self, frame: AudioFrame) -> bool:
        fault = _format_fault(frame.sample_rate, frame.layout.nb_channels)
        self.failed = self.failed or fault
        return fault is None

    def _may_go_on(self, error: Exception) -> bool:
        self._faults += 1
        if self._faults > MAX_FAULTS:
            self.failed = f"more than {MAX_FAULTS} damaged packets, the last: {_reason(error)}"
        return self.failed is None


def safe(planes: Planes) -> Planes:
    """``planes``, with values that are no numbers made silence and others held to eight times full scale."""
    if not np.abs(planes).max(initial=0.0) <= _HIGHEST_SAMPLE:
        planes = np.clip(np.nan_to_num(planes), -_HIGHEST_SAMPLE, _HIGHEST_SAMPLE)
    return planes


class _Resampler:
    """Any frame to planes of two channels at one rate; starts anew where the frames change their format."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._shape: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def take(self, frame: AudioFrame) -> Iterator[Planes]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            yield from self.rest()
            self._shape, self._resampler = shape, _resampler_for(frame, self._rate_hz)
        if self._resampler is None:
            yield _two_planes(frame)
        else:
            for done in self._resampler.resample(frame):
                yield _two_planes(done)

    def rest(self) -> Iterator[Planes]:
        resampler, self._resampler, self._shape = self._resampler, None, None
        if resampler is not None:
            for done in resampler.resample(None):
                yield _two_planes(done)


def _resampler_for(frame: AudioFrame, rate_hz: int) -> AudioResampler | None:
    few = frame.layout.nb_channels <= CHANNELS
    if few and frame.format.name in _SAMPLES and frame.sample_rate == rate_hz:
        return None
    return AudioResampler(format="fltp", layout=frame.layout if few else "stereo", rate=rate_hz)


def _two_planes(frame: AudioFrame) -> Planes:
    # Reading the memory of a frame takes a quarter of the time of AudioFrame.to_ndarray, and an eighth of that
    # of a resampler which has nothing to do but change the type.
    kind, factor = _SAMPLES[frame.format.name]
    planes = [memoryview(plane) for plane in frame.planes]
    sound = np.empty((CHANNELS, frame.samples), dtype=np.float32)
    if frame.format.is_planar:
        for channel in range(CHANNELS):
            plane = planes[min(channel, len(planes) - 1)]
            np.multiply(np.frombuffer(plane, kind, frame.samples), factor, out=sound[channel])
    else:
        channels = frame.layout.nb_channels
        samples = np.frombuffer(planes[0], kind, frame.samples * channels)
        np.multiply(samples.reshape(-1, channels).T, factor, out=sound)
    return sound


def _open(checked: CheckedFile) -> InputContainer:
    options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
    if checked.sound_offset:
        options["skip_initial_bytes"] = str(checked.sound_offset)
    try:
        container: InputContainer = av.open(
            str(checked.path), options=options, timeout=_TIMEOUTS_S, **LENIENT
        )
    except (*_FAULTS, OSError) as error:
        raise AudioError(checked.path, f"no sound file that can be played: {_reason(error)}") from None
    return container


def _audio_stream(path: Path, container: InputContainer) -> AudioStream:
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream):
        raise AudioError(path, "no sound in the file")
    fault = _format_fault(stream.rate, stream.channels)
    if fault is not None:
        raise AudioError(path, fault)
    stream.codec_context.thread_count = 1
    return stream


def _format_fault(rate_hz: int, channels: int) -> str | None:
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        return f"a sample rate of {rate_hz} Hz; {MIN_RATE_HZ} to {MAX_RATE_HZ} are allowed"
    if not 1 <= channels <= MAX_CHANNELS:
        return f"{channels} channels; 1 to {MAX_CHANNELS} are allowed"
    return None


def _claimed_end(container: InputContainer, stream: AudioStream, rate_hz: int) -> int | None:
    # MP4 tells its true length, but FFmpeg 8 still gives the padding of the last AAC frames. A claim that is
    # off by more than padding (a fragmented file) is not believed.
    claimed, frame_size = stream.duration, stream.codec_context.frame_size
    if "mp4" not in container.format.name or not claimed or not stream.time_base or not stream.frames:
        return None
    seconds = claimed * stream.time_base
    if seconds * stream.rate < (stream.frames - _PADDING_FRAMES) * max(frame_size, 1):
        return None
    return ceil(seconds * rate_hz)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
