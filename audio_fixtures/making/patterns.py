"""Patterns that several songs share."""

from __future__ import annotations

from . import drums
from . import instruments as ins
from .score import Part, Score, bass_of


def kit(level: float = 0.5, room: float = 0.1) -> Part:
    """A drum kit's part."""
    return Part(ins.bell, level, 0.0, room, 0.004)


def hats(s: Score, name: str, beat: float, beats: int, soft: float = 0.3, eighths: bool = True) -> None:
    """Closed hi-hat in eighths or quarters."""
    for step in range(beats * (2 if eighths else 1)):
        at = beat + step / (2 if eighths else 1)
        s.hit(name, at, drums.hat(int(s.rng.integers(6))), soft * (1.0 if step % 2 else 0.65))


def travis(s: Score, part: str, beat: float, name: str, notes: list[int], force: float = 0.55) -> None:
    """Travis picking, one bar of four: thumb alternates root and fifth, fingers answer off the beat."""
    root = bass_of(name, 40)
    fifth = root + 7 if root + 7 < 52 else root - 5
    for step, midi in ((0, root), (1, fifth), (2, root), (3, fifth)):
        s.note(part, beat + step, midi, 1.6, force + (0.1 if step % 2 == 0 else 0))
    for step, index in ((0, -1), (0.5, 1), (1.5, 2), (2.5, 1), (3, -1), (3.5, 2)):
        s.note(part, beat + step, notes[index % len(notes)], 1.4, force - 0.08)
