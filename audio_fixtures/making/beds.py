"""Music that goes with words: each station's sting and bed, and how voice and music are laid together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import drums
from . import effects as fx
from . import instruments as ins
from .score import Part, Score, bass_of, pitch, progression


def harbor_sting() -> fx.Sound:
    """Five notes like a buoy: D A B F# G over one chord, vibraphone and piano."""
    s = Score(96, 8, 11, 2.5)
    s.part("vibes", Part(ins.vibes, 0.6, 0.2, 0.4))
    s.part("piano", Part(ins.piano, 0.5, -0.2, 0.3))
    s.part("pad", Part(ins.pad, 0.3, 0.0, 0.5))
    s.part("bass", Part(ins.upright, 0.45, 0.0, 0.05))
    s.phrase("vibes", 0, "D5:.5 A5:.5 B5:.5 F#5:.5 G5:.5 A5:4", 0.8)
    for beat, name in ((0, "Dadd9"), (2, "Gmaj7"), (4, "Dadd9")):
        notes = progression([name], 60)[0]
        s.chords("piano", beat, notes, 2.5, 0.6, 0.04)
        s.chords("pad", beat, notes, 2.2 if beat < 4 else 2.6, 0.5)
        s.note("bass", beat, bass_of(name), 2, 0.7)
    return s.render(0.9)


def meridian_sting() -> fx.Sound:
    """A rising harp figure, a celesta answer, strings beneath."""
    s = Score(72, 6, 12, 3.0)
    s.part("harp", Part(ins.harp, 0.6, -0.2, 0.4))
    s.part("bell", Part(ins.bell, 0.28, 0.3, 0.6))
    s.part("strings", Part(ins.section, 0.34, 0.0, 0.5))
    for i, name in enumerate(("F3", "C4", "F4", "A4", "C5", "E5", "G5", "A5")):
        s.note("harp", i * 0.25, pitch(name), 4, 0.55 + 0.03 * i)
    s.phrase("bell", 2, "E6:.5 C6:.5 A5:2", 0.5)
    s.chords("strings", 0.2, [pitch(n) for n in ("F3", "C4", "A4", "E5")], 4.2, 0.5)
    return s.render(1.0, 1.1)


def lowtide_sting() -> fx.Sound:
    """A strummed guitar lick, a kick and a shaker."""
    s = Score(104, 8, 13, 2.2)
    s.part("guitar", Part(ins.guitar, 0.7, -0.25, 0.25))
    s.part("keys", Part(ins.epiano, 0.45, 0.3, 0.3))
    s.part("bass", Part(ins.bass, 0.5, 0.0, 0.0))
    s.part("drums", Part(ins.bell, 0.45, 0.0, 0.08))
    s.phrase("guitar", 0, "G4:.5 B4:.5 D5:.5 E5:.5 D5:1 B4:1 G4:2", 0.8)
    for beat, name in ((0, "Gadd9"), (2, "Cmaj7"), (4, "G6")):
        notes = progression([name], 62)[0]
        s.chords("guitar", beat, [n - 12 for n in notes], 2.4, 0.55, 0.03)
        s.chords("keys", beat, notes, 2.2, 0.5)
        s.note("bass", beat, bass_of(name, 40), 1.6, 0.75)
    for beat in (0, 1.5, 2, 4):
        s.hit("drums", beat, drums.kick(True), 0.9)
    for step in range(9):
        s.hit("drums", step / 2, drums.shaker(step), 0.7 if step % 2 else 0.4)
    s.hit("drums", 1, drums.rim(), 0.6)
    s.hit("drums", 3, drums.rim(), 0.6)
    return s.render(0.8)


def harbor_bed(bars: int = 12) -> fx.Sound:
    """A calm pulse of plucked notes and piano: news magazine underscore; loops after 8 bars."""
    s = Score(96, bars * 4, 14, 0.0)
    s.part("pluck", Part(ins.kalimba, 0.5, -0.3, 0.35))
    s.part("pluck2", Part(ins.nylon, 0.4, 0.35, 0.3))
    s.part("pad", Part(ins.pad, 0.4, 0.0, 0.5))
    s.part("bass", Part(ins.bass, 0.4, 0.0, 0.02))
    s.part("soft", Part(ins.bell, 0.35, 0.0, 0.1))
    names = ["Dadd9", "A/C#", "Bm7", "Gmaj7"]
    for bar in range(bars):
        name = names[bar % 4]
        notes = progression(names, 66)[bar % 4]
        for step in range(8):
            s.note(
                "pluck",
                bar * 4 + step / 2,
                notes[(step * 2 + step // 4) % len(notes)] + 12 * (step % 3 == 2),
                0.5,
                0.4 + 0.2 * (step % 4 == 0),
            )
            if step in (1, 4, 6):
                s.note("pluck2", bar * 4 + step / 2, notes[step % len(notes)] - 12, 0.8, 0.5)
        s.chords("pad", bar * 4, [n - 12 for n in notes], 4, 0.45)
        s.note("bass", bar * 4, bass_of(name, 38), 3, 0.6)
        s.note("bass", bar * 4 + 3, bass_of(name, 38), 0.9, 0.45)
        for step in range(8):
            s.hit("soft", bar * 4 + step / 2, drums.shaker(step), 0.35 if step % 2 else 0.2)
    return s.render(0.7)


def meridian_bed(bars: int = 8) -> fx.Sound:
    """Harp arpeggios and slow strings."""
    s = Score(66, bars * 4, 15, 0.0)
    s.part("harp", Part(ins.harp, 0.5, -0.2, 0.4))
    s.part("strings", Part(ins.section, 0.3, 0.1, 0.5))
    names = ["F", "Dm7", "Bbmaj7", "C7sus"]
    for bar in range(bars):
        notes = progression(names, 64)[bar % 4]
        for step in range(8):
            order = [0, 1, 2, 1, 2, 1, 0, 1]
            s.note("harp", bar * 4 + step / 2, notes[order[step] % len(notes)] + 12 * (step == 4), 2, 0.5)
        s.note("harp", bar * 4, bass_of(names[bar % 4], 41), 3, 0.6)
        s.chords("strings", bar * 4, notes, 4, 0.4)
    return s.render(1.0, 1.1)


def lowtide_bed(bars: int = 9) -> fx.Sound:
    """A laid-back groove: electric piano, bass, brushes."""
    s = Score(92, bars * 4, 16, 0.0, 0.08)
    s.part("keys", Part(ins.epiano, 0.5, 0.2, 0.3))
    s.part("guitar", Part(ins.guitar, 0.4, -0.35, 0.25))
    s.part("bass", Part(ins.bass, 0.5, 0.0, 0.0))
    s.part("drums", Part(ins.bell, 0.5, 0.0, 0.1))
    names = ["Cmaj9", "Am9", "Dm9", "G13"]
    for bar in range(bars):
        beat, name = bar * 4, names[bar % 4]
        notes = progression(names, 64)[bar % 4]
        s.chords("keys", beat, notes, 1.4, 0.55, 0.02)
        s.chords("keys", beat + 2.5, notes, 1.0, 0.4, 0.02)
        for step, index in ((0.5, 0), (1.5, 2), (2, 1), (3.5, 3)):
            s.note("guitar", beat + step, notes[index % len(notes)], 0.8, 0.5)
        for step, shift in ((0, 0), (1.5, 0), (2.5, 7), (3.5, 12)):
            s.note("bass", beat + step, bass_of(name, 33) + shift, 0.8, 0.65)
        _groove(s, beat)
    return s.render(0.7)


def _groove(s: Score, beat: float) -> None:
    for step in (0, 2.5):
        s.hit("drums", beat + step, drums.kick(True), 0.8)
    for step in (1, 3):
        s.hit("drums", beat + step, drums.brush(int(beat + step)), 0.8)
    for half in range(8):
        s.hit("drums", beat + half / 2, drums.hat(half), 0.35 if half % 2 else 0.22)


STINGS: dict[str, Callable[[], fx.Sound]] = {
    "harbor": harbor_sting, "meridian": meridian_sting, "lowtide": lowtide_sting,
}  # fmt: skip
BEDS: dict[str, Callable[[], fx.Sound]] = {
    "harbor": harbor_bed, "meridian": meridian_bed, "lowtide": lowtide_bed,
}  # fmt: skip


def level_to(sound: fx.Sound, lufs: float) -> fx.Sound:
    """Plain gain to a loudness."""
    return sound * fx.gain(lufs - fx.loudness(sound))


def ducked(bed: fx.Sound, voice: fx.Sound, start_s: float, depth_db: float) -> fx.Sound:
    """The bed made quieter while the voice, which starts at `start_s`, is heard."""
    hop = fx.RATE // 100
    speech = np.pad(np.abs(voice), (0, -len(voice) % hop)).reshape(-1, hop).max(axis=1) > 0.03
    held = np.convolve(speech, np.ones(70), "same") > 0
    curve = np.zeros(len(bed) // hop + 2)
    begin = int(start_s * 100)
    curve[begin : begin + len(held)] = held[: max(0, len(curve) - begin)]
    curve = np.convolve(curve, np.hanning(41) / np.hanning(41).sum(), "same")
    level = np.interp(np.arange(len(bed)), np.arange(len(curve)) * hop, curve)
    return bed * (10 ** (level * depth_db / 20))[:, None]


def over_sting(voice: fx.Sound, station: str) -> fx.Sound:
    """An ident: the sting opens, the voice follows and the sting rings out."""
    sting = level_to(STINGS[station](), -19)
    voice = level_to(voice, -16)
    start = {"harbor": 0.9, "meridian": 1.3, "lowtide": 0.8}[station]
    total = max(len(voice) / fx.RATE + start + 1.3, 4.2)
    sting = np.pad(sting, ((0, max(0, int(total * fx.RATE) - len(sting))), (0, 0)))[: int(total * fx.RATE)]
    out = ducked(sting, voice, start, -6)
    fx.mix_at(out, voice, start)
    return fx.fade(out, 0.003, 0.9)


def under(voice: fx.Sound, station: str) -> fx.Sound:
    """A promo: music first, lower under the words, up again and out on the sting's tail."""
    bed, voice = level_to(BEDS[station](), -18), level_to(voice, -16)
    start, total = 1.6, 1.6 + len(voice) / fx.RATE + 1.9
    while len(bed) < total * fx.RATE:
        bed = np.concatenate([bed, bed])
    out = ducked(bed[: int(total * fx.RATE)], voice, start, -11)
    fx.mix_at(out, voice, start)
    return fx.fade(out, 0.01, 1.4)


def at_ends(voice: fx.Sound, station: str) -> fx.Sound:
    """A feature: music opens and fades under the first words, and comes back for the last."""
    bed, voice = level_to(BEDS[station](), -18), level_to(voice, -16)
    start = 3.2
    total = int((start + len(voice) / fx.RATE + 3.2) * fx.RATE)
    music = np.zeros((total, 2))
    fx.mix_at(music, fx.fade(bed[: int(11 * fx.RATE)], 0.02, 5.0), 0.0)
    fx.mix_at(music, fx.fade(bed[: int(9.0 * fx.RATE)], 3.5, 1.8), total / fx.RATE - 9.0)
    out = ducked(music, voice, start, -10)
    fx.mix_at(out, voice, start)
    return fx.mono(out)
