"""Pictures: station logos, programme pictures, sponsors' marks, record sleeves and the article's lead picture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .shapes import INK, PAPER, Board, blend, rgb
from .signs import SIGNS


def sign(name: str, accent: str, title: str = "", inverse: bool = False) -> Image.Image:
    """A named sign, pale on the accent colour, or the accent on paper; 600 pixels square."""
    colour = rgb(accent)
    ground, figure = (PAPER, colour) if inverse else (colour, PAPER)
    board = Board(600, ground)
    SIGNS[name](board, figure, blend(ground, figure, 0.42), ground)
    return board.done()


def sleeve(slug: str, accent: str, number: int) -> Image.Image:
    """A record sleeve: one of six plain geometric patterns, its own for every piece."""
    rng = np.random.default_rng(sum(slug.encode()))
    base = rgb(accent)
    turn = [base, blend(base, INK, 0.45), blend(base, PAPER, 0.75), blend(base, (214, 158, 74), 0.6)]
    board = Board(600, turn[number % 4])
    pale, mid = (
        (base if number % 4 == 2 else PAPER),
        blend(turn[number % 4], PAPER if number % 4 != 2 else base, 0.4),
    )
    kind = number % 7
    if kind == 0:
        for i in range(9):
            board.wave(0.2 + i * 0.08, 0.03 + 0.004 * i, 0.5, i * 0.5, 0.022, pale if i % 3 else mid)
    elif kind == 1:
        for i in range(7):
            board.ring(0.3, 0.7, 0.1 + i * 0.11, 0.03, pale if i % 2 else mid)
    elif kind == 2:
        for i in range(5):
            x = 0.12 + 0.16 * i
            board.poly(
                [(x, 0.8), (x + 0.14, 0.8), (x + 0.07, 0.25 + 0.1 * float(rng.random()))],
                pale if i % 2 else mid,
            )
    elif kind == 3:
        for r, c in ((0.36, mid), (0.25, pale), (0.13, turn[number % 4])):
            board.disc(0.5, 0.5, r, c)
        board.box(0, 0.5, 1, 0.5, turn[number % 4])
        board.hill(0.66, 0.02, 0.4, 1, mid)
    elif kind == 4:
        board.disc(0.62, 0.36, 0.2, pale)
        for i in range(6):
            board.box(0, 0.62 + i * 0.06, 1, 0.012 + 0.006 * i, mid)
        board.poly([(0.2, 0.9), (0.3, 0.38), (0.4, 0.9)], pale)
    elif kind == 5:
        for i in range(6):
            for j in range(6):
                size = 0.02 + 0.045 * abs(float(np.sin(i * 0.7 + j * 0.5 + number)))
                board.disc(0.15 + i * 0.14, 0.15 + j * 0.14, size, pale if (i + j) % 3 else mid)
    else:
        for i in range(8):
            h = 0.12 + 0.6 * float(rng.random())
            board.box(0.08 + i * 0.107, 0.5 - h / 2, 0.07, h, pale if i % 2 else mid, 0.035)
    return board.done()


def lead() -> Image.Image:
    """A harbour at dusk: sky, sun, hills, town, boats and water in flat layers; 1600 by 900."""
    width = 16 / 9
    board = Board(900, rgb("#f0b27a"), width)
    sky = [rgb(c) for c in ("#27425f", "#3f5878", "#6b6c8a", "#a77d8a", "#d9937e", "#efae78", "#f7c98b")]
    for i in range(70):
        place = i / 69 * (len(sky) - 1)
        low = min(int(place), len(sky) - 2)
        board.box(0, i * 0.0093, width, 0.0098, blend(sky[low], sky[low + 1], place - low))
    for r, share in ((0.16, 0.25), (0.12, 0.45), (0.085, 1.0)):
        board.disc(1.18, 0.53, r, blend(rgb("#f3bd80"), rgb("#fff1cf"), share))
    for y, x, w in ((0.16, 0.2, 0.5), (0.2, 0.32, 0.34), (0.28, 1.1, 0.5), (0.11, 1.25, 0.3)):
        board.box(x, y, w, 0.012, rgb("#8b7d92"), 0.006)
    board.hill(0.575, 0.03, 1.5, 2.2, rgb("#a9747d"))
    board.hill(0.6, 0.022, 0.9, 0.4, rgb("#7a5c74"))
    _town(board)
    _water(board)
    _boats(board)
    board.poly([(0, 0.86), (0.55, 0.9), (0.74, 1.0), (0, 1.0)], rgb("#131d2b"))
    for x, h in ((0.06, 0.13), (0.2, 0.11), (0.34, 0.1), (0.48, 0.075)):
        board.box(x, 0.89 - h + x * 0.03, 0.02, h + 0.03, rgb("#131d2b"))
    board.line([(0.07, 0.79), (0.21, 0.815), (0.35, 0.82), (0.49, 0.855)], 0.005, rgb("#131d2b"))
    return board.done()


def _town(board: Board) -> None:
    rng, dark, lit = np.random.default_rng(4), rgb("#3a3f59"), rgb("#ffd98a")
    x = 0.0
    while x < 0.86:
        w, h = float(rng.uniform(0.04, 0.075)), float(rng.uniform(0.045, 0.1))
        shade = blend(dark, rgb("#7a5c74"), float(rng.uniform(0, 0.35)))
        board.box(x, 0.625 - h, w + 0.002, h + 0.02, shade)
        if rng.random() < 0.7:
            board.poly([(x, 0.626 - h), (x + w / 2, 0.595 - h), (x + w, 0.626 - h)], shade)
        for i in range(int(w / 0.018)):
            for j in range(int(h / 0.03)):
                if rng.random() < 0.4:
                    board.box(x + 0.008 + i * 0.017, 0.637 - h + j * 0.027, 0.007, 0.011, lit)
        x += w
    board.poly([(0.3, 0.55), (0.345, 0.55), (0.3225, 0.41)], dark)
    board.box(0.303, 0.53, 0.039, 0.1, dark)
    board.poly([(1.42, 0.64), (1.78, 0.59), (1.78, 0.67), (1.4, 0.67)], rgb("#2f3550"))
    board.poly([(1.553, 0.632), (1.602, 0.632), (1.593, 0.4), (1.562, 0.4)], rgb("#f4e6cf"))
    for y in (0.44, 0.52):
        board.box(1.559, y, 0.038, 0.035, rgb("#b1553f"))
    board.box(1.556, 0.392, 0.043, 0.01, rgb("#2f3550"))
    board.box(1.566, 0.36, 0.023, 0.034, lit)
    board.poly([(1.559, 0.36), (1.596, 0.36), (1.5775, 0.335)], rgb("#2f3550"))


def _water(board: Board) -> None:
    rng = np.random.default_rng(9)
    top, deep = rgb("#c98a7c"), rgb("#1d3550")
    for i in range(40):
        board.box(0, 0.645 + i * 0.009, 16 / 9, 0.0095, blend(top, deep, min(1.0, (i / 30) ** 0.75)))
    for i in range(26):
        y = 0.655 + i * 0.0125
        w = float(rng.uniform(0.03, 0.13)) * (1 - i / 40)
        x = 1.18 + float(rng.normal(0, 0.012 + i * 0.0012))
        board.box(x - w / 2, y, w, 0.0042, blend(rgb("#ffe3ab"), top, i / 40), 0.002)
    for _ in range(60):
        y = float(rng.uniform(0.67, 0.97))
        w = 0.02 + (y - 0.65) * float(rng.uniform(0.1, 0.4))
        board.box(
            float(rng.uniform(0, 16 / 9)), y, w, 0.0028, blend(rgb("#6d7790"), deep, (y - 0.65) * 2), 0.001
        )
    for x in (0.05, 0.13, 0.24, 0.42, 0.55, 0.68, 0.8):
        for k in range(4):
            board.box(
                x + float(rng.normal(0, 0.003)),
                0.653 + k * 0.017,
                0.012,
                0.005,
                blend(rgb("#ffd98a"), deep, 0.2 + k * 0.2),
            )


def _boats(board: Board) -> None:
    for x, y, size in ((0.95, 0.72, 1.0), (0.66, 0.78, 1.35), (1.4, 0.76, 1.15), (1.12, 0.69, 0.6)):
        dark = rgb("#1a2536")
        hull = [(-0.06, 0), (0.065, 0), (0.045, 0.026), (-0.042, 0.026)]
        board.poly([(x + a * size, y + c * size) for a, c in hull], dark)
        board.box(x - 0.02 * size, y - 0.02 * size, 0.034 * size, 0.021 * size, rgb("#f4e6cf"))
        board.line([(x, y), (x, y - 0.15 * size)], 0.0035 * size, dark)
        board.poly([(x + 0.006 * size, y - 0.14 * size), (x + 0.052 * size, y - 0.03 * size),
                    (x + 0.006 * size, y - 0.03 * size)], blend(rgb("#f4e6cf"), rgb("#d9937e"), 0.35))  # fmt: skip
        for k in range(3):
            board.box(
                x - 0.03 * size,
                y + (0.032 + k * 0.012) * size,
                (0.06 - k * 0.016) * size,
                0.003,
                rgb("#24364f"),
            )


def small(picture: Image.Image) -> bytes:
    """A 300-pixel JPEG for a sound file's tag."""
    out = io.BytesIO()
    picture.resize((300, 300), Image.Resampling.LANCZOS).save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()


def write_all(folder: Path, data: dict[str, Any]) -> None:
    """All pictures: `stations/`, `programmes/`, `sponsors/` as PNG, and `lead.webp`."""
    stations, wanted = data["stations"], []
    for name, about in stations.items():
        wanted.append((f"stations/{name}.png", sign(about["sign"], about["accent"])))
    for name, about in data["programmes"].items():
        wanted.append((f"programmes/{name}.png", sign(about["sign"], stations[about["station"]]["accent"])))
    for name, about in data["sponsors"].items():
        wanted.append((f"sponsors/{name}.png", sign(about["sign"], about["accent"], inverse=True)))
    for path, picture in wanted:
        goal = folder / path
        goal.parent.mkdir(parents=True, exist_ok=True)
        picture.quantize(96, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            goal, "PNG", optimize=True
        )
    lead().save(folder / "lead.webp", "WEBP", quality=88, method=6)
