"""The signs: what stands for each station, programme and sponsor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .shapes import INK, Board, Colour, blend

SIGNS: dict[str, Callable[[Board, Colour, Colour, Colour], None]] = {}


def _sign(
    draw: Callable[[Board, Colour, Colour, Colour], None],
) -> Callable[[Board, Colour, Colour, Colour], None]:
    SIGNS[draw.__name__.lstrip("_")] = draw
    return draw


# Each sign draws with: f, the figure's colour; m, a middle tone; a, the ground.
@_sign
def _lighthouse(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.poly([(0.5, 0.3), (1.0, 0.12), (1.0, 0.42)], m)
    b.poly([(0.5, 0.3), (0.0, 0.12), (0.0, 0.42)], m)
    b.poly([(0.44, 0.36), (0.56, 0.36), (0.61, 0.8), (0.39, 0.8)], f)
    for y, low in ((0.46, 0.55), (0.64, 0.73)):
        b.poly([(0.44 - (y - 0.36) * 0.114, y), (0.56 + (y - 0.36) * 0.114, y),
                (0.56 + (low - 0.36) * 0.114, low), (0.44 - (low - 0.36) * 0.114, low)], a)  # fmt: skip
    b.box(0.425, 0.335, 0.15, 0.028, f)
    b.box(0.455, 0.25, 0.09, 0.085, f)
    b.box(0.475, 0.265, 0.05, 0.07, a)
    b.poly([(0.44, 0.25), (0.56, 0.25), (0.5, 0.19)], f)
    b.hill(0.82, 0.012, 0.25, 0, f)
    b.hill(0.87, 0.012, 0.25, 2, m)
    b.hill(0.92, 0.012, 0.25, 4, a)


@_sign
def _meridian(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.disc(0.5, 0.5, 0.33, f)
    for half in (0.11, 0.22):
        for side in (-1, 1):
            ys = np.linspace(-1, 1, 80)
            b.line(
                [(0.5 + side * half * float(np.sqrt(1 - y * y)), 0.5 + 0.33 * float(y)) for y in ys], 0.014, a
            )
    b.line([(0.5, 0.1), (0.5, 0.9)], 0.024, a)
    b.line([(0.5, 0.1), (0.5, 0.17)], 0.024, f)
    b.line([(0.5, 0.83), (0.5, 0.9)], 0.024, f)
    for y in (0.36, 0.43, 0.5, 0.57, 0.64):
        w = float(np.sqrt(max(0, 0.33**2 - (y - 0.5) ** 2)))
        b.line([(0.5 - w, y), (0.5 + w, y)], 0.007, a)


@_sign
def _tide(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.disc(0.5, 0.4, 0.2, f)
    b.box(0.2, 0.52, 0.6, 0.3, a)
    for i, y in enumerate((0.56, 0.65, 0.74, 0.83)):
        b.wave(y, 0.022, 0.2, i * 1.3, 0.026, f if i < 2 else m, 0.2 - 0.02 * i, 0.8 + 0.02 * i)


@_sign
def _sunrise(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    for i in range(13):
        angle = np.pi * (1 + i / 12)
        near, far = 0.3, 0.4 if i % 2 else 0.46
        b.line([(0.5 + float(np.cos(angle)) * near, 0.62 + float(np.sin(angle)) * near),
                (0.5 + float(np.cos(angle)) * far, 0.62 + float(np.sin(angle)) * far)], 0.016, m)  # fmt: skip
    b.disc(0.5, 0.62, 0.24, f)
    b.box(0, 0.62, 1, 0.38, a)
    for i, (y, w) in enumerate(((0.67, 0.3), (0.74, 0.24), (0.81, 0.17), (0.88, 0.1))):
        b.line([(0.5 - w, y), (0.5 + w, y)], 0.02, f if i == 0 else m)


@_sign
def _speech(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.box(0.14, 0.2, 0.5, 0.34, m, 0.03)
    b.poly([(0.22, 0.52), (0.36, 0.52), (0.22, 0.66)], m)
    b.box(0.34, 0.38, 0.52, 0.34, f, 0.03)
    b.poly([(0.78, 0.7), (0.64, 0.7), (0.78, 0.84)], f)
    for i, w in enumerate((0.36, 0.36, 0.22)):
        b.line([(0.42, 0.47 + i * 0.08), (0.42 + w, 0.47 + i * 0.08)], 0.018, a)


@_sign
def _contours(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    t = np.linspace(0, 2 * np.pi, 200)
    for i, r in enumerate((0.5, 0.42, 0.34, 0.26, 0.18, 0.1)):
        wob = 1 + 0.12 * np.sin(3 * t + 0.4 + i * 0.12) + 0.07 * np.sin(5 * t + 2)
        points = [(0.56 + float(x), 0.46 + float(y)) for x, y in
                  zip(r * wob * np.cos(t), r * 0.82 * wob * np.sin(t), strict=True)]  # fmt: skip
        b.line(points, 0.016, f if i % 2 else m)
    b.disc(0.56, 0.46, 0.028, f)


@_sign
def _columns(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.box(0.2, 0.16, 0.6, 0.68, f)
    b.box(0.26, 0.23, 0.48, 0.07, a)
    b.box(0.26, 0.36, 0.22, 0.18, m)
    for i in range(4):
        b.box(0.53, 0.365 + i * 0.047, 0.21, 0.018, a)
    for i in range(4):
        for x in (0.26, 0.53):
            b.box(x, 0.6 + i * 0.047, 0.21 if i < 3 else 0.13, 0.018, a)


@_sign
def _beam(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.box(0, 0, 1, 1, blend(a, INK, 0.55))
    b.poly([(0.27, 0.54), (1.0, 0.2), (1.0, 0.62)], a)
    b.poly([(0.27, 0.54), (1.0, 0.31), (1.0, 0.5)], m)
    b.poly([(0.235, 0.56), (0.305, 0.56), (0.335, 0.86), (0.205, 0.86)], f)
    b.disc(0.27, 0.53, 0.042, f)
    for x, y in ((0.15, 0.2), (0.42, 0.14), (0.62, 0.09), (0.84, 0.12), (0.1, 0.4), (0.5, 0.26)):
        b.disc(x, y, 0.008, f)
    b.hill(0.85, 0.01, 0.3, 1, f)
    b.hill(0.9, 0.01, 0.3, 3, blend(a, INK, 0.3))


@_sign
def _strings(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    for i, x in enumerate((0.3, 0.43, 0.56, 0.69)):
        b.line([(x, 0.0), (x, 1.0)], 0.012 + 0.005 * (3 - i), f)
    b.poly([(0.0, 0.7), (1.0, 0.34), (1.0, 0.38), (0.0, 0.74)], m)
    b.line([(0.0, 0.69), (1.0, 0.33)], 0.012, f)
    b.oval(0.3, 0.59, 0.04, 0.03, a)
    b.line([(0.3, 0.5), (0.3, 0.68)], 0.027, f)


@_sign
def _score(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    for i in range(5):
        b.line([(0.0, 0.36 + i * 0.07), (1.0, 0.36 + i * 0.07)], 0.009, m)
    spots = ((0.18, 0.605), (0.36, 0.535), (0.54, 0.465), (0.74, 0.395))
    for x, y in spots:
        b.oval(x, y, 0.052, 0.038, f)
        b.line([(x + 0.045, y), (x + 0.045, y - 0.24)], 0.014, f)
    b.poly([(0.218, 0.355), (0.592, 0.215), (0.592, 0.262), (0.218, 0.402)], f)


@_sign
def _moon(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    night = blend(a, INK, 0.5)
    b.box(0, 0, 1, 1, night)
    b.disc(0.52, 0.38, 0.2, f)
    b.disc(0.61, 0.33, 0.185, night)
    for i in range(7):
        y, w = 0.66 + i * 0.042, 0.26 - i * 0.03 + (0.05 if i % 2 else 0)
        b.line([(0.48 - w, y), (0.48 + w, y)], 0.013, m if i % 2 else f)


@_sign
def _porch(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.poly([(0.5, 0.34), (0.16, 0.86), (0.84, 0.86)], m)
    b.poly([(0.1, 0.3), (0.5, 0.1), (0.9, 0.3), (0.9, 0.34), (0.1, 0.34)], f)
    b.box(0.16, 0.34, 0.04, 0.54, f)
    b.box(0.8, 0.34, 0.04, 0.54, f)
    b.line([(0.5, 0.34), (0.5, 0.41)], 0.012, f)
    b.poly([(0.43, 0.47), (0.57, 0.47), (0.54, 0.41), (0.46, 0.41)], f)
    b.disc(0.5, 0.49, 0.035, f)
    b.box(0.06, 0.86, 0.88, 0.05, f)


@_sign
def _reel(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.box(0.1, 0.24, 0.8, 0.52, f, 0.04)
    b.box(0.17, 0.3, 0.66, 0.14, m)
    b.line([(0.22, 0.35), (0.66, 0.35)], 0.012, f)
    b.line([(0.22, 0.395), (0.52, 0.395)], 0.012, f)
    b.box(0.24, 0.48, 0.52, 0.18, a, 0.09)
    for x in (0.34, 0.66):
        b.disc(x, 0.57, 0.066, f)
        for k in range(6):
            w = np.pi * k / 3
            b.disc(x + 0.04 * float(np.cos(w)), 0.57 + 0.04 * float(np.sin(w)), 0.009, a)
    b.box(0.44, 0.53, 0.12, 0.08, m)
    b.poly([(0.3, 0.76), (0.35, 0.69), (0.65, 0.69), (0.7, 0.76)], m)


@_sign
def _equaliser(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.box(0, 0, 1, 1, blend(a, INK, 0.5))
    for i, height in enumerate((4, 7, 5, 9, 6, 8, 3)):
        for step in range(height):
            colour = f if step >= height - 2 else m
            b.box(0.125 + i * 0.11, 0.8 - step * 0.066, 0.085, 0.045, colour)


@_sign
def _pier(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.box(0.14, 0.4, 0.72, 0.08, f)
    for x in (0.2, 0.36, 0.52, 0.68):
        b.box(x, 0.48, 0.05, 0.24, f)
    b.line([(0.22, 0.5), (0.38, 0.68)], 0.02, f)
    b.line([(0.54, 0.5), (0.7, 0.68)], 0.02, f)
    b.disc(0.72, 0.26, 0.07, f)
    for i in range(2):
        b.wave(0.72 + i * 0.08, 0.018, 0.18, i, 0.026, m, 0.14, 0.86)


@_sign
def _lantern(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.line([(0.2, 0.84), (0.8, 0.16)], 0.03, m)
    b.oval(0.765, 0.2, 0.05, 0.07, m)
    b.arc(0.5, 0.32, 0.1, 180, 360, 0.022, f)
    b.box(0.4, 0.32, 0.2, 0.05, f)
    b.poly([(0.38, 0.37), (0.62, 0.37), (0.66, 0.7), (0.34, 0.7)], f)
    b.poly([(0.42, 0.41), (0.58, 0.41), (0.61, 0.66), (0.39, 0.66)], a)
    b.oval(0.5, 0.57, 0.04, 0.075, f)
    b.box(0.34, 0.7, 0.32, 0.06, f)


@_sign
def _wheat(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.line([(0.5, 0.86), (0.5, 0.2)], 0.022, f)
    for i in range(5):
        y = 0.28 + i * 0.1
        for side in (-1, 1):
            b.poly([(0.5, y + 0.1), (0.5 + side * 0.05, y + 0.005), (0.5 + side * 0.17, y - 0.06),
                    (0.5 + side * 0.13, y + 0.05)], f if i % 2 == 0 else m)  # fmt: skip
    b.poly([(0.5, 0.12), (0.545, 0.2), (0.5, 0.28), (0.455, 0.2)], f)


@_sign
def _fiddle(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.disc(0.5, 0.68, 0.19, f)
    b.disc(0.5, 0.45, 0.145, f)
    b.box(0.385, 0.48, 0.23, 0.12, f)
    b.disc(0.345, 0.555, 0.062, a)
    b.disc(0.655, 0.555, 0.062, a)
    b.box(0.477, 0.1, 0.046, 0.4, m)
    b.box(0.44, 0.635, 0.12, 0.018, a)
    for x in (0.42, 0.58):
        b.line([(x, 0.53), (x, 0.61)], 0.012, a)
    b.poly([(0.47, 0.7), (0.53, 0.7), (0.515, 0.84), (0.485, 0.84)], a)


@_sign
def _arch(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.box(0.14, 0.3, 0.72, 0.34, f)
    b.poly([(0.14, 0.3), (0.5, 0.16), (0.86, 0.3)], f)
    for x in (0.29, 0.5, 0.71):
        b.disc(x, 0.5, 0.075, a)
        b.box(x - 0.075, 0.5, 0.15, 0.14, a)
    b.box(0.1, 0.64, 0.8, 0.05, f)
    b.wave(0.78, 0.016, 0.18, 0, 0.024, m, 0.12, 0.88)


@_sign
def _ferry(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    b.box(0.44, 0.2, 0.1, 0.14, m)
    b.box(0.28, 0.34, 0.46, 0.12, f)
    for i in range(4):
        b.box(0.33 + i * 0.1, 0.375, 0.05, 0.05, a)
    b.poly([(0.12, 0.46), (0.88, 0.46), (0.78, 0.66), (0.22, 0.66)], f)
    b.box(0.16, 0.53, 0.68, 0.018, a)
    for i in range(2):
        b.wave(0.7 + i * 0.08, 0.018, 0.2, i * 2, 0.024, m, 0.1, 0.9)


@_sign
def _leaf(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    t = np.linspace(0, np.pi, 60)
    for side, colour in ((1, f), (-1, m)):
        curve = [(0.24 + 0.54 * float(u / np.pi) + side * 0.16 * float(np.sin(u)) * 0.75,
                  0.76 - 0.54 * float(u / np.pi) + side * 0.16 * float(np.sin(u)) * 0.75) for u in t]  # fmt: skip
        b.poly(curve, colour)
    b.line([(0.16, 0.84), (0.7, 0.3)], 0.018, a)
    b.line([(0.16, 0.84), (0.24, 0.76)], 0.02, f)


@_sign
def _press(b: Board, f: Colour, m: Colour, a: Colour) -> None:
    for i in range(12):
        w = np.pi * i / 6
        b.line([(0.5, 0.5), (0.5 + 0.33 * float(np.cos(w)), 0.5 + 0.33 * float(np.sin(w)))], 0.05, f)
    b.disc(0.5, 0.5, 0.27, f)
    b.disc(0.5, 0.5, 0.18, a)
    b.box(0.4, 0.38, 0.2, 0.25, f)
    for i in range(4):
        b.box(0.43, 0.42 + i * 0.05, 0.14 if i < 3 else 0.08, 0.016, m)
