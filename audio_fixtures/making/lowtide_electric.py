"""Low Tide Local: the bands with plugs."""

from __future__ import annotations

import numpy as np

from . import drums
from . import effects as fx
from . import instruments as ins
from .patterns import kit
from .score import Part, Score, bass_of, progression


def sodium_lamps() -> fx.Sound:
    """Electronic in A minor, 108: arpeggio, side-chained pads, four on the floor, a lead that sings."""
    s = Score(108, 104, 102, 4.0)
    s.rooms = fx.space(2.4, 7)
    s.part("arp", Part(ins.blip, 0.4, 0.3, 0.2, 0.0, lambda x: fx.echo(x, 60 / 108 * 0.75, 0.5, 0.4)))
    s.part(
        "pad", Part(lambda m, b, f: ins.pad(m, b, f, 1900.0), 0.5, 0.0, 0.4, 0.0, lambda x: fx.ensemble(x))
    )
    s.part("bass", Part(ins.synthbass, 0.46, 0.0, 0.07, 0.0))
    s.part("lead", Part(ins.lead, 0.34, -0.15, 0.4, 0.004, lambda x: fx.echo(x, 60 / 108, 0.4, 0.3)))
    s.part("kick", kit(0.62, 0.0))
    s.part("kit", kit(0.4, 0.15))
    names = ["Am9", "Fmaj7", "Cmaj7", "G6"]
    lift = ["Fmaj9", "G6", "Am7", "Em7"]
    order = names * 2 + names * 2 + lift * 2 + names[:1] + ["Fmaj9"]
    sets = progression(order, 62)
    for bar, (name, notes) in enumerate(zip(order, sets, strict=True)):
        beat, full = bar * 4, 8 <= bar < 24
        s.chords("pad", beat, notes, 4, 0.34 + 0.02 * min(bar, 8))
        pattern = (0, 2, 1, 3, 2, 0, 3, 1, 0, 2, 1, 3, 2, 3, 1, 2)
        for step in range(16 if bar >= 2 else 8):
            at = step / 4 if bar >= 2 else step / 2
            up = 24 if step in (6, 14) else 12
            force = 0.35 + 0.2 * (step % 4 == 0) + 0.012 * min(bar, 16)
            if bar < 24 or step < 8:
                s.note("arp", beat + at, notes[pattern[step] % len(notes)] + up, 0.22, force)
        if 4 <= bar < 24:
            for step in (0, 0.75, 1.5, 2.5, 3, 3.5) if full else (0, 1.5, 2.5):
                s.note("bass", beat + step, bass_of(name, 33) + (12 if step == 3.5 else 0), 0.45, 0.7)
        if 4 <= bar < 24:
            for step in range(4):
                s.hit("kick", beat + step, drums.kick(), 0.8)
        if 8 <= bar < 24:
            for step in (1, 3):
                s.hit("kit", beat + step, drums.snare(bar), 0.55)
            for step in range(16):
                s.hit("kit", beat + step / 4, drums.hat(step + bar), (0.1, 0.16, 0.32, 0.16)[step % 4])
            for step in range(4):
                s.hit("kit", beat + step + 0.5, drums.hat(step, True), 0.22)
        if bar in (7, 15, 23):
            s.hit("kit", beat + 1.1, drums.swell(60 / 108 * 2.9), 0.8)
        if bar in (8, 16, 24):
            s.hit("kit", beat, drums.crash(), 0.6)
    hook = "E5:1.5 D5:.5 C5:1 B4:.5 C5:.5 A4:3 -:1 G4:1.5 C5:.5 E5:1 D5:.5 C5:.5 D5:2.5 -:1.5"
    s.phrase("lead", 32, hook, 0.6)
    s.phrase(
        "lead", 48, "E5:1.5 G5:.5 A5:1 G5:.5 E5:.5 C5:3 -:1 E5:1.5 D5:.5 C5:1 E5:.5 G5:.5 B4:2.5 -:1.5", 0.65
    )
    s.phrase(
        "lead",
        64,
        "A5:2 G5:1 E5:1 B5:2 A5:1 G5:1 C6:2 B5:1 A5:1 G5:3 -:1 "
        "A5:1 C6:1 A5:1 G5:1 D6:2 B5:2 C6:1 B5:1 A5:1 E5:1 G5:2 B4:1.5",
        0.75,
    )
    pulse = np.ones(int(s.length_s * fx.RATE) + 1)
    for beat in range(16, 96):
        start = int(s.at(beat) * fx.RATE)
        dip = 1 - 0.62 * np.exp(-np.arange(int(0.42 * fx.RATE)) / fx.RATE * 9)
        pulse[start : start + len(dip)] = np.minimum(pulse[start : start + len(dip)], dip)
    s.duck = pulse
    return fx.fade(s.render(1.0, 1.5), 0.01, 2.5)


def slipway_dub() -> fx.Sound:
    """Dub in A minor, 144 in half time: a heavy bass line, organ skank in echo, melodica, rim shots."""
    s = Score(72, 68, 106, 5.0)
    quarter = 60 / 72
    s.rooms = fx.space(2.6, 31, 4200)
    s.part("skank", Part(ins.organ, 0.36, -0.45, 0.2, 0.004))
    s.part("chop", Part(ins.nylon, 0.42, 0.45, 0.2, 0.004, lambda x: fx.echo(x, quarter * 0.75, 0.55, 0.5)))
    s.part("bass", Part(lambda m, b, f: fx.cut(ins.bass(m, b, f), 700, "lowpass"), 0.85, 0.0, 0.0))
    s.part("reed", Part(ins.reed, 0.44, 0.15, 0.35, 0.01, lambda x: fx.echo(x, quarter * 0.75, 0.5, 0.45)))
    s.part("pad", Part(ins.pad, 0.3, 0.0, 0.5))
    s.part("kit", kit(0.55, 0.12))
    s.part("throw", Part(ins.bell, 0.42, 0.2, 0.5, 0.0, lambda x: fx.echo(x, quarter * 0.75, 0.65, 0.7)))
    a, b = ["Am7", "Dm7", "Am7", "Em7"], ["Fmaj7", "G", "Em7", "Am7"]
    order = a + a + b + a + ["Am7"]
    sets = progression(order, 64)
    riff_a = (
        (0, 0, 0.5),
        (0.75, 0, 0.25),
        (1, 3, 0.5),
        (1.5, 5, 0.5),
        (2.25, 7, 0.5),
        (2.75, 5, 0.25),
        (3, 3, 0.5),
        (3.5, -2, 0.4),
    )
    for bar, (name, notes) in enumerate(zip(order, sets, strict=True)):
        beat, root = bar * 4, bass_of(name, 33)
        if bar == 16:
            s.chords("skank", beat, notes, 0.3, 0.6)
            s.chords("chop", beat, notes, 0.2, 0.6)
            s.note("bass", beat, 33, 2.5, 0.8)
            s.hit("throw", beat, drums.rim(), 0.9)
            continue
        minor = "m" in name and "maj" not in name
        if bar >= 2:
            for step, shift, size in riff_a:
                third = shift if minor or shift != 3 else 4
                s.note("bass", beat + step, root + third, size, 0.85)
        sparse = bar in (8, 9)
        for step in (0.5, 1.5, 2.5, 3.5):
            if not sparse:
                s.chords("skank", beat + step, notes, 0.18, 0.6)
                s.chords("skank", beat + step + 0.25, notes, 0.12, 0.3)
            if bar % 2 == 1 or bar < 2:
                s.chords(
                    "chop", beat + step, [n + 12 for n in notes[:3]], 0.14, 0.55 if step == 3.5 else 0.35
                )
        if bar >= 2 or bar == 1:
            for step in range(8):
                s.hit("kit", beat + step / 2, drums.hat(step + bar), 0.4 if step % 2 else 0.22)
                s.hit("kit", beat + step / 2 + 0.25, drums.hat(step), 0.14)
        if bar >= 2 and not sparse:
            for step in (1, 3):
                s.hit("kit", beat + step, drums.kick(), 0.9)
                s.hit("kit", beat + step, drums.rim(step), 0.6)
            s.hit("kit", beat + 2.75, drums.kick(True), 0.4)
        if bar % 4 == 3:
            s.hit("throw", beat + 3, drums.snare(bar), 0.5)
        if bar in (1, 9):
            for step, low in ((3, 52), (3.25, 50), (3.5, 47), (3.75, 45)):
                s.hit("kit", beat + step, drums.tom(low), 0.6)
        if 8 <= bar < 12:
            s.chords("pad", beat, notes, 4, 0.45)
    s.phrase(
        "reed",
        16,
        "A5:.75 C6:.25 A5:.5 G5:.5 E5:1.5 -:.5 F5:.75 A5:.25 F5:.5 D5:2 -:.5 "
        "E5:.5 G5:.5 A5:1 E5:1.5 -:.5 B4:.5 D5:.5 E5:2.5 -:.5",
        0.62,
    )
    s.phrase(
        "reed",
        32,
        "C6:1.5 A5:.5 F5:1 A5:1 B5:1.5 G5:.5 D5:2 G5:1 B5:.5 G5:.5 E5:1.5 -:.5 C5:.5 E5:.5 A5:2.5 -:.5",
        0.66,
    )
    s.phrase(
        "reed", 48, "E5:.5 A5:1 -:2.5 D5:.5 F5:1 -:2.5 E5:.5 A5:.5 C6:1.5 -:1.5 B5:.5 G5:.5 E5:2 -:1", 0.55
    )
    return fx.fade(s.render(0.9, 1.6), 0.005, 1.5)


def driftglass() -> fx.Sound:
    """Ambient electronic in E flat lydian, 76: pads, thumb piano in echo, a slow pulse, glass bells."""
    s = Score(76, 68, 107, 6.0)
    quarter = 60 / 76
    s.rooms = fx.space(4.2, 41, 8000, 0.03)
    s.part(
        "pad",
        Part(
            lambda m, b, f: ins.pad(m, b, f, 1200.0),
            0.55,
            0.0,
            0.6,
            0.0,
            lambda x: fx.ensemble(x, 3, 0.6, 0.3),
        ),
    )
    s.part("choir", Part(ins.choir, 0.3, 0.0, 0.7))
    s.part(
        "thumb",
        Part(ins.kalimba, 0.5, -0.3, 0.4, 0.008, lambda x: fx.echo(x, quarter * 0.75, 0.55, 0.5, 3800)),
    )
    s.part(
        "glass", Part(ins.bell, 0.22, 0.35, 0.8, 0.01, lambda x: fx.echo(x, quarter * 1.5, 0.5, 0.5, 5000))
    )
    s.part("bass", Part(lambda m, b, f: ins.synthbass(m, b, f, 190.0), 0.4, 0.0, 0.07, 0.0))
    s.part("kit", kit(0.4, 0.3))
    order = ["Ebmaj7#11", "Cm9", "Abmaj9", "Gm7"] * 2 + ["Abmaj9", "Bb6", "Cm9", "Ebmaj9"] * 2 + ["Ebmaj9"]
    sets = progression(order, 63)
    for bar, (name, notes) in enumerate(zip(order, sets, strict=True)):
        beat = bar * 4
        s.chords("pad", beat, notes, 4.2 if bar < 16 else 4, 0.4 + 0.015 * min(bar, 12))
        if bar >= 4 and bar < 16:
            s.note("bass", beat, bass_of(name, 31), 3.2, 0.55)
            s.note("bass", beat + 3.5, bass_of(name, 31), 0.4, 0.35)
        if bar >= 8 and bar < 16:
            s.note("choir", beat, notes[-1] + (12 if notes[-1] < 66 else 0), 4, 0.5)
            for step in (0, 2.5):
                s.hit("kit", beat + step, drums.kick(True), 0.6)
            s.hit("kit", beat + 2, drums.rim(bar), 0.25)
            for step in range(8):
                s.hit("kit", beat + step / 2 + 0.25, drums.shaker(step), 0.26)
        if 1 <= bar < 16:
            for step in (0, 0.75, 1.5, 2.25, 3, 3.5):
                if s.rng.random() < (0.55 if bar < 8 else 0.85):
                    s.note("thumb", beat + step, notes[int(s.rng.integers(len(notes)))] + 12, 1, 0.5)
        if bar % 2 == 1:
            for step, index in ((0.5, -1), (1.5, -2), (2.5, -1)):
                s.note("glass", beat + step, notes[index] + 24, 2, 0.4)
    s.phrase(
        "choir", 32, "C5:3 D5:1 D5:2 F5:2 G5:3 F5:1 D5:2 Bb4:2 C5:3 Eb5:1 F5:2 D5:2 Eb5:3 G5:1 G5:4", 0.6
    )
    s.phrase("thumb", 64, "G5:.75 Bb5:.75 D6:.5 G6:2", 0.45)
    return fx.fade(s.render(1.0, 1.25), 0.4, 4.0)
