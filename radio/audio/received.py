"""A stream as a listener receives it: bytes from the network, sound and packets out. Blocks; for commands."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError

from radio.audio.pcm import Pcm
from radio.errors import AudioError, ConnectionFailed
from radio.units import SAMPLE_RATE_HZ

TIMEOUT_S: Final = 10.0
"""How long a stream may stand still before it counts as gone."""

_CODECS: Final = {".flac": ("flac", "s16"), ".wav": ("pcm_s16le", "s16")}
_COPIES: Final = {".mp3": "mp3", ".aac": "adts", ".opus": "opus"}
RECORDINGS: Final = (*_CODECS, *_COPIES)
"""The endings of files that :func:`record` writes."""


class ReceivedStream:
    """One connection to a stream at ``url``. Raises ConnectionFailed where there is none, or it ends."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            opened = av.open(url, options={"protocol_whitelist": "http,tcp"}, timeout=TIMEOUT_S)
        except (FFmpegError, OSError) as fault:
            raise ConnectionFailed(f"The stream {url} cannot be heard: {_reason(fault)}.") from fault
        self._container = opened
        self._stream: AudioStream = self._container.streams.audio[0]

    def __enter__(self) -> ReceivedStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    @property
    def template(self) -> AudioStream:
        """What the stream is made of, to copy it."""
        return self._stream

    def packets(self) -> Iterator[Any]:
        """The encoded packets in order, until the stream ends."""
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    yield packet
        except (FFmpegError, OSError) as fault:
            raise ConnectionFailed(f"The stream {self.url} has gone: {_reason(fault)}.") from fault

    def frames(self) -> Iterator[AudioFrame]:
        """The decoded sound in order; what cannot be decoded is left out."""
        for packet in self.packets():
            try:
                yield from packet.decode()
            except FFmpegError:
                continue

    def sound(self) -> Iterator[Pcm]:
        """The decoded sound as 48 kHz stereo."""
        resampler = AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE_HZ)
        for frame in self.frames():
            for piece in resampler.resample(frame):
                yield np.ascontiguousarray(piece.to_ndarray().T)


def record(url: str, target: Path, *, seconds: float | None, stop: threading.Event) -> float:
    """Write what a listener at ``url`` hears to ``target`` until ``stop`` is set; gives its length in seconds.

    FLAC and WAV are decoded; MP3, AAC and Opus are the stream's own bytes, for a mount of that format. ``seconds``
    bounds the recording. An existing file is not touched. Raises ConnectionFailed, AudioError.
    """
    if target.suffix not in RECORDINGS:
        raise AudioError(target, f"cannot be recorded; the name must end in {', '.join(RECORDINGS)}")
    try:
        file = target.open("xb")
    except OSError as fault:
        exists = "exists already; it is not written over"
        raise AudioError(
            target, exists if target.exists() else f"cannot be written: {_reason(fault)}"
        ) from fault
    with file, ReceivedStream(url) as stream, av.open(file, "w", format=_format(target)) as out:
        copied = target.suffix in _COPIES
        written = _copy(stream, out) if copied else _decode(stream, out, *_CODECS[target.suffix])
        length_s = 0.0
        for length_s in written:
            if stop.is_set() or (seconds is not None and length_s >= seconds):
                break
        written.close()
    return length_s


def _format(target: Path) -> str:
    return _COPIES.get(target.suffix, target.suffix.removeprefix("."))


def _copy(stream: ReceivedStream, out: OutputContainer) -> Generator[float, None, None]:
    copy = out.add_stream_from_template(stream.template)
    first: float | None = None
    for packet in stream.packets():
        at_s = float((packet.pts or 0) * packet.time_base)
        first = at_s if first is None else first
        length_s = at_s - first + float((packet.duration or 0) * packet.time_base)
        packet.stream = copy
        out.mux(packet)
        yield length_s


def _decode(
    stream: ReceivedStream, out: OutputContainer, codec: str, sample_format: str
) -> Generator[float, None, None]:
    encoder = cast(
        AudioStream, out.add_stream(codec, rate=SAMPLE_RATE_HZ, layout="stereo", format=sample_format)
    )
    resampler = AudioResampler(format=sample_format, layout="stereo", rate=SAMPLE_RATE_HZ)
    samples = 0
    try:
        for frame in stream.frames():
            frame.pts = None
            for piece in resampler.resample(frame):
                samples += piece.samples
                out.mux(encoder.encode(piece))
            yield samples / SAMPLE_RATE_HZ
    finally:
        out.mux(encoder.encode(None))


def _reason(fault: BaseException) -> str:
    return str(getattr(fault, "strerror", None) or fault)
