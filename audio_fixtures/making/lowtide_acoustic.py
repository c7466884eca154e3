"""Low Tide Local: the bands with wood and wire."""

from __future__ import annotations

from . import drums
from . import effects as fx
from . import instruments as ins
from .patterns import hats, kit, travis
from .score import Part, Score, bass_of, chord, progression


def slack_water() -> fx.Sound:
    """Indie folk in G, 100 beats a minute: picked guitar, double bass, brushes, a fiddle tune, choir at the end."""
    s = Score(100, 96, 101, 4.0)
    s.part("guitar", Part(ins.guitar, 0.62, -0.35, 0.18))
    s.part("strum", Part(ins.guitar, 0.3, 0.45, 0.2))
    s.part("bass", Part(ins.upright, 0.5, 0.0, 0.04))
    s.part("fiddle", Part(lambda m, b, f: ins.bowed(m, b, f, 0.07), 0.42, 0.2, 0.35, 0.01))
    s.part("choir", Part(ins.choir, 0.3, 0.0, 0.5))
    s.part("kit", kit(0.42))
    s.slow_from = 90
    verse = ["G", "D/F#", "Em7", "Cadd9", "G", "D", "Cadd9", "D"]
    chorus = ["Cadd9", "G/B", "Am7", "D", "Em7", "Cadd9", "G", "Dsus4"]
    order = [*verse[:4], *verse, *chorus, *verse[:2], "Cadd9", "G"]
    sets = progression(order, 63)
    for bar, (name, notes) in enumerate(zip(order, sets, strict=True)):
        beat = bar * 4
        if bar == 23:
            s.chords("guitar", beat, [43, 50, 55, 59, 62, 67], 4, 0.6, 0.06)
            s.note("bass", beat, 43, 3.5, 0.7)
            continue
        travis(s, "guitar", beat, name, notes, 0.62 if 12 <= bar < 20 else 0.54)
        if bar >= 4:
            for step, size in ((0, 1.4), (2, 0.9), (3, 0.9)):
                s.note(
                    "bass", beat + step, bass_of(name, 38) + (7 if step == 3 and bar % 2 else 0), size, 0.65
                )
        if 8 <= bar < 22:
            for step in (1, 3):
                s.hit("kit", beat + step, drums.brush(bar + step), 0.8)
            s.hit("kit", beat, drums.kick(True), 0.55)
            s.hit("kit", beat + 2.5, drums.kick(True), 0.4)
            for step in range(8):
                s.hit("kit", beat + step / 2, drums.shaker(step + bar), 0.32 if step % 2 else 0.18)
        if 12 <= bar < 20:
            for step, force in ((0, 0.5), (1, 0.35), (1.5, 0.3), (2.5, 0.35), (3, 0.45), (3.5, 0.3)):
                s.chords("strum", beat + step, [n + 0 for n in notes] + [notes[0] + 12], 0.7, force, 0.015)
            s.chords("choir", beat, list(notes), 4, 0.4)
    s.phrase("fiddle", 16, "-:1 D5:.5 E5:.5 G5:1.5 A5:.5 F#5:2 D5:2 E5:1.5 G5:.5 B4:1 D5:1 E5:3 -:1", 0.55)
    s.phrase(
        "fiddle", 32, "-:1 B4:.5 D5:.5 G5:1.5 B5:.5 A5:2.5 F#5:.5 D5:1 E5:1 G5:1 C6:1.5 B5:.5 A5:3 -:1", 0.6
    )
    s.phrase(
        "fiddle",
        48,
        "G5:1.5 A5:.5 G5:1 E5:1 D5:2 B5:2 C6:1.5 B5:.5 A5:1 G5:1 F#5:2 A5:2 "
        "B5:1.5 A5:.5 G5:1 E5:1 G5:1.5 E5:.5 D5:2 B4:1 D5:1 G5:2 A5:2 F#5:1 -:1",
        0.7,
    )
    s.phrase("fiddle", 80, "-:1 D5:.5 E5:.5 G5:2 F#5:2 D5:2 E5:1.5 D5:.5 C5:1 A4:1 B4:4", 0.5)
    return s.render(0.9, 1.2)


def paper_boats() -> fx.Sound:
    """Indie pop in D, 122: chiming guitars, electric piano, a glockenspiel hook and a real chorus."""
    s = Score(122, 112, 103, 3.5)
    s.part("left", Part(ins.guitar, 0.4, -0.7, 0.15))
    s.part("right", Part(ins.guitar, 0.4, 0.7, 0.15))
    s.part("keys", Part(ins.epiano, 0.42, 0.2, 0.2, 0.006, lambda x: fx.ensemble(x, 1.8, 0.4)))
    s.part("glock", Part(ins.bell, 0.3, -0.25, 0.4))
    s.part("bass", Part(ins.bass, 0.52, 0.0, 0.0))
    s.part("ooh", Part(ins.choir, 0.34, 0.0, 0.4))
    s.part("voice", Part(lambda m, b, f: ins.choir(m, b, f, 0.09), 0.34, 0.05, 0.35))
    s.part("kit", kit(0.5, 0.12))
    verse, chorus = ["D", "Bm7", "Gmaj7", "A7sus"], ["G", "A", "F#m7", "Bm7", "G", "A", "Dadd9", "D/F#"]
    order = [*verse, *verse, *verse[:3], "A", *chorus, *chorus[:6], "Dadd9", "Dadd9"]
    sets = progression(order, 64)
    for bar, (name, notes) in enumerate(zip(order, sets, strict=True)):
        beat, loud = bar * 4, 12 <= bar < 27
        if bar == 27:
            s.chords("left", beat, [50, 57, 62, 66, 69], 4, 0.6, 0.03)
            s.chords("keys", beat, notes, 4, 0.5, 0.03)
            s.note("bass", beat, 38, 3, 0.7)
            s.hit("kit", beat, drums.crash(1), 0.4)
            s.hit("kit", beat, drums.kick(), 0.8)
            continue
        for step, force in ((0, 0.55), (1, 0.4), (1.5, 0.45), (2.5, 0.45), (3, 0.4), (3.5, 0.35)):
            s.chords("left", beat + step, notes, 0.45, force * (1.15 if loud else 0.85), 0.012)
        if bar >= 4:
            for step, index in ((0, 0), (0.5, 2), (1, 1), (1.5, 2), (2, 0), (2.5, 2), (3, 1), (3.5, 2)):
                s.note("right", beat + step, notes[index % len(notes)] + 12, 0.6, 0.42)
            s.chords("keys", beat, notes, 1.4, 0.5, 0.01)
            s.chords("keys", beat + 1.5, notes, 2.2, 0.4, 0.01)
            for step in range(8):
                jump = 7 if step == 6 and bar % 2 else 0
                s.note(
                    "bass", beat + step / 2, bass_of(name, 35) + jump, 0.46, 0.7 if step % 2 == 0 else 0.58
                )
            for step in (0, 2, 2.5) if bar % 2 else (0, 1.5, 2):
                s.hit("kit", beat + step, drums.kick(), 0.8)
            for step in (1, 3):
                s.hit("kit", beat + step, drums.snare(bar + step), 0.75 if loud else 0.5)
            if loud:
                for step in range(8):
                    s.hit("kit", beat + step / 2, drums.ride(step), 0.4 if step % 2 == 0 else 0.24)
                s.chords("ooh", beat, [n + 12 if n < 62 else n for n in notes[:3]], 4, 0.42)
            else:
                hats(s, "kit", beat, 4, 0.34)
        if bar in (3, 11, 19):
            for step, low in ((2, 50), (2.5, 50), (3, 45), (3.5, 43)):
                s.hit("kit", beat + step, drums.tom(low), 0.55)
        if bar in (4, 12, 20):
            s.hit("kit", beat, drums.crash(bar % 3), 0.5)
    hook = "F#6:.5 E6:.5 D6:.5 A5:1 B5:1.5 F#6:.5 E6:.5 D6:.5 B5:1 A5:1.5 B5:.5 D6:.5 E6:.5 F#6:1 D6:1.5 E6:2 -:2"
    s.phrase("glock", 0, hook, 0.55)
    s.phrase("glock", 32, hook, 0.5)
    sing = (
        "B4:1 D5:1 E5:.5 D5:1.5 E5:1 C#5:1 A4:1 C#5:1 A4:1 C#5:.5 E5:.5 F#5:2 D5:3 -:1 "
        "B4:1 D5:1 G5:.5 F#5:1.5 E5:1 C#5:1 E5:1 A5:1 F#5:3 E5:1 D5:3 -:1"
    )
    for start in (48, 80):
        s.phrase("glock", start, sing if start == 48 else sing.rsplit(" ", 9)[0], 0.5, 12)
        s.phrase("voice", start, sing if start == 48 else sing.rsplit(" ", 9)[0], 0.75)
    s.phrase("glock", 104, "D6:.5 F#6:.5 A6:3", 0.45)
    return s.render(0.8, 1.5)


def mudlark_waltz() -> fx.Sound:
    """A folk waltz in E minor, 150: accordion tune, mandolin off-beats, double bass, fiddle in the repeat."""
    s = Score(150, 144, 104, 3.5)
    s.part("reed", Part(ins.reed, 0.5, 0.1, 0.22, 0.01))
    s.part("mando", Part(ins.nylon, 0.42, -0.5, 0.2))
    s.part("guitar", Part(ins.guitar, 0.42, 0.5, 0.2))
    s.part("bass", Part(ins.upright, 0.55, 0.0, 0.04))
    s.part("fiddle", Part(lambda m, b, f: ins.bowed(m, b, f, 0.06), 0.36, -0.2, 0.3, 0.01))
    s.part("kit", kit(0.36))
    s.slow_from = 136
    a = ["Em", "Em", "G", "D", "Em", "C", "D", "Em"]
    b = ["G", "D/F#", "Em", "Bm", "C", "G", "Am", "B7"]
    end = ["C", "G", "D", "Em", "C", "D", "Em", "Em"]
    order = a + a + b + b + a + end
    sets = progression(order, 66)
    for bar, (name, notes) in enumerate(zip(order, sets, strict=True)):
        beat = bar * 3
        if bar == 47:
            s.chords("guitar", beat, [40, 47, 52, 55, 59, 64], 3, 0.55, 0.05)
            s.note("bass", beat, 40, 3, 0.7)
            continue
        root = bass_of(name, 38)
        s.note("bass", beat, root + (7 if bar % 2 and root < 43 else 0), 1.6, 0.75)
        for step in (1, 2):
            s.chords("mando", beat + step, notes, 0.4, 0.5 if step == 1 else 0.42, 0.015)
            if bar >= 8:
                s.chords("guitar", beat + step, [n - 12 for n in notes], 0.6, 0.36, 0.02)
        if bar >= 16:
            s.hit("kit", beat, drums.kick(True), 0.7)
            for step in (1, 2):
                s.hit("kit", beat + step, drums.brush(bar + step), 0.55)
        if 16 <= bar < 40:
            for step in range(6):
                s.hit("kit", beat + step / 2, drums.shaker(step), 0.22 if step % 2 else 0.14)
    tune = (
        "E5:1.5 F#5:.5 G5:1 B5:2 A5:.5 G5:.5 B5:1.5 A5:.5 G5:1 F#5:1.5 E5:.5 D5:1 "
        "E5:1.5 F#5:.5 G5:1 E5:1 C5:1 E5:1 F#5:1 A5:1 F#5:1 E5:3"
    )
    turn = (
        "D5:1 G5:1 B5:1 A5:1.5 G5:.5 F#5:1 G5:1.5 F#5:.5 E5:1 F#5:1 D5:1 B4:1 "
        "C5:1 E5:1 G5:1 B5:1.5 A5:.5 G5:1 A5:1 C6:1 A5:1 F#5:1 D#5:1 B4:1"
    )
    s.phrase("reed", 0, tune, 0.6)
    s.phrase("reed", 24, tune, 0.66)
    s.phrase("reed", 48, turn, 0.7)
    s.phrase("fiddle", 72, turn, 0.62)
    s.phrase("reed", 72, "B4:3 A4:3 B4:3 F#4:3 G4:3 B4:3 C5:3 B4:2 D#5:1", 0.45)
    s.phrase("reed", 96, tune, 0.7)
    s.phrase("fiddle", 96, "B4:3 B4:3 D5:3 A4:3 B4:3 G4:3 A4:3 G4:3", 0.5)
    s.phrase(
        "reed",
        120,
        "C6:1.5 B5:.5 A5:1 B5:1.5 A5:.5 G5:1 F#5:1 G5:1 A5:1 B5:3 G5:1 E5:1 C5:1 F#5:1.5 D5:.5 F#5:1 E5:5",
        0.62,
    )
    s.phrase("fiddle", 120, "E5:3 D5:3 D5:3 G5:3 E5:3 A4:3 B4:5", 0.46)
    return s.render(0.75, 1.2)


def long_shadow() -> fx.Sound:
    """A slow jazz trio with guest vibraphone, 84, swung: two-five-ones in C, walking bass, brushes."""
    s = Score(84, 80, 105, 4.0, 0.13)
    s.part("keys", Part(ins.epiano, 0.5, -0.2, 0.2, 0.008, lambda x: fx.ensemble(x, 1.4, 0.3)))
    s.part("vibes", Part(ins.vibes, 0.5, 0.3, 0.3, 0.01))
    s.part("bass", Part(ins.upright, 0.62, 0.0, 0.05))
    s.part("kit", kit(0.5))
    s.slow_from = 74
    order = ["Dm9", "G13", "Cmaj9", "A7b9"] * 2 + [
        "Fmaj9",
        "Fm6",
        "Em7",
        "A7b9",
        "Dm9",
        "G13",
        "Cmaj9",
        "A7b9",
    ]
    order += ["Dm9", "G13", "Em7", "Cmaj9"]
    sets = progression(order, 62)
    for bar, (name, notes) in enumerate(zip(order, sets, strict=True)):
        beat = bar * 4
        if bar == 19:
            s.chords("keys", beat, notes, 4, 0.5, 0.08)
            s.chords("vibes", beat + 0.5, [n + 12 for n in notes[1:4]], 4, 0.4, 0.1)
            s.note("bass", beat, 36, 3.5, 0.7)
            s.hit("kit", beat, drums.ride(1), 0.5)
            continue
        places = ((0, 1.3), (2.5, 1.2)) if bar % 2 == 0 else ((0.5, 1.0), (2.5, 0.5), (3, 0.9))
        for step, size in places:
            s.chords("keys", beat + step, notes, size, 0.48, 0.01)
        ahead = bass_of(order[bar + 1], 38)
        tones = sorted(33 + (cls - 33) % 12 for cls in chord(name)[1][:3])
        root = bass_of(name, 38)
        walk = [root, tones[1] + (12 if tones[1] < root - 5 else 0), tones[2] + (12 if tones[2] < root - 5 else 0),
                ahead + (1 if bar % 2 else -1)]  # fmt: skip
        if bar < 2:
            s.note("bass", beat, root, 2, 0.6)
            s.note("bass", beat + 2, walk[2], 2, 0.55)
        else:
            for step, midi in enumerate(walk):
                s.note("bass", beat + step, midi, 0.95, 0.68)
        for step in range(4):
            s.hit("kit", beat + step, drums.ride(step), 0.5 if step % 2 else 0.4)
            if step % 2:
                s.hit("kit", beat + step, drums.brush(step + bar), 0.5)
                s.hit("kit", beat + step + 0.5, drums.ride(step), 0.28)
            else:
                s.hit("kit", beat + step, drums.brush(step, True), 0.35)
        if bar % 4 == 3:
            s.hit("kit", beat + 3.5, drums.rim(bar), 0.35)
    s.phrase("vibes", 8, "-:1 G5:.5 E5:.5 B5:1 A5:1 C#5:.5 E5:.5 G5:.5 Bb5:2.5", 0.55)
    s.phrase(
        "vibes",
        16,
        "A5:1.5 F5:.5 E5:1 C5:1 B4:.5 D5:.5 F5:.5 A5:1.5 G5:1 E5:2 -:.5 D5:.5 E5:.5 G5:.5 "
        "Bb5:1 A5:.5 G5:.5 E5:.5 C#5:1.5",
        0.62,
    )
    s.phrase(
        "vibes",
        32,
        "C6:1.5 A5:.5 G5:1 E5:1 Ab5:1.5 F5:.5 D5:2 G5:1 B5:.5 D6:1.5 B5:1 C#6:.5 Bb5:.5 G5:.5 E5:1.5 -:1",
        0.66,
    )
    s.phrase(
        "vibes",
        48,
        "F5:.5 A5:.5 C6:.5 E6:1.5 D6:1 B5:.5 A5:.5 F5:1 E5:1 D5:1 E5:.5 G5:.5 B5:1 D6:2 "
        "C#6:.5 Bb5:.5 A5:1 G5:2",
        0.62,
    )
    s.phrase("vibes", 64, "F5:1.5 E5:.5 D5:1 A4:1 B4:.5 D5:.5 E5:1 F5:2 G5:1.5 E5:.5 D5:2", 0.5)
    return s.render(0.75, 1.25)
