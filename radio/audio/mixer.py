"""The mixer: voices on one axis of samples, summed. Pure: no clock, no thread, no file.

A :class:`Voice` says where on the axis a source sounds and how it is faded. :meth:`Mixer.render` gives the
next block. The same voices give the same samples whatever the sizes of the blocks.

The mixer reads each source a little ahead (``lookahead``). When a source ends sooner than its voice, the end
is therefore known before it is heard: the last milliseconds are faded, and :meth:`Mixer.take_dry` tells at
which sample the sound stops, so that the caller can add another voice exactly there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radio.audio.fades import faded_in, faded_out, raised
from radio.audio.pcm import Pcm, PcmSource, silence
from radio.errors import LimitReached
from radio.units import Decibels, Samples, gain_factor

MAX_VOICES = 64
"""More voices than this at once are a fault of the caller."""

LOOKAHEAD = Samples(4800)
"""How far sources are read ahead: 100 ms."""

RELEASE = Samples(240)
"""The fade of a source that ended unexpectedly, and of the very end of a tail that is held: 5 ms."""

DUCKED_DB = Decibels(-12.0)
"""How far a voice stands back under another: both together are 0.3 dB louder than the other one alone."""

DUCK_RISE = Samples(28_800)
"""How long a voice takes to come up when the one above it has ended: 600 ms."""

_DUCKED = gain_factor(DUCKED_DB)


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A source that sounds from sample ``starts_at`` up to ``ends_at``, and ``tail`` samples longer.

    ``fade_in`` begins at ``starts_at``. ``fade_out`` lies inside and ends at ``ends_at``. ``tail`` begins at
    ``ends_at``: the source goes on and is faded out. All three are equal-power fades; a tail together with a
    ``fade_in`` of the same length in the next voice is an equal-power crossfade. A voice has a fade out or a
    tail, never both.

    A tail that is ``held`` is not faded. A voice that comes in ``under`` another one is 12 dB down as long as
    that one sounds, whatever ends it, and then comes up over 600 ms. Two voices are equal only when they are the
    same object. :raises ValueError: lengths that cannot be.
    """

    source: PcmSource
    starts_at: Samples
    ends_at: Samples
    fade_in: Samples = Samples(0)
    fade_out: Samples = Samples(0)
    tail: Samples = Samples(0)
    held: bool = False
    under: Voice | None = None

    def __post_init__(self) -> None:
        length = self.ends_at - self.starts_at
        if length <= 0:
            raise ValueError(f"a voice lasts {length} samples; it must last at least one")
        if min(self.fade_in, self.fade_out, self.tail) < 0 or max(self.fade_in, self.fade_out) > length:
            raise ValueError(f"the fades of a voice of {length} samples must lie within 0 and {length}")
        if self.fade_out and self.tail:
            raise ValueError("a voice has either a fade out or a tail")

    @property
    def silent_at(self) -> Samples:
        """The first sample after the voice's last."""
        return Samples(self.ends_at + self.tail)


class Mixer:
    """Sums voices from ``position`` on, block by block. Not thread-safe: one thread adds, renders and
    cuts."""

    def __init__(self, position: int = 0, *, lookahead: int = LOOKAHEAD) -> None:
        self._position = Samples(position)
        self._lookahead = lookahead
        self._playing: list[_Playing] = []
        self._dry: list[tuple[Voice, Samples]] = []

    @property
    def position(self) -> Samples:
        """The first sample of the next block."""
        return self._position

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The voices that sound or will sound, in the order in which they were added."""
        return tuple(playing.voice for playing in self._playing)

    def add(self, voice: Voice) -> None:
        """Take a voice; from here on the mixer reads and closes its source.

        A voice whose start has passed is heard from ``position`` on: its source is read from its present
        point (nothing is dropped) and its fades stay where they are on the axis. The source is read ahead at
        once.
        :raises LimitReached: there are :data:`MAX_VOICES` already. :raises ValueError: the voice is over.
        """
        if len(self._playing) >= MAX_VOICES:
            raise LimitReached(f"the mixer has {MAX_VOICES} voices already")
        if voice.silent_at <= self._position:
            raise ValueError(f"the voice ended at sample {voice.silent_at}; the mixer is at {self._position}")
        above = next((one for one in self._playing if one.voice is voice.under), None)
        playing = _Playing(voice, max(voice.starts_at, self._position), above)
        self._playing.append(playing)
        self._read_ahead(playing, self._lookahead)

    def render(self, n: int) -> Pcm:
        """The next ``n`` sample frames, a new array; silence where no voice sounds. Not limited: may pass
        1.0."""
        block = silence(n)
        for playing in self._playing:
            if playing.heard_to < self._position + n:
                self._sum_into(block, playing)
        self._position = Samples(self._position + n)
        self._close_silent()
        return block

    def take_dry(self) -> list[tuple[Voice, Samples]]:
        """The voices whose source ended too soon, each with the sample at which its sound stops; clears the
        list.

        The sample is ahead of ``position`` as long as blocks are no longer than ``lookahead``. Each voice is
        told once. Files end a fraction of a millisecond off their rounded length: let short rests go.
        """
        dry, self._dry = self._dry, []
        return dry

    def cut_from(self, position: int, fade: int = 0) -> list[Voice]:
        """Clear the axis from ``position`` on: sounding voices are faded out over ``fade`` samples from
        there.

        A position that has passed means now. Voices that would start at or after it are dropped and closed,
        and returned.
        """
        at = max(position, self._position)
        dropped = [playing for playing in self._playing if playing.voice.starts_at >= at]
        self._playing = [playing for playing in self._playing if playing.voice.starts_at < at]
        for playing in self._playing:
            playing.cut(at, fade)
        for playing in dropped:
            playing.voice.source.close()
        self._close_silent()
        return [playing.voice for playing in dropped]

    def fade_out(self, voice: Voice, position: int, fade: int) -> None:
        """Fade one voice out over ``fade`` samples from ``position`` on; nothing where it is over already."""
        for playing in self._playing:
            if playing.voice is voice:
                playing.cut(max(position, self._position), fade)
        self._close_silent()

    def close(self) -> None:
        """Close every source and forget all voices."""
        for playing in self._playing:
            playing.voice.source.close()
        self._playing = []

    def _sum_into(self, block: Pcm, playing: _Playing) -> None:
        first = playing.heard_to - self._position
        wanted = min(len(block) - first, playing.silent_at - playing.heard_to)
        self._read_ahead(playing, wanted + self._lookahead)
        sound = playing.take(wanted)
        block[first : first + len(sound)] += sound

    def _read_ahead(self, playing: _Playing, n: int) -> None:
        if playing.read_ahead(n):
            self._dry.append((playing.voice, playing.silent_at))

    def _close_silent(self) -> None:
        for playing in self._playing:
            if playing.silent_at <= self._position:
                playing.voice.source.close()
        self._playing = [playing for playing in self._playing if playing.silent_at > self._position]


class _Playing:
    """One voice at work: what was read of its source and not yet heard, and where it is cut."""

    __slots__ = ("_above", "_ahead", "_cuts", "_ended", "heard_to", "silent_at", "voice")

    def __init__(self, voice: Voice, heard_to: int, above: _Playing | None = None) -> None:
        self.voice = voice
        self._above = above
        self.heard_to = heard_to
        self.silent_at = voice.silent_at
        self._ahead = silence(0)
        self._ended = False
        self._cuts: list[tuple[int, int]] = []

    def read_ahead(self, n: int) -> bool:
        """Hold at least ``n`` samples where the voice has them; True when the source turns out to be too
        short."""
        read_to = self.heard_to + len(self._ahead)
        missing = min(self.heard_to + n, self.silent_at) - read_to
        if missing <= 0 or self._ended:
            return False
        more = self.voice.source.read(missing)
        self._ahead = np.concatenate((self._ahead, more)) if len(self._ahead) else more
        if len(more) >= missing:
            return False
        self._ended = True
        return self._end_at(read_to + len(more))

    def take(self, n: int) -> Pcm:
        n = min(n, len(self._ahead))
        sound, self._ahead = self._ahead[:n], self._ahead[n:]
        first, self.heard_to = self.heard_to, self.heard_to + n
        return self._faded(sound, first)

    def cut(self, at: int, fade: int) -> None:
        if at + fade >= self.silent_at and self._cuts:
            return
        self._cuts.append((at, fade))
        self.silent_at = Samples(min(self.silent_at, at + fade))
        self._ahead = self._ahead[: max(0, self.silent_at - self.heard_to)]

    def _end_at(self, end: int) -> bool:
        if self.silent_at - end > RELEASE:
            begins = max(self.heard_to, end - RELEASE)
            self._cuts.append((begins, end - begins))
        self.silent_at = Samples(end)
        return True

    def _faded(self, sound: Pcm, first: int) -> Pcm:
        voice = self.voice
        sound = faded_in(sound, first - voice.starts_at, voice.fade_in)
        if voice.fade_out:
            sound = faded_out(sound, first - (voice.ends_at - voice.fade_out), voice.fade_out)
        if voice.tail:
            fade = min(RELEASE, voice.tail) if voice.held else voice.tail
            sound = faded_out(sound, first - (voice.silent_at - fade), fade)
        if self._above is not None:
            sound = self._beneath(self._above, sound, first)
        for at, length in self._cuts:
            sound = faded_out(sound, first - at, length)
        return sound

    def _beneath(self, above: _Playing, sound: Pcm, first: int) -> Pcm:
        up_at = above.silent_at
        if first >= up_at + DUCK_RISE:
            self._above = None
        return raised(sound, first - up_at, DUCK_RISE, _DUCKED)
