"""Meridian Classical's music: three old pieces that belong to everybody, three of our own.

The canon is Pachelbel's, the prelude is the first half of Bach's BWV 846, Greensleeves is traditional.
"""

from __future__ import annotations

from collections.abc import Callable

from . import effects as fx
from . import instruments as ins
from .instruments import Note
from .piece import Piece
from .score import Part, Score, bass_of, pitch, progression

HALL = 2.6


def _violin(salt: int, attack_s: float = 0.09) -> Note:
    return lambda m, b, f: ins.bowed(m, b, f, attack_s, salt)


def _quartet(s: Score, attack_s: float = 0.09) -> None:
    places = (("violin1", -0.55, 120), ("violin2", -0.2, 130), ("viola", 0.25, 140), ("cello", 0.55, 150))
    for name, pan, salt in places:
        s.part(name, Part(_violin(salt, attack_s), 0.5, pan, 0.4, 0.012))


def canon() -> fx.Sound:
    """Three violins in canon over the ground; cello, and a harp for the continuo."""
    s = Score(60, 60, 201, 5.0)
    s.rooms = fx.space(HALL, 51, 5500, 0.02)
    _quartet(s)
    s.part("violin3", Part(_violin(160), 0.5, 0.15, 0.4, 0.012))
    s.part("harp", Part(ins.harp, 0.4, 0.35, 0.35))
    ground = ("D3", "A2", "B2", "F#2", "G2", "D2", "G2", "A2")
    names = ["D", "A", "Bm", "F#m", "G", "D", "G", "A"]
    sets = progression(names, 57)
    for turn in range(7):
        for step in range(8):
            beat = turn * 8 + step
            s.note(
                "cello",
                beat,
                pitch(ground[step]) + 12 * (ground[step] in ("D2", "F#2", "G2") and turn % 2),
                0.98,
                0.65,
            )
            for i, midi in enumerate(sets[step][:3]):
                s.note("harp", beat + i * 0.25, midi, 1.2, 0.4)
            s.note("harp", beat + 0.75, sets[step][1], 1.0, 0.34)
    lines = (
        "F#5:1 E5:1 D5:1 C#5:1 B4:1 A4:1 B4:1 C#5:1",
        "D5:1 C#5:1 B4:1 A4:1 G4:1 F#4:1 G4:1 E4:1",
        "D4:.5 F#4:.5 A4:.5 G4:.5 F#4:.5 D4:.5 F#4:.5 E4:.5 D4:.5 B3:.5 D4:.5 A4:.5 G4:.5 B4:.5 A4:.5 G4:.5",
        "F#4:.5 D4:.5 E4:.5 C#5:.5 D5:.5 F#5:.5 A5:.5 A4:.5 B4:.5 G4:.5 A4:.5 F#4:.5 D4:.5 D5:.75 D5:.25 C#5:.5",
        "A5:.5 F#5:.25 G5:.25 A5:.5 F#5:.25 G5:.25 A5:.25 A4:.25 B4:.25 C#5:.25 D5:.25 E5:.25 F#5:.25 G5:.25 "
        "F#5:.5 D5:.25 E5:.25 F#5:.5 F#4:.25 G4:.25 A4:.25 B4:.25 A4:.25 G4:.25 A4:.25 F#4:.25 G4:.25 A4:.25 "
        "G4:.5 B4:.25 A4:.25 G4:.5 F#4:.25 E4:.25 F#4:.25 E4:.25 D4:.25 E4:.25 F#4:.25 G4:.25 A4:.25 B4:.25 "
        "G4:.5 B4:.25 A4:.25 B4:.5 C#5:.25 D5:.25 A4:.25 B4:.25 C#5:.25 D5:.25 E5:.25 F#5:.25 G5:.25 A5:.25",
        "F#5:1 E5:1 D5:1 F#5:1 G5:1 F#5:1 B5:1 A5:1",
    )
    for voice, name in enumerate(("violin1", "violin2", "violin3")):
        for index, line in enumerate(lines):
            turn = 1 + voice + index
            if turn < 7:
                s.phrase(name, turn * 8, line, 0.5 + 0.03 * turn, 0, 0.98)
    for name, tone in (("violin1", "F#5"), ("violin2", "D5"), ("violin3", "A4"), ("cello", "D3")):
        s.note(name, 56, pitch(tone), 4, 0.6)
    s.chords("harp", 56, [pitch(n) for n in ("D2", "A2", "D3", "F#3", "A3", "D4")], 4, 0.5, 0.12)
    return s.render(1.0, 1.05)


def prelude() -> fx.Sound:
    """Harp alone, with a shadow of strings."""
    s = Score(76, 80, 202, 5.0)
    s.rooms = fx.space(HALL, 52, 5000, 0.02)
    s.part("harp", Part(ins.harp, 0.6, -0.1, 0.35, 0.01))
    s.part("strings", Part(ins.section, 0.12, 0.1, 0.6))
    s.slow_from = 70
    bars = """C4 E4 G4 C5 E5|C4 D4 A4 D5 F5|B3 D4 G4 D5 F5|C4 E4 G4 C5 E5|C4 E4 A4 E5 A5|C4 D4 F#4 A4 D5
B3 D4 G4 D5 G5|B3 C4 E4 G4 C5|A3 C4 E4 G4 C5|D3 A3 D4 F#4 C5|G3 B3 D4 G4 B4|G3 Bb3 E4 G4 C#5
F3 A3 D4 A4 D5|F3 Ab3 D4 F4 B4|E3 G3 C4 G4 C5|E3 F3 A3 C4 F4|D3 F3 A3 C4 F4|G2 D3 G3 B3 F4|C3 E3 G3 C4 E4"""
    for bar, row in enumerate(bars.replace("\n", "|").split("|")):
        tones = [pitch(n) for n in row.split()]
        rise = 0.44 + 0.012 * min(bar, 12) - (0.02 * max(0, bar - 14))
        for half in (0, 2):
            for step, index in enumerate((0, 1, 2, 3, 4, 2, 3, 4)):
                force = rise + (0.14 if step == 0 else 0.04 if index == 4 else 0)
                s.note(
                    "harp",
                    bar * 4 + half + step / 4,
                    tones[index],
                    2.2 - step / 4 if index < 2 else 0.8,
                    force,
                )
        if bar >= 4:
            s.chords("strings", bar * 4, tones[:3], 4, 0.3 + 0.01 * bar)
    s.chords("harp", 76, [pitch(n) for n in ("C2", "G2", "C3", "E3", "G3", "C4", "E4", "C5")], 4, 0.5, 0.14)
    s.chords("strings", 76, [48, 55, 60], 3, 0.3)
    return s.render(1.0, 1.05)


def greensleeves() -> fx.Sound:
    """Flute, harp and cello, in six-eight; a beat is an eighth note."""
    s = Score(156, 162, 203, 4.5)
    s.rooms = fx.space(2.2, 53, 6000, 0.018)
    s.part("flute", Part(ins.flute, 0.5, -0.2, 0.4, 0.01))
    s.part("harp", Part(ins.harp, 0.5, 0.3, 0.35, 0.008))
    s.part("cello", Part(_violin(150, 0.12), 0.5, 0.1, 0.4, 0.012))
    s.part("violin2", Part(_violin(130, 0.12), 0.5, -0.45, 0.4, 0.012))
    s.slow_from = 148
    verse = ["Am", "G", "Am", "E", "Am", "G", "Am", "Am"]
    chorus = ["C", "G", "Am", "E", "C", "G", "Am", "Am"]
    order = ["Am", "Am", *verse, *chorus, *chorus, "Am"]
    sets = progression([n if n != "E" else "E7" for n in order], 60)
    for bar, (name, notes) in enumerate(zip(order, sets, strict=True)):
        beat, split = bar * 6, bar in (8, 16, 24)
        if bar == 26:
            s.chords("harp", beat, [45, 52, 57, 60, 64, 69], 6, 0.5, 0.2)
            continue
        second = progression(["E7"], 60)[0] if split else notes
        low, low2 = bass_of(name, 45), 40 if split else bass_of(name, 45)
        for step in range(6):
            tones = [low if step < 3 else low2, *(notes if step < 3 else second)]
            index = (0, 1, 2, 0 if split else 3, 2, 1)[step]
            s.note("harp", beat + step, tones[index % len(tones)], 3, 0.5 if step in (0, 3) else 0.4)
        if bar >= 10:
            s.note("cello", beat, low, 2.9 if split else 5.9, 0.5)
            if split:
                s.note("cello", beat + 3, 52, 2.9, 0.5)
    first = "C5:2 D5:1 E5:1.5 F5:.5 E5:1 D5:2 B4:1 G4:1.5 A4:.5 B4:1 "
    close = "C5:1.5 B4:.5 A4:1 G#4:1.5 F#4:.5 G#4:1 A4:3 A4:2"
    tune = "A4:1 " + first + "C5:2 A4:1 A4:1.5 G#4:.5 A4:1 B4:2 G#4:1 E4:2 A4:1 " + first + close + " -:1"
    high = "G5:3 G5:1.5 F#5:.5 E5:1 D5:2 B4:1 G4:1.5 A4:.5 B4:1 "
    refrain = high + "C5:2 A4:1 A4:1.5 G#4:.5 A4:1 B4:2 G#4:1 E4:3 " + high + close
    s.phrase("flute", 11, tune, 0.6, 0, 0.97)
    s.phrase("flute", 60, refrain, 0.68, 0, 0.97)
    s.phrase("flute", 108, refrain, 0.74, 0, 0.97)
    s.phrase(
        "violin2",
        108,
        "E5:3 E5:3 B4:3 D5:3 A4:3 E4:3 G#4:3 B4:3 E5:3 E5:3 B4:3 D5:3 A4:3 B4:3 C5:3 E4:2",
        0.5,
    )
    s.note("flute", 155.5, 69, 5, 0.5)
    s.note("cello", 156, 45, 5, 0.5)
    return s.render(1.0, 1.05)


def nocturne() -> fx.Sound:
    """Piano in D flat, twelve-eight; the left hand is the water. A beat is a dotted quarter."""
    s = Score(58, 56, 204, 6.0)
    s.rooms = fx.space(2.8, 54, 4500, 0.02)
    s.part("piano", Part(ins.piano, 0.6, 0.0, 0.3, 0.012))
    s.part("left", Part(ins.piano, 0.6, -0.15, 0.35, 0.01))
    s.slow_from = 46
    order = [
        "Db",
        "Db/F",
        "Gbmaj7",
        "Ab7",
        "Bbm7",
        "Ebm7",
        "Ab7sus",
        "Dbadd9",
        "Gbmaj7",
        "Db/F",
        "Ebm7",
        "Ab7",
        "Gbm6",
        "Db",
    ]
    for bar, (name, notes) in enumerate(zip(order, progression(order, 58), strict=True)):
        low = bass_of(name, 37)
        wave = [low, notes[0], notes[1], notes[2], notes[1], notes[0]]
        for step in range(12 if bar < 13 else 6):
            s.note(
                "left",
                bar * 4 + step / 3,
                wave[step % 6] if step != 6 else low + 12,
                1.2,
                0.5 if step % 6 == 0 else 0.36,
            )
    s.phrase(
        "piano",
        4,
        "-:1 Ab5:1.67 F5:.33 Db5:1 Bb4:2 Db5:.67 F5:.33 Ab5:1 Gb5:1.67 F5:.33 Eb5:1 C5:1 "
        "Db5:2 F5:.67 Ab5:.33 Db6:1 Bb5:1.67 Ab5:.33 Gb5:1 Db5:1 Eb5:2 Db5:.67 Bb4:.33 Eb5:1 F5:3 -:1",
        0.62,
    )
    s.phrase(
        "piano",
        32,
        "Bb5:1.67 Ab5:.33 Gb5:.67 F5:.33 Db5:1 Ab5:2 Db6:.67 C6:.33 Ab5:1 Gb5:1.33 F5:.33 Eb5:.34 Db5:1 Bb4:1 "
        "C5:2 Eb5:1 Gb5:1 F5:2 Eb5:1 Db5:1 Db5:2 Ab4:2",
        0.66,
    )
    s.phrase("piano", 50, "-:1 F5:.5 Ab5:.5 Db6:3", 0.4)
    return s.render(1.0, 1.05)


def pastorale() -> fx.Sound:
    """Flute, clarinet and bassoon in G, six-eight; a beat is an eighth note."""
    s = Score(176, 168, 205, 3.5)
    s.rooms = fx.space(2.0, 55, 6500, 0.015)
    s.part("flute", Part(ins.flute, 0.5, -0.35, 0.35, 0.01))
    s.part("clarinet", Part(ins.clarinet, 0.5, 0.05, 0.35, 0.01))
    s.part("bassoon", Part(ins.bassoon, 0.5, 0.4, 0.35, 0.01))
    s.slow_from = 156
    a = "D5:2 B4:1 G5:2 F#5:1 E5:2 D5:1 C5:2 E5:1 D5:2 G4:1 B4:2 D5:1 A4:4 -:2 "
    a2 = "D5:2 B4:1 G5:2 F#5:1 E5:2 G5:1 C6:2 B5:1 A5:2 F#5:1 D5:2 F#5:1 G5:4 -:2 "
    b = (
        "B5:3 A5:2 G5:1 F#5:3 E5:2 D5:1 E5:2 F#5:1 G5:2 E5:1 D5:5 -:1 "
        "C5:2 E5:1 A5:2 G5:1 F#5:2 A5:1 C6:2 A5:1 B5:2 G5:1 A5:2 C#5:1 D5:5 -:1 "
    )
    s.phrase("clarinet", 0, a, 0.55, 0, 0.96)
    s.phrase("flute", 24, a2, 0.6, 0, 0.96)
    s.phrase("clarinet", 24, "B4:3 D5:3 C5:3 E5:3 F#4:3 A4:3 B4:4 -:2", 0.5, 0, 0.97)
    s.phrase("flute", 48, b, 0.62, 0, 0.96)
    s.phrase(
        "clarinet",
        48,
        "G4:3 B4:3 A4:3 D4:3 C5:3 B4:3 B4:2 A4:1 G4:3 A4:3 C5:3 A4:3 F#4:3 G4:3 E4:3 F#4:5 -:1",
        0.52,
        0,
        0.97,
    )
    s.phrase("flute", 96, a, 0.6, 0, 0.96)
    s.phrase("clarinet", 96, "B4:3 D5:3 C5:3 G4:3 B4:3 G4:3 F#4:2 G4:1 F#4:3", 0.5, 0, 0.97)
    s.phrase("flute", 120, a2, 0.64, 0, 0.96)
    s.phrase("clarinet", 120, "G4:2 D5:1 B4:3 C5:3 E5:2 D5:1 C5:2 A4:1 F#4:2 A4:1 B4:4 -:2", 0.54, 0, 0.97)
    s.phrase(
        "flute", 144, "C6:2 B5:1 A5:2 G5:1 F#5:2 E5:1 D5:2 F#5:1 G5:2 D5:1 B4:2 D5:1 G5:6", 0.56, 0, 0.97
    )
    s.phrase("clarinet", 144, "E5:3 C5:3 A4:3 C5:3 B4:3 G4:3 B4:6", 0.5, 0, 0.97)
    low = "G2:3 G3:3 C3:3 A2:3 G2:3 B2:3 D3:4 C3:2 "
    low2 = "G2:3 B2:3 C3:3 A2:3 D3:3 D2:3 G2:4 -:2 "
    middle = "G3:3 E3:3 D3:3 B2:3 C3:3 C#3:3 D3:3 B2:3 A2:3 C3:3 D3:3 D2:3 G2:3 A2:3 D3:5 -:1 "
    s.phrase(
        "bassoon", 0, low + low2 + middle + low + low2 + "A2:3 C3:3 D3:3 D2:3 G2:3 D2:3 G2:6", 0.55, 0, 0.9
    )
    return s.render(1.0, 1.05)


def adagio() -> fx.Sound:
    """String quartet in D minor: suspensions over a falling bass, and a major end."""
    s = Score(54, 52, 206, 5.0)
    s.rooms = fx.space(3.0, 56, 4800, 0.025)
    _quartet(s, 0.22)
    s.slow_from = 44
    s.phrase(
        "cello",
        0,
        "D3:4 C3:4 Bb2:4 A2:4 D3:2 Bb2:2 G2:2 A2:2 F2:4 Bb2:2 C3:2 F2:4 G2:2 A2:2 D3:2 Bb2:2 A2:4 D2:4",
        0.6,
        0,
        0.99,
    )
    s.phrase(
        "viola",
        0,
        "A3:4 A3:2 G3:2 G3:2 F3:2 E3:4 F3:2 D4:2 D4:2 C#4:2 C4:4 D4:2 E4:2 C4:4 D4:2 E4:2 D4:2 D4:2 "
        "D4:2 C#4:2 A3:4",
        0.55,
        0,
        0.99,
    )
    s.phrase(
        "violin2",
        0,
        "F4:4 E4:4 D4:4 D4:2 C#4:2 A4:2 G4:2 Bb4:2 A4:2 A4:2 G4:2 F4:2 G4:2 A4:4 Bb4:2 A4:2 A4:2 G4:2 "
        "F4:2 E4:2 F#4:4",
        0.55,
        0,
        0.99,
    )
    s.phrase(
        "violin1",
        0,
        "-:2 D5:2 E5:1 F5:1 G5:2 G5:1 F5:1 D5:2 E5:3 -:1 A5:2 F5:1 G5:1 D5:1 E5:1 F5:1 E5:1 "
        "F5:2 C5:1 F5:1 Bb5:2 G5:1 Bb5:1 A5:2 F5:1 C6:1 Bb5:1 G5:1 C#5:1 E5:1 F5:2 Bb5:2 A5:2 G5:2 F#5:4",
        0.64,
        0,
        0.99,
    )
    return s.render(1.0, 1.05)


def _piece(
    slug: str, title: str, artist: str, composer: str, make: Callable[[], fx.Sound], suffix: str, kbps: int
) -> Piece:
    album = "Music for Small Rooms"
    return Piece(slug, title, artist, album, make, suffix, kbps, "Classical", "2025", composer)


QUARTET = "Port Ellery String Quartet"
OWN = "Meridian Composers' Workshop"
PIECES = (
    _piece("canon-in-d", "Canon in D major", QUARTET, "Johann Pachelbel", canon, ".opus", 42),
    _piece(
        "prelude-in-c",
        "Prelude in C major, BWV 846",
        "Ellery Harp and Strings",
        "Johann Sebastian Bach",
        prelude,
        ".opus",
        40,
    ),
    _piece("greensleeves", "Greensleeves", "Customs House Consort", "Traditional", greensleeves, ".ogg", 60),
    _piece(
        "nocturne-for-the-outer-buoy",
        "Nocturne for the Outer Buoy",
        "Meridian Piano Studio",
        OWN,
        nocturne,
        ".opus",
        40,
    ),
    _piece("pastorale-for-winds", "Pastorale for Winds", "Saltmarsh Wind Trio", OWN, pastorale, ".m4a", 52),
    _piece("adagio-at-low-light", "Adagio at Low Light", QUARTET, OWN, adagio, ".opus", 40),
)
