"""A piece of music: what the tags say and the function that plays it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import effects as fx


@dataclass(frozen=True, slots=True)
class Piece:
    """`make` gives the finished mix before loudness; `suffix` and `kbps` choose the format.

    `intro_s` is how long it plays before its tune or voice comes in, where one may talk over it.
    """

    slug: str
    title: str
    artist: str
    album: str
    make: Callable[[], fx.Sound]
    suffix: str = ".opus"
    kbps: int = 64
    genre: str = "Classical"
    date: str = "2025"
    composer: str = ""
    intro_s: float = 0.0
