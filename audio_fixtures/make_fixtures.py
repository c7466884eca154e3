"""Make the demo sound library: voices, music, tags and pictures, all synthesised here.

    python audio_fixtures/make_fixtures.py                      everything, voices by flite
    python audio_fixtures/make_fixtures.py --only lowtide/music one folder, or one file
    python audio_fixtures/make_fixtures.py --model kokoro.onnx --voices voices/     neural voices

Authoring only: nothing here is needed to run or to test the service.
Debian packages: ffmpeg (with libmp3lame, libopus, libvorbis, librubberband), flite, fonts-dejavu-core.
Python packages: numpy scipy soundfile mutagen pillow; for the neural voices also onnxruntime and
kokoro-onnx (its tokenizer), the Kokoro-82M model as an ONNX file and its voice vectors (`af_heart.bin` ...,
both under Apache-2.0; the voices come with the npm package kokoro-js). The committed files use the neural voices.

Same input, same sound: every random number is seeded and the encoders run bit-exact.
Each file is written beside the tree and moved into place, so the library stays usable meanwhile.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from making import artwork, encode, instruments, library  # noqa: E402
from making import effects as fx  # noqa: E402
from making.voices import Engine, Flite, Neural  # noqa: E402


def _finished(item: library.Item, masters: Path | None) -> fx.Sound:
    kept = (masters or HERE) / f"{Path(item.file).with_suffix('')}.wav"
    if masters is None or not kept.exists():
        sound = fx.master(item.make())
        if masters is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(kept, sound, fx.RATE, subtype="FLOAT")
    else:
        sound = np.asarray(soundfile.read(kept, dtype="float64")[0])
    if "/beds/" in item.file:  # a loop: its ends must meet
        return sound
    sound = fx.trim(sound, -42.0, 0.03)
    return fx.fade(sound, 0.0, 0.12 if len(sound) > 20 * fx.RATE and sound.ndim == 2 else 0.02)


def _make(item: library.Item, root: Path, masters: Path | None) -> str:
    begun = time.monotonic()
    root.mkdir(parents=True, exist_ok=True)
    sound = _finished(item, masters)
    with tempfile.TemporaryDirectory(dir=root, prefix=".making-") as folder:
        made = Path(folder) / f"made{Path(item.file).suffix}"
        encode.encode_level(sound, made, item.kbps)
        encode.tag(made, item.tags)
        goal = root / item.file
        goal.parent.mkdir(parents=True, exist_ok=True)
        for older in goal.parent.glob(f"{goal.stem}.*"):
            if older != goal:
                older.unlink()
        os.chmod(made, 0o644)
        made.replace(goal)
        size = goal.stat().st_size
    return f"{item.file:56} {len(sound) / fx.RATE:6.1f} s {size / 1000:7.0f} kB {time.monotonic() - begun:5.1f} s"


def main() -> int:
    """Make all items, or those whose path starts with `--only`."""
    parser = argparse.ArgumentParser(description="Make the demo sound library.")
    parser.add_argument("--only", action="append", default=[], help="path prefix, may be repeated")
    parser.add_argument("--out", type=Path, default=HERE, help="where the library is written")
    parser.add_argument("--model", type=Path, help="Kokoro-82M as ONNX: use the neural voices")
    parser.add_argument("--voices", type=Path, help="folder with the model's voice vectors")
    parser.add_argument("--retag", action="store_true", help="write tags and covers only, leave the sound")
    parser.add_argument(
        "--masters", type=Path, help="keep finished sounds here, and use those that are there"
    )
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "kept-phrases")
    options = parser.parse_args()
    engine: Engine = Neural(options.model, options.voices, options.keep) if options.model else Flite()
    wanted = tuple(options.only) or ("",)
    if "artwork".startswith(wanted) or any(w.startswith("artwork") for w in wanted):
        artwork.write_all(options.out / "artwork", library.catalogue())
    for item in library.items(engine):
        if item.file.startswith(wanted) and options.retag:
            encode.tag(options.out / item.file, item.tags)
        elif item.file.startswith(wanted):
            print(_make(item, options.out, options.masters), flush=True)
            for played in vars(instruments).values():
                if hasattr(played, "cache_clear"):
                    played.cache_clear()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
