"""Tags: files per second of ``read_tags`` against bare ``mutagen.File`` on the same files.

2,400 files of eight formats with twelve to fifteen tags each and a cover, opened by turns in one process; the
median of five rounds counts. Bare mutagen opens a file and brings nothing to one form.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import av
import mutagen
import numpy as np
from mutagen.flac import Picture
from mutagen.id3 import APIC, ID3, TXXX, Frames
from mutagen.mp4 import MP4, MP4Cover

from radio.library.tag_reading import read_tags

FILES: Final = 2400
ROUNDS: Final = 5
GOAL: Final = 0.6
BATCH: Final = 50

_CODECS: Final = {
    ".mp3": ("libmp3lame", "s16p"),
    ".flac": ("flac", "s16"),
    ".ogg": ("vorbis", "fltp"),
    ".opus": ("libopus", "flt"),
    ".m4a": ("aac", "fltp"),
    ".wav": ("pcm_s16le", "s16"),
    ".aiff": ("pcm_s16be", "s16"),
    ".wv": ("wavpack", "s16p"),
}
_apic: Final[Callable[..., Any]] = APIC
_txxx: Final[Callable[..., Any]] = TXXX
_picture: Final[Callable[..., Any]] = Picture
_mp4_cover: Final[Callable[..., Any]] = MP4Cover

_PICTURE: Final = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 80
_WORDS: Final = {
    "title": ["Harbour lights at Größe"],
    "artist": ["The Tern Trio", "Ada Quay"],
    "album": ["Slack water"],
    "albumartist": ["Various"],
    "composer": ["B. Reef"],
    "conductor": ["C. Shoal"],
    "genre": ["Jazz"],
    "date": ["2019-03-01"],
    "label": ["Low Tide Records"],
    "isrc": ["GBABC1900012"],
    "comment": ["From the master tape"],
    "bpm": ["128"],
    "tracknumber": ["3"],
    "replaygain_track_gain": ["-6.50 dB"],
    "musicbrainz_trackid": ["d5a1c8f0-e9e1-43b9-a571-3f2cb9a6a957"],
}
_ID3: Final = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "albumartist": "TPE2",
    "composer": "TCOM",
    "conductor": "TPE3",
    "genre": "TCON",
    "date": "TDRC",
    "label": "TPUB",
    "isrc": "TSRC",
    "bpm": "TBPM",
    "tracknumber": "TRCK",
}
_MP4: Final = {"title": "\xa9nam", "artist": "\xa9ART", "album": "\xa9alb", "composer": "\xa9wrt"} | {
    "albumartist": "aART",
    "genre": "\xa9gen",
    "date": "\xa9day",
    "comment": "\xa9cmt",
}


def main() -> None:
    """Make the files, time both readers, print the table."""
    with tempfile.TemporaryDirectory(prefix="nextup-bench-") as folder:
        files = make_files(Path(folder), FILES)
        readers: tuple[Callable[[Path], Any], ...] = (read_tags, _bare)
        print(f"{len(files)} files, median of {ROUNDS} rounds, by turns\n")
        print(f"{'format':8} {'read_tags':>12} {'mutagen.File':>14} {'ratio':>7}")
        rows = {ending: [file for file in files if file.suffix == ending] for ending in _CODECS}
        for name, group in (*rows.items(), ("all", files)):
            ours, bare = (len(group) / spent_s for spent_s in timed(readers, group))
            print(f"{name:8} {ours:>10.0f}/s {bare:>12.0f}/s {ours / bare:>7.2f}")
        print(f"\ngoal: at least {GOAL} for all")


def timed(readers: Sequence[Callable[[Path], Any]], files: Sequence[Path]) -> list[float]:
    """The seconds that each reader takes for all files: medians of rounds in which they take turns."""
    spent_s: list[list[float]] = [[] for _ in readers]
    for _ in range(ROUNDS):
        round_s = [0.0 for _ in readers]
        for start in range(0, len(files), BATCH):
            for index, reader in enumerate(readers):
                began_s = time.perf_counter()
                for file in files[start : start + BATCH]:
                    reader(file)
                round_s[index] += time.perf_counter() - began_s
        for index, seconds in enumerate(round_s):
            spent_s[index].append(seconds)
    return [statistics.median(seconds) for seconds in spent_s]


def _bare(file: Path) -> Any:
    return mutagen.File(file, easy=False)


def make_files(folder: Path, count: int) -> list[Path]:
    """``count`` files of all formats in equal parts, shuffled, all with tags and a cover."""
    models = []
    for ending in _CODECS:
        model = _tone(folder / f"model{ending}")
        _tag(model)
        models.append(model)
    files = []
    for number in range(count):
        model = models[number % len(models)]
        files.append(Path(shutil.copy(model, folder / f"{number:05d}{model.suffix}")))
    np.random.default_rng(7).shuffle(files)
    return files


def _tone(path: Path) -> Path:
    codec, sample_format = _CODECS[path.suffix]
    wave = (np.sin(np.arange(96_000) * 0.05) * 8000).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=48_000)
        stream.codec_context.layout = "stereo"
        stream.codec_context.format = sample_format
        if codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(sample_format, "stereo", 48_000, size)
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None, :], format="s16", layout="stereo")
        frame.sample_rate = 48_000
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def _tag(path: Path) -> None:
    media: Any = mutagen.File(path)
    if media.tags is None:
        media.add_tags()
    if isinstance(media.tags, ID3):
        _tag_id3(media.tags)
    elif isinstance(media, MP4):
        media.update({name: _WORDS[field] for field, name in _MP4.items()})
        media["covr"] = [_mp4_cover(_PICTURE)]
    else:
        media.update(_WORDS)
        if path.suffix == ".flac":
            picture = _picture()
            picture.data, picture.mime, picture.type = _PICTURE, "image/jpeg", 3
            media.add_picture(picture)
    media.save()


def _tag_id3(tag: Any) -> None:
    for field, name in _ID3.items():
        tag.add(Frames[name](encoding=3, text=_WORDS[field]))
    tag.add(_txxx(encoding=3, desc="REPLAYGAIN_TRACK_GAIN", text=_WORDS["replaygain_track_gain"]))
    tag.add(_apic(encoding=0, mime="image/jpeg", type=3, desc="", data=_PICTURE))


if __name__ == "__main__":
    main()
