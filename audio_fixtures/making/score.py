"""A small sequencer: parts, notes in beats, a room for all of them, and the final mix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from . import effects as fx
from .instruments import Note

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
QUALITIES = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10),
    "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "9": (0, 4, 7, 10, 14), "maj9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14), "add9": (0, 4, 7, 14), "sus4": (0, 5, 7), "sus2": (0, 2, 7),
    "13": (0, 4, 10, 14, 21), "7sus": (0, 5, 7, 10), "m11": (0, 3, 7, 10, 17), "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10), "7b9": (0, 4, 10, 13), "5": (0, 7), "maj7#11": (0, 4, 7, 11, 18),
}  # fmt: skip


def pitch(name: str) -> int:
    """The note number of a name such as "F#4" (C4 = 60)."""
    letter, rest = name[0], name[1:]
    shift = rest.count("#") - rest.count("b")
    return 12 * (int(rest.strip("#b")) + 1) + STEPS[letter] + shift


def chord(name: str) -> tuple[int, tuple[int, ...]]:
    """Bass note class and the chord's note classes; "Am7/G" puts G in the bass."""
    main, _, under = name.partition("/")
    size = 2 if len(main) > 1 and main[1] in "#b" else 1
    root = pitch(main[:size] + "-1") % 12
    low = pitch(under + "-1") % 12 if under else root
    return low, tuple((root + step) % 12 for step in QUALITIES[main[size:]])


def voicing(name: str, centre: float = 62, before: Iterable[int] = ()) -> list[int]:
    """A close voicing near `centre` that moves as little as it can from the voicing `before`."""
    classes, earlier = chord(name)[1], list(before)
    best: list[int] = []
    best_cost = 1e9
    for start in range(int(centre) - 14, int(centre) + 8):
        notes: list[int] = []
        for turn in range(len(classes)):
            order = classes[turn:] + classes[:turn]
            notes, floor = [], start
            for cls in order:
                floor += (cls - floor) % 12
                notes.append(floor)
                floor += 1
            cost = abs(float(np.mean(notes)) - centre) * 0.6 + 0.02 * start
            if earlier:
                cost += sum(min(abs(n - e) for e in earlier) for n in notes)
            clusters = sum(b - a == 1 for a, b in zip(notes, notes[1:], strict=False))
            if cost + 1.5 * clusters < best_cost:
                best, best_cost = notes, cost + 1.5 * clusters
    return best


def progression(names: list[str], centre: float = 62) -> list[list[int]]:
    """Voicings for a row of chords, each led from the one before."""
    out: list[list[int]] = []
    for name in names:
        out.append(voicing(name, centre, out[-1] if out else ()))
    return out


def bass_of(name: str, low: int = 36) -> int:
    """The chord's bass note at or above `low`."""
    return low + (chord(name)[0] - low) % 12


# How loud each player stands in the mix, in LUFS before the master; others keep their own level.
STAND = {
    "lead": -19.5, "fiddle": -19.5, "reed": -19.5, "voice": -20.5, "vibes": -20.0, "thumb": -21.0, "glock": -22.5,
    "answer": -20.5, "piano": -20.0, "guitar": -21.5, "left": -25.0, "right": -25.5, "keys": -23.0, "arp": -23.5,
    "mando": -24.0, "strum": -26.0, "skank": -24.0, "chop": -25.5, "throw": -27.0, "pad": -25.0, "choir": -26.0,
    "ooh": -26.5, "glass": -27.5, "bass": -22.5, "kick": -22.0, "kit": -23.5, "soft": -28.0, "pluck": -22.5,
    "pluck2": -25.0, "drums": -24.0, "flute": -19.5, "harp": -22.0, "clarinet": -21.0, "bassoon": -22.5,
    "violin1": -20.0, "violin2": -21.0, "violin3": -21.5, "viola": -23.0, "cello": -22.0,
    "strings": -25.5, "bell": -24.0,
}  # fmt: skip

# Level of each band against the whole, in dB: what well-liked acoustic and pop mixes have on average.
CURVE = (
    (30, 80, -11.0),
    (80, 200, -5.0),
    (200, 500, -5.0),
    (500, 1500, -7.0),
    (1500, 4000, -14.0),
    (4000, 12_000, -20.0),
)


def balance(sound: fx.Sound, share: float = 0.55, most_db: float = 5.0) -> fx.Sound:
    """Mastering equaliser: move each band a share of the way to `CURVE`, and never far."""
    power = np.abs(np.fft.rfft(fx.mono(sound))) ** 2
    freq = np.fft.rfftfreq(len(sound), 1 / fx.RATE)
    total, out = power.sum(), sound
    for low, high, wanted in CURVE:
        have = 10 * np.log10(power[(freq >= low) & (freq < high)].sum() / total + 1e-9)
        boost = 1.5 if high <= 80 else most_db * (1.6 if low >= 4000 else 1.0)
        move = float(np.clip((wanted - have) * share, -most_db, boost))
        out = (
            fx.shelf(out, low, move) if high >= 12000 else fx.bell(out, float(np.sqrt(low * high)), move, 0.8)
        )
    return out


@dataclass
class Part:
    """One player: an instrument, its place, its share of the room, how loosely it plays."""

    play: Callable[..., fx.Sound] | Note
    level: float = 0.5
    pan: float = 0.0
    room: float = 0.2
    loose_s: float = 0.006
    shape: Callable[[fx.Sound], fx.Sound] | None = None
    sound: fx.Sound | None = field(default=None, repr=False)


class Score:
    """Notes in beats at one tempo; `render` gives the finished stereo mix before loudness."""

    def __init__(self, bpm: float, beats: float, seed: int, tail_s: float = 4.0, swing: float = 0.0) -> None:
        self.bpm, self.beats, self.swing = bpm, beats, swing
        self.rng = np.random.default_rng(seed)
        self.length_s = beats * 60 / bpm + tail_s
        self.parts: dict[str, Part] = {}
        self.rooms: fx.Sound = fx.space(1.8, seed)
        self.duck: fx.Sound | None = None
        self.slow_from: float | None = None

    def part(self, name: str, part: Part) -> None:
        """Add a player."""
        part.sound = np.zeros((int(self.length_s * fx.RATE), 2))
        self.parts[name] = part

    def at(self, beat: float) -> float:
        """Seconds of a beat: swung, and slowing down to the end past `slow_from`."""
        if self.swing and abs(beat % 1 - 0.5) < 0.01:
            beat += self.swing
        seconds = beat * 60 / self.bpm
        if self.slow_from is not None and beat > self.slow_from:
            seconds += (beat - self.slow_from) ** 2 * 60 / self.bpm * 0.035
        return seconds

    def note(self, name: str, beat: float, midi: float, length: float = 1.0, force: float = 0.7) -> None:
        """One note; loudness and moment vary a little, as a player's do."""
        part = self.parts[name]
        force = round(float(np.clip(force * self.rng.uniform(0.93, 1.06), 0.05, 1)) * 16) / 16
        hold = round((self.at(beat + length) - self.at(beat)) * 50) / 50
        self._put(part, part.play(midi, max(hold, 0.06), max(force, 1 / 16)), beat)

    def hit(self, name: str, beat: float, sound: fx.Sound, force: float = 0.7) -> None:
        """One drum stroke into a part (its instrument is not used)."""
        self._put(self.parts[name], sound * force * self.rng.uniform(0.9, 1.08), beat)

    def _put(self, part: Part, sound: fx.Sound, beat: float) -> None:
        assert part.sound is not None
        angle = (part.pan + 1) * np.pi / 4
        start = self.at(beat) + self.rng.normal(0, part.loose_s) if part.loose_s else self.at(beat)
        wide = np.stack([sound * np.cos(angle), sound * np.sin(angle)], axis=1) * 1.2
        fx.mix_at(part.sound, wide, max(0.0, start))

    def phrase(
        self, name: str, beat: float, line: str, force: float = 0.7, shift: int = 0, legato: float = 1.0
    ) -> float:
        """A melody as text: "A4:1 B4:.5 -:.5"; gives the beat after it."""
        for word in line.split():
            tone, _, size = word.partition(":")
            length = float(size or 1)
            if tone != "-":
                accent = 0.06 if abs(beat % 1) < 0.01 else 0.0
                self.note(name, beat, pitch(tone) + shift, length * legato, force + accent)
            beat += length
        return beat

    def chords(
        self,
        name: str,
        beat: float,
        notes: Iterable[int],
        length: float,
        force: float = 0.6,
        roll: float = 0.0,
    ) -> None:
        """All notes of a chord, from the lowest, `roll` beats apart."""
        for index, midi in enumerate(sorted(notes)):
            self.note(name, beat + index * roll, midi, length - index * roll, force)

    def render(self, wet: float = 1.0, drive: float = 1.3) -> fx.Sound:
        """Mix: each part's own effect, side-chain if set, the common room, glue and tape."""
        dry = np.zeros((int(self.length_s * fx.RATE), 2))
        send = np.zeros_like(dry)
        for name, part in self.parts.items():
            assert part.sound is not None
            sound = part.shape(part.sound)[: len(dry)] if part.shape else part.sound
            sound = np.pad(sound, ((0, len(dry) - len(sound)), (0, 0)))
            if self.duck is not None and part.room > 0.06:
                sound = sound * self.duck[: len(dry), None]
            heard = fx.loudness(sound) if name in STAND else -70.0
            level = fx.gain(STAND[name] - heard) if heard > -60 else part.level
            dry += sound * level
            send += sound * level * part.room
        room = fx.reverb(send, self.rooms, 1.0)
        room[: len(send)] -= send
        out = np.pad(dry, ((0, len(room) - len(dry)), (0, 0))) + room * wet
        out = balance(fx.cut(out, 28, "highpass"))
        out = out * (0.28 / max(1e-9, np.sqrt((out**2).mean()) * 1.6))
        out = fx.compress(out, -14, 1.8, 0.025, 0.22)
        out = fx.saturate(out, drive)
        return fx.trim(out, -56, 0.02)
