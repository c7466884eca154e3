from __future__ import annotations

import numpy as np
import pytest
from audio_sounds import level_db, noise, sine
from hypothesis import example, given, settings
from hypothesis import strategies as st

from radio.audio.mixer import MAX_VOICES, RELEASE, Mixer, Voice
from radio.audio.pcm import Pcm
from radio.errors import LimitReached
from radio.units import Samples


class Tape:
    """A source of known samples that remembers how it was used."""

    def __init__(self, sound: Pcm) -> None:
        self._sound = sound
        self.closed = 0
        self.taken = 0

    def read(self, n: int) -> Pcm:
        block = self._sound[self.taken : self.taken + n]
        self.taken += len(block)
        return block

    def close(self) -> None:
        self.closed += 1


def voice(
    sound: Pcm,
    starts_at: int,
    length: int | None = None,
    *,
    held: bool = False,
    under: Voice | None = None,
    **fades: int,
) -> Voice:
    ends_at = starts_at + (len(sound) - fades.get("tail", 0) if length is None else length)
    samples = {name: Samples(value) for name, value in fades.items()}
    return Voice(Tape(sound), Samples(starts_at), Samples(ends_at), held=held, under=under, **samples)


def render(mixer: Mixer, n: int, block: int = 1152) -> Pcm:
    blocks = []
    while n > 0:
        blocks.append(mixer.render(min(n, block)))
        n -= len(blocks[-1])
    return np.concatenate(blocks)


def test_voices_are_summed_to_the_sample() -> None:
    one, two = noise(5001, seed=1), noise(3333, seed=2)
    mixer = Mixer()
    mixer.add(voice(one, 100))
    mixer.add(voice(two, 2007))
    expected = np.zeros((8000, 2), dtype=np.float32)
    expected[100:5101] += one
    expected[2007:5340] += two
    assert np.array_equal(render(mixer, 8000), expected)


@settings(deadline=None, max_examples=60)
@given(
    starts=st.lists(st.integers(0, 3000), min_size=1, max_size=4),
    lengths=st.lists(st.integers(1, 2500), min_size=4, max_size=4),
    fades=st.lists(st.integers(0, 400), min_size=4, max_size=4),
    blocks=st.lists(st.integers(97, 3000), min_size=1, max_size=5),
    lookahead=st.integers(0, 5000),
)
def test_any_block_sizes_give_the_same_samples(
    starts: list[int], lengths: list[int], fades: list[int], blocks: list[int], lookahead: int
) -> None:
    def mixer(ahead: int) -> Mixer:
        made = Mixer(lookahead=ahead)
        for index, start in enumerate(starts):
            length, fade = lengths[index], min(fades[index], lengths[index])
            made.add(voice(noise(length + fade, seed=index), start, length, fade_in=fade, tail=fade))
        return made

    whole = mixer(4800).render(6400)
    pieces, cut = mixer(lookahead), []
    while (left := 6400 - sum(map(len, cut))) > 0:
        cut.append(pieces.render(min(left, blocks[len(cut) % len(blocks)])))
    assert np.array_equal(np.concatenate(cut), whole)
    assert pieces.voices == ()


@settings(deadline=None, max_examples=40)
@example(lengths=[1, 2, 333], block=1)
@given(lengths=st.lists(st.integers(1, 999), min_size=1, max_size=12), block=st.integers(50, 500))
def test_odd_lengths_join_without_a_gap_or_an_overlap(lengths: list[int], block: int) -> None:
    total = sum(lengths)
    sound, at, mixer = sine(total), 0, Mixer()
    for length in lengths:
        mixer.add(voice(sound[at : at + length], at))
        at += length
    assert np.array_equal(render(mixer, total, block), sound)
    assert mixer.position == total


def test_a_crossfade_of_unlike_sounds_keeps_its_power() -> None:
    fade, length = 48_000, 96_000
    powers = []
    for seed in range(0, 40, 2):
        mixer = Mixer()
        mixer.add(voice(noise(length + fade, seed=seed), 0, length, tail=fade))
        mixer.add(voice(noise(length, seed=seed + 1), length, fade_in=fade))
        mixed = render(mixer, 2 * length, 4800)
        powers.append(np.square(mixed, dtype=np.float64).mean(axis=1))
    power_db = 10 * np.log10(np.mean(powers, axis=0).reshape(-1, 9600).mean(axis=1))
    assert np.abs(power_db - power_db.mean()).max() < 0.1


def test_fades_make_no_clicks() -> None:
    mixer = Mixer()
    mixer.add(voice(sine(20_000), 100, fade_in=960, fade_out=960))
    mixed = render(mixer, 21_000)
    steepest = np.abs(np.diff(sine(2000), axis=0)).max()
    assert np.abs(np.diff(mixed, axis=0)).max() <= steepest * 1.01
    assert np.abs(mixed[100]).max() < 1e-3
    assert np.abs(mixed[20_099]).max() < 1e-3
    assert not mixed[20_100:].any()


def test_a_source_that_ends_early_is_told_before_it_is_heard() -> None:
    mixer = Mixer()
    short = voice(sine(10_000), 0, 50_000)
    mixer.add(short)
    told: list[tuple[Voice, Samples]] = []
    while not told:
        mixer.render(1152)
        told = mixer.take_dry()
    assert told == [(short, 10_000)]
    assert mixer.position <= 10_000
    assert mixer.take_dry() == []
    start = mixer.position
    mixer.add(voice(noise(5000), 10_000, fade_in=RELEASE))
    rest = render(mixer, 15_000 - start)
    steepest = np.abs(np.diff(sine(2000), axis=0)).max()
    assert np.abs(np.diff(rest[: 10_000 - start], axis=0)).max() <= steepest * 1.1
    assert np.abs(rest[9_999 - start]).max() < 0.01
    assert np.array_equal(rest[10_000 + RELEASE - start :], noise(5000)[RELEASE:])


def test_a_source_without_sound_is_told_when_it_is_added() -> None:
    mixer = Mixer()
    empty = voice(noise(0), 5000, 1000)
    mixer.add(empty)
    assert mixer.take_dry() == [(empty, 5000)]


def test_a_rest_of_a_few_samples_is_not_faded() -> None:
    sound = sine(9_980)
    mixer = Mixer()
    mixer.add(voice(sound, 0, 10_000))
    assert np.array_equal(render(mixer, 10_000)[:9_980], sound)


def test_no_more_is_read_than_is_heard() -> None:
    tape = Tape(noise(50_000))
    mixer = Mixer()
    mixer.add(Voice(tape, Samples(0), Samples(7_000), tail=Samples(500)))
    render(mixer, 20_000)
    assert tape.taken == 7_500
    assert tape.closed == 1
    assert mixer.take_dry() == []


def test_a_late_voice_is_heard_from_now_on_with_its_own_start() -> None:
    mixer = Mixer()
    mixer.render(1000)
    sound = noise(2000)
    mixer.add(voice(sound, 900, 2000))
    assert np.array_equal(mixer.render(1900), sound[:1900])


@settings(deadline=None, max_examples=40)
@given(block=st.integers(100, 3000), at=st.integers(0, 6000), fade=st.integers(0, 2000))
def test_a_cut_fades_what_sounds_and_drops_what_would_follow(block: int, at: int, fade: int) -> None:
    sound = noise(9000)
    now, later = voice(sound, 0), voice(noise(500), 6001)
    mixer = Mixer()
    mixer.add(now)
    mixer.add(later)
    start = mixer.render(min(block, at)) if at else sound[:0]
    dropped = mixer.cut_from(at, fade)
    rest = render(mixer, 10_000 - len(start), block)
    mixed = np.concatenate((start, rest))
    assert dropped == ([later] if at else [now, later])
    assert later.source.closed == 1  # type: ignore[attr-defined]
    assert now.source.closed == 1  # type: ignore[attr-defined]
    assert np.array_equal(mixed[:at], sound[:at])
    assert not mixed[at + fade :].any()
    if at and fade:
        gain = np.cos((np.arange(fade) + 0.5) / fade * np.pi / 2)[:, None]
        end = min(at + fade, 9000)
        assert np.allclose(mixed[at:end], (sound[at:end] * gain[: end - at]), atol=1e-6)


def test_a_second_cut_shortens_the_first_and_never_lengthens_it() -> None:
    mixer = Mixer()
    mixer.add(voice(np.ones((20_000, 2), dtype=np.float32), 0))
    mixer.cut_from(1000, 8000)
    mixer.render(2000)
    mixer.cut_from(2000, 480)
    mixed = mixer.render(3000)
    assert not mixed[480:].any()
    assert np.abs(np.diff(mixed[:, 0])).max() < 0.01
    assert mixer.voices == ()


def test_a_cut_together_with_a_fade_in_is_a_crossfade() -> None:
    mixer = Mixer()
    mixer.add(voice(noise(96_000, seed=1), 0))
    mixer.render(4800)
    mixer.cut_from(9600, 9600)
    mixer.add(voice(noise(48_000, seed=2), 9600, fade_in=9600))
    mixed = render(mixer, 30_000)
    assert abs(level_db(mixed[4800:14_400]) - level_db(noise(48_000))) < 0.3


def test_voices_that_cannot_be_are_refused() -> None:
    tape = Tape(noise(10))
    with pytest.raises(ValueError, match="lasts 0 samples"):
        Voice(tape, Samples(5), Samples(5))
    with pytest.raises(ValueError, match="must lie within"):
        Voice(tape, Samples(0), Samples(5), fade_in=Samples(6))
    with pytest.raises(ValueError, match="either a fade out or a tail"):
        Voice(tape, Samples(0), Samples(5), fade_out=Samples(1), tail=Samples(1))
    mixer = Mixer(100)
    with pytest.raises(ValueError, match="ended at sample 5"):
        mixer.add(Voice(tape, Samples(0), Samples(5)))


def test_the_number_of_voices_is_bounded_and_close_lets_all_go() -> None:
    mixer = Mixer()
    voices = [voice(noise(10), 50_000) for _ in range(MAX_VOICES)]
    for one in voices:
        mixer.add(one)
    with pytest.raises(LimitReached):
        mixer.add(voice(noise(10), 0))
    mixer.close()
    assert all(one.source.closed == 1 for one in voices)  # type: ignore[attr-defined]
    assert not mixer.render(100).any()


@settings(deadline=None, max_examples=40)
@given(
    length=st.integers(1, 4_000),
    tail=st.integers(1, 3_000),
    short=st.integers(0, 3_000),
    blocks=st.lists(st.integers(97, 3_000), min_size=1, max_size=5),
)
def test_what_lies_under_another_voice_does_not_depend_on_the_blocks(
    length: int, tail: int, short: int, blocks: list[int]
) -> None:
    def mixer() -> Mixer:
        made = Mixer()
        spoken = noise(max(1, length + tail - short), seed=1)
        above = voice(spoken, 0, length, tail=tail, held=True)
        made.add(above)
        made.add(voice(noise(50_000, seed=2), length, under=above))
        return made

    whole = mixer().render(length + 40_000)
    pieces, cut = mixer(), []
    while (left := len(whole) - sum(map(len, cut))) > 0:
        cut.append(pieces.render(min(left, blocks[len(cut) % len(blocks)])))
    assert np.abs(np.concatenate(cut) - whole).max() <= 1e-7


def test_a_voice_alone_is_under_nothing() -> None:
    mixer, beneath = Mixer(), noise(5_000, seed=2)
    gone = voice(noise(100), 0)
    mixer.add(voice(beneath, 0, under=gone))
    assert np.array_equal(render(mixer, 5_000), beneath)


def test_one_voice_is_faded_out_and_the_others_go_on() -> None:
    one, two = noise(5_000, seed=1), noise(5_000, seed=2)
    mixer, first = Mixer(), voice(one, 0)
    mixer.add(first)
    mixer.add(voice(two, 0))
    mixer.fade_out(first, 1_000, 500)
    heard = render(mixer, 5_000)
    assert np.array_equal(heard[:1_000], one[:1_000] + two[:1_000])
    assert np.array_equal(heard[1_500:], two[1_500:])
    mixer.fade_out(first, 0, 10)
