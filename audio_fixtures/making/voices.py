"""Spoken words: two speech engines and the processing that makes them sound like a studio.

`neural` is the Kokoro-82M model (Apache-2.0) through onnxruntime; `flite` is Debian's flite, which sounds
plainer and needs no model. Both give the same words at the same places.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile
from scipy import signal

from . import effects as fx

HERE = Path(__file__).parent
PARAGRAPH_S = 0.55
BREATH_S = 0.2


class Engine(Protocol):
    """Turns one phrase into mono sound at `effects.RATE`."""

    name: str

    def say(self, phrase: str, voice: str) -> fx.Sound: ...

    def phrases(self, text: str) -> list[tuple[str, float]]: ...


@cache
def voice_table() -> dict[str, dict[str, Any]]:
    """voices.toml: how each engine makes each voice."""
    return tomllib.loads((HERE / "voices.toml").read_text(encoding="utf-8"))


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]


class Flite:
    """Debian's flite, moved in pitch and tempo with ffmpeg's rubberband filter."""

    name = "flite"

    def phrases(self, text: str) -> list[tuple[str, float]]:
        """Phrases with the pause in seconds that follows each."""
        out: list[tuple[str, float]] = []
        for paragraph in _paragraphs(text):
            parts = [part.strip() for part in paragraph.split("|") if part.strip()]
            out += [(part, BREATH_S) for part in parts[:-1]] + [(parts[-1], PARAGRAPH_S)]
        return out

    def say(self, phrase: str, voice: str) -> fx.Sound:
        """One phrase; raises CalledProcessError where flite or ffmpeg is missing a voice or filter."""
        how = voice_table()[voice]
        with tempfile.TemporaryDirectory() as folder:
            raw, moved = f"{folder}/raw.wav", f"{folder}/moved.wav"
            subprocess.run(["flite", "-voice", how["flite"], "-t", phrase, "-o", raw], check=True)
            shift = f"rubberband=pitch={how['pitch']}:tempo={how['tempo']}:formant=preserved"
            command = ["ffmpeg", "-v", "error", "-i", raw, "-af", shift, "-ar", str(fx.RATE), moved]
            subprocess.run(command, check=True)
            return np.asarray(soundfile.read(moved, dtype="float64")[0])


class Neural:
    """Kokoro-82M: an ONNX model file and a folder of voice vectors (256 floats for each token count)."""

    name = "neural"

    def __init__(self, model: Path, voices: Path, keep: Path) -> None:
        import onnxruntime
        from kokoro_onnx.tokenizer import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._tokens = Tokenizer()
        self._voices = voices
        self._keep = keep
        keep.mkdir(parents=True, exist_ok=True)

    def phrases(self, text: str) -> list[tuple[str, float]]:
        """Whole paragraphs (the model phrases them itself), each with the pause that follows."""
        return [(part.replace(" | ", " "), PARAGRAPH_S) for part in _paragraphs(text)]

    def say(self, phrase: str, voice: str) -> fx.Sound:
        """One paragraph of at most 509 phonemes; kept on disk, as the model takes a while."""
        how = voice_table()[voice]
        mark = hashlib.sha256(f"{how['neural']} {how['speed']} {phrase}".encode()).hexdigest()[:20]
        kept = self._keep / f"{mark}.wav"
        if not kept.exists():
            soundfile.write(kept, self._run(phrase, how), 24_000, subtype="FLOAT")
        return np.asarray(signal.resample_poly(soundfile.read(kept, dtype="float64")[0], 2, 1))

    def _run(self, phrase: str, how: dict[str, Any]) -> fx.Sound:
        language = "en-gb" if how["neural"].startswith("b") else "en-us"
        ids = self._tokens.tokenize(self._tokens.phonemize(phrase, language))
        style = np.fromfile(self._voices / f"{how['neural']}.bin", dtype="<f4").reshape(-1, 1, 256)
        feed = {
            "tokens": np.array([[0, *ids, 0]], dtype=np.int64),
            "style": style[len(ids)],
            "speed": np.array([how["speed"]], dtype=np.float32),
        }
        return np.asarray(self._session.run(None, feed)[0], dtype=np.float64).ravel()


def studio(sound: fx.Sound) -> fx.Sound:
    """High-pass, a little presence, gentle compression: a voice as a studio desk sends it out."""
    out = fx.cut(sound, 75, "highpass", 3)
    out = fx.bell(out, 240, -1.5, 0.9)
    out = fx.bell(out, 3400, 2.0, 0.8)
    out = out / max(1e-9, np.abs(out).max()) * 0.7
    out = fx.compress(out, -24, 2.6, 0.006, 0.12)
    out = fx.compress(out, -16, 3.0, 0.002, 0.06)
    return fx.saturate(out / np.abs(out).max() * 0.8, 1.15)


def speak(engine: Engine, text: str, voice: str) -> fx.Sound:
    """The whole text as dry studio speech, silence trimmed at both ends."""
    parts: list[fx.Sound] = []
    for phrase, pause_s in engine.phrases(text):
        spoken = fx.trim(engine.say(phrase, voice), -48.0, 0.015)
        parts += [spoken, np.zeros(int(pause_s * fx.RATE))]
    return fx.trim(studio(np.concatenate(parts[:-1])), -55.0)
