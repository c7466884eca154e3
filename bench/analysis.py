"""The measuring of sound: times real time on one core by format, against ffmpeg's ``ebur128=peak=true``.

Both decode the same files of three minutes, made here of the demo stations' music. Ours is one call of
``radio.audio.measure.measure`` with all that it finds (loudness, range, true peak, cues, silences, clipping,
correlation, waveform, fingerprint, hash), in a process of its own with one thread, as a scan's workers run it.
Figures are the best of some rounds of processor time, taken in turn; ffmpeg's include its start of some 30 ms.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import log10
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from av.audio.format import AudioFormat
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from radio.audio.decode import Deck
from radio.audio.defects import Channels, Clipping
from radio.audio.edges import Silences
from radio.audio.fingerprinter import Fingerprinter
from radio.audio.guard import check_file
from radio.audio.loudness import Loudness
from radio.audio.measure import measure
from radio.audio.pcm_hash import PcmHash
from radio.audio.reader import Reader
from radio.audio.true_peak import TruePeak
from radio.audio.waveform import Waveform
from radio.audio.windows import blocks, windows_of

ROUNDS: Final = 3
SECONDS: Final = 180
GOAL: Final = 0.9

_MUSIC: Final = Path(__file__).parent.parent / "audio_fixtures"
_ENCODINGS: Final[tuple[tuple[str, str, str, dict[str, str]], ...]] = (
    ("mp3", "libmp3lame", "fltp", {"b": "192k", "compression_level": "7"}),
    ("m4a", "aac", "fltp", {"b": "160k"}),
    ("ogg", "vorbis", "fltp", {"strict": "experimental"}),
    ("opus", "libopus", "flt", {"b": "128k"}),
    ("wma", "wmav2", "fltp", {"b": "128k"}),
    ("flac", "flac", "s16", {}),
    ("alac.m4a", "alac", "s16p", {}),
    ("wv", "wavpack", "s16p", {}),
    ("wav", "pcm_s16le", "s16", {}),
    ("aiff", "pcm_s16be", "s16", {}),
)
_CHILD: Final = "from bench.analysis import child; child()"


def main() -> None:
    """Print the table of speed and agreement, and what each part of the measurement costs."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        print("ffmpeg is not installed: its columns are left out.")
    with tempfile.TemporaryDirectory() as folder:
        files = list(_files(Path(folder)))
        print(
            f"{'file':24}{'ours x':>8}{'ffmpeg x':>10}{'ratio':>7}   differences: I LU, LRA LU, true peak dB, ms"
        )
        ratios = [_row(path, source_s, ffmpeg) for path, source_s in files]
        if ffmpeg:
            print(f"lowest ratio {min(ratios):.2f} (goal: {GOAL} or more)")
        _parts(files[0][0])


def child() -> None:
    """Measure the files named on standard input, one a line, and print cost and findings of each as JSON."""
    for line in sys.stdin:
        started = time.process_time()
        found = measure(Path(line.rstrip("\n")))
        cpu_s = time.process_time() - started
        names = ("loudness_lufs", "loudness_range_lu", "true_peak_db", "duration_ms")
        print(json.dumps({"cpu_s": cpu_s} | {name: getattr(found, name) for name in names}), flush=True)


def _row(path: Path, source_s: float, ffmpeg: str | None) -> float:
    with _worker() as worker:
        _ask(worker, path)
        rounds = [(_ask(worker, path), _ffmpeg_s(ffmpeg, path) if ffmpeg else 0.0) for _ in range(ROUNDS)]
        worker.stdin.close()  # type: ignore[union-attr]
    found, ours = rounds[0][0], min(one["cpu_s"] for one, _ in rounds)
    length_s = found["duration_ms"] / 1000
    if not ffmpeg:
        print(f"{path.name:24}{length_s / ours:8.0f}")
        return 0.0
    theirs = min(peer for _, peer in rounds)
    i, lra, peak, ms = _ffmpeg_findings(ffmpeg, path)
    print(
        f"{path.name:24}{length_s / ours:8.0f}{length_s / theirs:10.0f}{theirs / ours:7.2f}   "
        f"{found['loudness_lufs'] - i:+.3f} {found['loudness_range_lu'] - lra:+.3f} "
        f"{found['true_peak_db'] - peak:+.2f} {found['duration_ms'] - ms:+.1f} "
        f"({found['duration_ms'] - 1000 * source_s:+.1f})"
    )
    return float(theirs / ours)


def _worker() -> subprocess.Popen[str]:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    command = (sys.executable, "-c", _CHILD)
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parent.parent,
    )


def _ask(worker: subprocess.Popen[str], path: Path) -> dict[str, Any]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{path}\n")
    worker.stdin.flush()
    answer: dict[str, Any] = json.loads(worker.stdout.readline())
    return answer


def _ffmpeg_s(ffmpeg: str, path: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    quiet = ("-nostdin", "-v", "error", "-threads", "1", "-i", str(path))
    subprocess.run(
        (ffmpeg, *quiet, "-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"), check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _ffmpeg_findings(ffmpeg: str, path: Path) -> tuple[float, float, float, float]:
    quiet = (ffmpeg, "-nostdin", "-v", "error", "-i", str(path), "-af")
    filters = "ebur128=peak=true:metadata=1:framelog=verbose,ametadata=mode=print:file=-"
    text = subprocess.run(
        (*quiet, filters, "-f", "null", "-"), check=True, capture_output=True, text=True
    ).stdout
    last = dict(re.findall(r"lavfi\.r128\.(\w+)=(\S+)", text))
    peaks = [float(value) for value in re.findall(r"lavfi\.r128\.true_peaks_ch\d=(\S+)", text)]
    return float(last["I"]), float(last["LRA"]), 20 * log10(max(peaks)), _ffmpeg_ms(ffmpeg, path)


def _ffmpeg_ms(ffmpeg: str, path: Path) -> float:
    command = (ffmpeg, "-nostdin", "-v", "error", "-i", str(path), "-f", "s16le", "-ac", "1", "-")
    samples = len(subprocess.run(command, check=True, capture_output=True).stdout) / 2
    with av.open(str(path)) as container:
        return 1000 * samples / container.streams.audio[0].rate


def _files(folder: Path) -> Iterator[tuple[Path, float]]:
    music = _music()
    for suffix, codec, sample_format, options in _ENCODINGS:
        for rate_hz in (44_100, 48_000):
            if suffix != "opus" or rate_hz == 48_000:
                path = folder / f"music-{rate_hz}.{suffix}"
                yield _write(path, music, codec, sample_format, options, rate_hz), music.shape[1] / 48_000
    harsh = np.clip(np.random.default_rng(3).standard_normal((2, 44_100 * 60)) * 1.5, -1, 1).astype(
        np.float32
    )
    path = folder / "harsh-44100.flac"
    yield _write(path, harsh, "flac", "s16", {}, 44_100, taken_as_hz=44_100), harsh.shape[1] / 44_100


def _music() -> NDArray[np.float32]:
    parts: list[NDArray[np.float32]] = []
    for path in sorted(_MUSIC.glob("*/music/*")):
        deck = Deck.open(path, gain_db=2.0)
        parts.append(deck.read(48_000 * SECONDS))
        deck.close()
        if sum(map(len, parts)) >= 48_000 * SECONDS:
            break
    return np.ascontiguousarray(np.concatenate(parts)[: 48_000 * SECONDS].T)


def _write(
    path: Path,
    planes: NDArray[np.float32],
    codec: str,
    sample_format: str,
    options: dict[str, str],
    rate_hz: int,
    taken_as_hz: int = 48_000,
) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, options=options)
        assert isinstance(stream, AudioStream)
        stream.codec_context.layout, stream.codec_context.format = (
            AudioLayout("stereo"),
            AudioFormat(sample_format),
        )
        frame = AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = taken_as_hz, 0, Fraction(1, taken_as_hz)
        resampler = AudioResampler(format=sample_format, layout="stereo", rate=rate_hz)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def _parts(path: Path) -> None:
    reader = Reader(check_file(path), own_rate=True)
    started = time.process_time()
    sound = list(blocks(reader.pieces(), reader.sound_rate_hz))
    costs = {"decoding, in blocks": time.process_time() - started}
    rate_hz = reader.sound_rate_hz
    reader.close()
    loudness, true_peak, silences, clipping = Loudness(rate_hz), TruePeak(), Silences(rate_hz), Clipping()
    channels, waveform, fingerprint = Channels(rate_hz), Waveform(rate_hz), Fingerprinter(rate_hz)
    hashed = PcmHash(rate_hz)
    windows = [windows_of(block, rate_hz) for block in sound]
    mixes = [(block[0] + block[1]) * np.float32(0.5) for block in sound]
    both, single = list(zip(sound, windows, strict=True)), [(block,) for block in sound]
    mixed, peaks = [(mix,) for mix in mixes], [float(one.peaks.max()) for one in windows]
    costs |= {
        "loudness, range (FFmpeg)": _cost(loudness.update, single),
        "true peak": _cost(true_peak.update, single),
        "fingerprint": _cost(fingerprint.update, mixed),
        "hash": _cost(hashed.update, single),
        "sums and peaks of 10 ms": _cost(windows_of, [(block, rate_hz) for block in sound]),
        "cues, silences": _cost(silences.update, both),
        "channels, offset": _cost(channels.update, both),
        "waveform": _cost(waveform.update, mixed),
        "clipping": _cost(clipping.update, list(zip(sound, peaks, strict=True))),
    }
    whole = sum(costs.values())
    print(f"\nParts of {path.name} (in one process, {1000 * whole / len(sound):.2f} ms a second of sound):")
    for name, cost in costs.items():
        print(f"  {name:26}{1000 * cost / len(sound):6.2f} ms  {100 * cost / whole:3.0f} %")


def _cost(part: Callable[..., object], calls: list[tuple[Any, ...]]) -> float:
    started = time.process_time()
    for arguments in calls:
        part(*arguments)
    return time.process_time() - started


if __name__ == "__main__":
    main()
