"""Sounds and small files for the tests of radio.audio, made when they are needed."""

from __future__ import annotations

import wave
from fractions import Fraction
from functools import cache
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from radio.audio.pcm import Pcm

ENCODINGS = {
    ".wav": ("pcm_s16le", "s16", {}),
    ".flac": ("flac", "s16", {}),
    ".aiff": ("pcm_s16be", "s16", {}),
    ".mp3": ("libmp3lame", "fltp", {"b": "192k"}),
    ".ogg": ("vorbis", "fltp", {"strict": "experimental"}),
    ".opus": ("libopus", "flt", {"b": "160k"}),
    ".m4a": ("aac", "fltp", {"b": "192k"}),
    ".m4b": ("alac", "s16p", {}),
    ".wv": ("wavpack", "s16p", {}),
    ".wma": ("wmav2", "fltp", {"b": "128k"}),
}


def sine(n: int, *, hz: float = 997.0, level: float = 0.5, rate_hz: int = 48_000, first: int = 0) -> Pcm:
    wave_form = level * np.sin(2 * np.pi * hz * (np.arange(first, first + n) / rate_hz))
    return np.stack([wave_form, wave_form], axis=1).astype(np.float32)


def noise(n: int, *, level: float = 0.1, seed: int = 1) -> Pcm:
    return (np.random.default_rng(seed).standard_normal((n, 2)) * level).astype(np.float32)


def music(n: int, seed: int = 7) -> Pcm:
    """Chords that swell and fall, with a little noise: something with a loudness range."""
    time_s = np.arange(n)[:, None] / 48_000
    swell = 0.15 + 0.12 * np.sin(2 * np.pi * 0.21 * time_s)
    chord = sum(np.sin(2 * np.pi * hz * time_s + phase) for hz, phase in ((220, 0), (277.2, 1), (329.6, 2)))
    right = np.roll(chord, 37, axis=0)
    return (np.hstack([chord, right]) * swell * 0.5 + noise(n, level=0.01, seed=seed)).astype(np.float32)


def write(path: Path, sound: Pcm, *, rate_hz: int = 48_000, bit_rate: str | None = None) -> Path:
    """Encode ``sound`` by the name's suffix (``.m4b`` is ALAC); one column makes a mono file."""
    codec, sample_format, options = ENCODINGS[path.suffix]
    options = options | {"b": bit_rate} if bit_rate else options
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[sound.shape[1]]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            codec, rate=rate_hz, layout=layout, format=sample_format, options=options
        )
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(sound).reshape(1, -1), format="flt", layout=layout
        )
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        resampler = AudioResampler(format=sample_format, layout=layout, rate=rate_hz)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def write_wav(path: Path, sound: Pcm, *, rate_hz: int = 48_000) -> Path:
    """16-bit WAV by the interpreter's own module."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.rint(sound * 32768).clip(-32768, 32767).astype("<i2").tobytes())
    return path


def rounded(sound: Pcm) -> Pcm:
    """What a 16-bit file keeps of ``sound``."""
    return (np.rint(sound * 32768).clip(-32768, 32767) / 32768).astype(np.float32)


def decoded_mp3(data: bytes) -> Pcm:
    """All that FFmpeg decodes of a bare MP3 stream."""
    with av.open(BytesIO(data), format="mp3") as container:
        return np.concatenate([frame.to_ndarray().T for frame in container.decode(audio=0)])


def level_db(sound: Pcm) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64))))


def syncsafe(n: int) -> bytes:
    return bytes((n >> shift) & 0x7F for shift in (21, 14, 7, 0))


def id3_tag(frames: int) -> bytes:
    """An ID3v2.4 tag of so many TXXX frames."""
    bodies = (b"\x03key%d\x00v" % index for index in range(frames))
    body = b"".join(b"TXXX" + syncsafe(len(one)) + b"\x00\x00" + one for one in bodies)
    return b"ID3\x04\x00\x00" + syncsafe(len(body)) + body


@cache
def song(n: int, seed: int, rate_hz: int = 48_000) -> Pcm:
    """A tune with chords and beats of its own for every seed: something to be told from others by ear."""
    rng = np.random.default_rng(seed)
    beat = rate_hz * 60 // int(rng.integers(80, 150))
    time_s = np.arange(beat, dtype=np.float32) / rate_hz
    sound = rng.standard_normal((n + beat, 2), dtype=np.float32) * np.float32(0.002)
    decay = np.exp(-time_s * 5) * np.float32(0.06)
    for start in range(0, n, beat):
        notes = 110 * 2 ** (rng.integers(0, 48, 4) / 12)
        waves = (np.sin(np.float32(2 * np.pi * hz * k) * time_s) / k for hz in notes for k in (1, 2, 3))
        chord = sum(waves) * decay
        sound[start : start + beat] += np.stack([chord, np.roll(chord, 40)], axis=1)
    return sound[:n]
