"""Station music: two fillers and a loop."""

from __future__ import annotations

import numpy as np

from . import beds, drums
from . import effects as fx
from . import instruments as ins
from .patterns import hats, kit, travis
from .score import Part, Score, bass_of, progression


def quiet_water() -> fx.Sound:
    """Filler: piano and strings, unhurried, in D."""
    s = Score(72, 36, 111, 4.0)
    s.part("piano", Part(ins.piano, 0.6, -0.1, 0.3))
    s.part("strings", Part(ins.section, 0.3, 0.1, 0.5))
    s.part("vibes", Part(ins.vibes, 0.25, 0.3, 0.5))
    s.slow_from = 30
    order = ["Dadd9", "Bm7", "Gmaj7", "A7sus", "Dadd9", "F#m7", "Gmaj7", "Asus4", "Dadd9"]
    for bar, (name, notes) in enumerate(zip(order, progression(order, 62), strict=True)):
        for step in range(8 if bar < 8 else 4):
            index = (0, 1, 2, 1, 3, 1, 2, 1)[step] % len(notes)
            s.note("piano", bar * 4 + step / 2, notes[index], 1.5, 0.42)
        s.note("piano", bar * 4, bass_of(name, 38), 4, 0.5)
        s.chords("strings", bar * 4, list(notes[:3]), 4, 0.4)
    s.phrase(
        "piano",
        4,
        "-:1 F#5:1 E5:1 D5:1 B4:2.5 D5:.5 E5:1 A4:3 -:1 D5:1 F#5:1 A5:1 A5:2 F#5:1 E5:1 D5:2 B4:2 D5:3 E5:1 D5:4",
        0.56,
    )
    s.phrase("vibes", 18, "A5:2 -:2 C#6:2 -:2 B5:2 -:2 A5:2", 0.4)
    return s.render(1.0, 1.1)


def between_tides() -> fx.Sound:
    """Filler: guitar, bass and brushes in E, nobody in a hurry."""
    s = Score(94, 52, 112, 3.0)
    s.part("guitar", Part(ins.guitar, 0.6, -0.25, 0.2))
    s.part("answer", Part(ins.nylon, 0.4, 0.35, 0.3))
    s.part("bass", Part(ins.bass, 0.45, 0.0, 0.02))
    s.part("pad", Part(ins.pad, 0.24, 0.0, 0.5))
    s.part("kit", kit(0.4))
    s.slow_from = 46
    order = ["Emaj7", "C#m7", "Amaj7", "B7sus"] * 3 + ["Emaj7"]
    for bar, (name, notes) in enumerate(zip(order, progression(order, 62), strict=True)):
        beat = bar * 4
        if bar == 12:
            s.chords("guitar", beat, [40, 47, 52, 56, 59, 64], 4, 0.5, 0.06)
            s.note("bass", beat, 40, 3, 0.6)
            continue
        travis(s, "guitar", beat, name, notes, 0.5)
        s.chords("pad", beat, notes, 4, 0.35)
        if bar >= 2:
            s.note("bass", beat, bass_of(name, 33), 1.8, 0.65)
            s.note("bass", beat + 2.5, bass_of(name, 33) + 7, 1.2, 0.5)
        if bar >= 4:
            s.hit("kit", beat, drums.kick(True), 0.5)
            for step in (1, 3):
                s.hit("kit", beat + step, drums.brush(bar), 0.7)
            hats(s, "kit", beat, 4, 0.25)
    s.phrase(
        "answer",
        16,
        "-:1 B5:.5 G#5:.5 E5:2 -:1 E5:.5 G#5:.5 B5:1 C#6:1 A5:1.5 G#5:.5 E5:2 F#5:2 -:2 "
        "G#5:1 B5:.5 G#5:.5 F#5:1 E5:1 C#5:2 E5:2 A5:1.5 G#5:.5 F#5:1 E5:1 F#5:1 B4:1",
        0.6,
    )
    return s.render(0.8, 1.2)


def newsroom_loop() -> fx.Sound:
    """The harbor bed, eight bars cut to a loop: its reverberation is folded back to the start."""
    bars = 8
    sound = beds.harbor_bed(bars)
    size = int(bars * 4 * 60 / 96 * fx.RATE)
    out = np.pad(sound, ((0, max(0, size - len(sound))), (0, 0)))[:size].copy()
    tail = sound[size:]
    out[: len(tail)] += tail
    return out
