"""A drawing board: flat shapes in a unit square, drawn three times too large and then made small."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageColor, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]
PAPER: Colour = (246, 241, 230)
INK: Colour = (24, 30, 38)
OVER = 3


def rgb(text: str) -> Colour:
    """A colour from "#rrggbb"."""
    return ImageColor.getrgb(text)[:3]  # type: ignore[return-value]


def blend(a: Colour, b: Colour, share: float) -> Colour:
    """`a` with a share of `b`."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


class Board:
    """Coordinates run from 0,0 (top left) to `ratio`,1; strokes and radii are in the same unit."""

    def __init__(self, size: int, ground: Colour, ratio: float = 1.0) -> None:
        self.size, self.ratio, self.scale = size, ratio, size * OVER
        self.image = Image.new("RGB", (round(self.scale * ratio), self.scale), ground)
        self.draw = ImageDraw.Draw(self.image)

    def _at(self, points: list[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]

    def poly(self, points: list[Point], fill: Colour) -> None:
        """A filled polygon."""
        self.draw.polygon(self._at(points), fill=fill)

    def box(self, x: float, y: float, w: float, h: float, fill: Colour, round_: float = 0.0) -> None:
        """A rectangle from its top left corner."""
        area = [(x * self.scale, y * self.scale), ((x + w) * self.scale, (y + h) * self.scale)]
        self.draw.rounded_rectangle(area, round_ * self.scale, fill=fill)

    def disc(self, x: float, y: float, r: float, fill: Colour) -> None:
        """A filled circle."""
        self.draw.ellipse(self._at([(x - r, y - r), (x + r, y + r)]), fill=fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """A filled ellipse."""
        self.draw.ellipse(self._at([(x - rx, y - ry), (x + rx, y + ry)]), fill=fill)

    def ring(self, x: float, y: float, r: float, width: float, fill: Colour) -> None:
        """A circle's line."""
        outer = self._at([(x - r, y - r), (x + r, y + r)])
        self.draw.ellipse(outer, outline=fill, width=max(1, round(width * self.scale)))

    def arc(self, x: float, y: float, r: float, start: float, end: float, width: float, fill: Colour) -> None:
        """Part of a circle's line, in degrees clockwise from three o'clock."""
        area = self._at([(x - r, y - r), (x + r, y + r)])
        self.draw.arc(area, start, end, fill=fill, width=max(1, round(width * self.scale)))

    def line(self, points: list[Point], width: float, fill: Colour) -> None:
        """A line with round ends and corners."""
        thick = max(1, round(width * self.scale))
        dots = self._at(points)
        self.draw.line(dots, fill=fill, width=thick, joint="curve")
        for x, y in (dots[0], dots[-1]):
            self.draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=fill)

    def wave(self, y: float, height: float, length: float, phase: float, width: float, fill: Colour,
             x0: float = 0.0, x1: float = 1.0) -> None:  # fmt: skip
        """A sine line across the board."""
        xs = np.linspace(x0, x1, 160)
        self.line(
            [(float(x), float(y + height * np.sin(2 * np.pi * x / length + phase))) for x in xs], width, fill
        )

    def hill(self, y: float, height: float, length: float, phase: float, fill: Colour) -> None:
        """Everything below a sine line."""
        xs = np.linspace(0, self.ratio, 240)
        top = [(float(x), float(y + height * np.sin(2 * np.pi * x / length + phase))) for x in xs]
        self.poly([*top, (self.ratio, 1.0), (0.0, 1.0)], fill)

    def done(self) -> Image.Image:
        """The picture at its size."""
        return self.image.resize((round(self.size * self.ratio), self.size), Image.Resampling.LANCZOS)
