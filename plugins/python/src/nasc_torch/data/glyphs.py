"""Drawn digits and capitals: a data set that needs no file.

Every example has its own affine distortion, stroke width, contrast, uneven light, a piece of
another glyph at its edge, an occluding bar and noise. The recipe, the fonts and the parts are those of nasc's evaluator `train`, and so is how hard the
task is. The images are others: rasterizer and random numbers are NumPy's. To train both
evaluators on the same images, use files.

The outlines are those of the Go fonts (by Bigelow & Holmes, BSD license), in outlines.gz:
rows of seven int16, little-endian, the number of the outline and the three points of a
quadratic curve in 1/64 of a pixel at a size of 256. An outline's number is 36 times that of
its font, plus the place of its letter in the alphabet.
"""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import List, Tuple

import numpy as np

from nasc_plugin import Refused

from .dataset import Options, Set, Split

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_FONTS = {"train": range(0, 6), "valid": range(6, 8), "test": range(8, 12)}  # none is in two parts
_EM = 256
_SIZES = {"train": 2000, "valid": 1000, "test": 2000}
_PIECES = 4  # straight lines that a curve is made of


def load(o: Options) -> Set:
    """Classes take turns, so that every beginning of a part is balanced."""
    classes, size = o.classes or 10, o.size or 16
    if not 2 <= classes <= len(ALPHABET):
        raise Refused("classes", f"is {classes}; glyphs have 2 to {len(ALPHABET)}")
    if not 8 <= size <= 128:
        raise Refused("size", f"is {size}; glyphs have 8 to 128 pixels")
    if o.path:
        raise Refused("data", f"is {o.path!r}, but glyphs are drawn and need no file")
    outlines = _outlines()
    channels = 3 if o.color else 1
    parts: List[Split] = []
    for number, (part, fonts) in enumerate(_FONTS.items()):
        n = getattr(o, part) or _SIZES[part]
        labels = np.arange(n) % classes
        pixels = np.empty((n, channels, size, size), np.uint8)
        for i, label in enumerate(labels):
            letters = [outlines[f * len(ALPHABET):][:classes] for f in fonts]
            pixels[i] = _example(np.random.default_rng([number, i]), letters, int(label), size, channels)
        parts.append(Split(pixels, labels.astype(np.uint8)))
    facts = {"dataset.split": "every part has fonts of its own", "dataset.alphabet": ALPHABET[:classes],
             "dataset.drawn": "by nasc_torch; other images than those of nasc/train"}
    return Set("glyphs", classes, *parts, facts)


def _outlines() -> List[np.ndarray]:
    """Each outline as straight lines (L,2,2), from point to point, around its middle."""
    raw = gzip.decompress((Path(__file__).parent / "outlines.gz").read_bytes())
    rows = np.frombuffer(raw, "<i2").reshape(-1, 7)
    t = np.linspace(0, 1, _PIECES + 1)[None, :, None]
    out = []
    for number in range(int(rows[:, 0].max()) + 1):
        curves = rows[rows[:, 0] == number, 1:].astype(np.float64).reshape(-1, 3, 2) / 64
        middle = (curves.min((0, 1)) + curves.max((0, 1))) / 2
        a, b, c = (curves[:, i, None] - middle for i in range(3))
        points = a * (1 - t) ** 2 + 2 * b * t * (1 - t) + c * t ** 2
        out.append(np.stack([points[:, :-1], points[:, 1:]], 2).reshape(-1, 2, 2))
    return out


def _example(r: np.random.Generator, fonts: List[List[np.ndarray]], label: int, size: int, channels: int) -> np.ndarray:
    letters = fonts[r.integers(len(fonts))]
    ink = _drawn(r, letters[label], size, tuple(r.uniform(-0.1, 0.1, 2) * size))
    side = r.uniform(0, 2 * math.pi)  # a neighbour on one side, mostly outside of the image
    strength = r.uniform(0.2, 0.6)
    at = 0.66 * size * math.cos(side), 0.66 * size * math.sin(side)
    ink = np.maximum(ink, strength * _drawn(r, letters[r.integers(len(letters))], size, at))
    x, y = np.arange(size) - size / 2, (np.arange(size) - size / 2)[:, None]
    angle, where, width = r.uniform(0, math.pi), r.uniform(-0.35, 0.35) * size, r.uniform(0, 0.12) * size
    ink = np.where(np.abs(math.cos(angle) * x + math.sin(angle) * y - where) < width / 2, r.uniform(0, 1), ink)
    noise = r.uniform(4, 20)
    out = []
    for _ in range(channels):
        paper, contrast = r.uniform(30, 100), r.uniform(60, 140)
        light, direction = r.uniform(0, 45) / size, r.uniform(0, 2 * math.pi)
        grey = paper + contrast * ink + light * (math.cos(direction) * x + math.sin(direction) * y)
        out.append(np.rint((grey + noise * r.standard_normal(grey.shape)).clip(0, 255)))
    return np.stack(out).astype(np.uint8)


def _drawn(r: np.random.Generator, outline: np.ndarray, size: int, at: Tuple[float, ...]) -> np.ndarray:
    """A glyph (H,W), turned, sheared and stretched, its middle so far from that of the image."""
    turn, shear = r.uniform(-0.3, 0.3), r.uniform(-0.25, 0.25)
    stretch = np.array([r.uniform(0.75, 1.2), r.uniform(0.85, 1.2)]) * size / _EM
    c, s = math.cos(turn), math.sin(turn)
    turned = np.array([[c, -s], [s, c]]) @ np.array([[1, shear], [0, 1]]) * stretch
    return _coverage(outline @ turned.T + np.array(at) + size / 2, size) ** r.uniform(0.6, 1.8)


def _coverage(lines: np.ndarray, size: int) -> np.ndarray:
    """How much of each pixel an outline covers.

    The area of a pixel that lies to the right of a line is added where the line goes down,
    and taken away where it goes up.
    """
    top = np.arange(size)
    y0, y1 = lines[:, 0, 1, None], lines[:, 1, 1, None]
    ya, yb = (np.clip(y, top, top + 1) for y in (y0, y1))  # (L,H): the piece of the line in a row
    line, row = np.nonzero(ya != yb)
    x0, x1 = lines[line, 0, 0], lines[line, 1, 0]
    slope = (x1 - x0) / (y1 - y0)[line, 0]
    ya, yb = ya[line, row], yb[line, row]
    a, b = (top + 1 - (x0 + (y - y0[line, 0]) * slope)[:, None] for y in (ya, yb))  # right borders less the ends
    straight = np.abs(a - b) < 1e-9
    mean = np.where(straight, a.clip(0, 1), (_integral(a) - _integral(b)) / np.where(straight, 1, a - b))
    area = (row == top[:, None]).astype(np.float64) @ ((yb - ya)[:, None] * mean)
    return np.abs(area).clip(0, 1)


def _integral(u: np.ndarray) -> np.ndarray:
    """Of clip(u, 0, 1)."""
    return np.where(u < 0, 0, np.where(u < 1, u * u / 2, u - 0.5))
