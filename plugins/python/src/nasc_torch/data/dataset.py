"""Data sets in memory: the same files, parts and settings as nasc's evaluator `train`.

A set has three parts. Train is for weights, valid for the number that an optimizer sees,
test for the final report only. Files are divided as nasc divides them, to the example:
results of both evaluators are about the same images.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Dict, List, Optional

import numpy as np

from nasc_plugin import Refused, Stream


@dataclass
class Split:
    """One part of a data set."""

    pixels: np.ndarray  # (N,C,H,W), 0..255
    labels: np.ndarray  # (N), class numbers

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, n: int) -> "Split":
        return Split(self.pixels[:n], self.labels[:n])

    def take(self, order: "list[int]") -> "Split":
        return Split(self.pixels[order], self.labels[order])

    def hash(self) -> str:
        h = hashlib.sha256(np.ascontiguousarray(self.pixels).tobytes())
        h.update(self.labels.tobytes())
        return h.hexdigest()


@dataclass
class Options:
    """Which data set, and how much of it. A zero is the data set's own choice."""

    name: str
    path: str = ""
    classes: int = 0
    size: int = 0
    color: bool = False
    train: int = 0
    valid: int = 0
    test: int = 0


@dataclass
class Set:
    """A data set in memory."""

    name: str
    classes: int
    train: Split
    valid: Split
    test: Split
    facts: Dict[str, str] = field(default_factory=dict)
    divided: bool = False  # valid is a part of the training files
    mean: List[float] = field(default_factory=list)  # of train by channel, in units of pixel values
    std: List[float] = field(default_factory=list)

    @property
    def shape(self) -> "tuple[int, int, int]":
        """Of an image: channels, height, width."""
        _, c, h, w = self.train.pixels.shape
        return c, h, w


def load(o: Options) -> Set:
    """Reads or draws a data set. What is wrong with an option is Refused."""
    from . import files, glyphs, images

    s = {"glyphs": glyphs.load, "idx": files.idx, "cifar10": files.cifar10, "images": images.load}[o.name](o)
    if o.name != "glyphs":
        _, h, w = s.shape
        if o.classes not in (0, s.classes):
            raise Refused("classes", f"is {o.classes}, but the files have {s.classes}")
        if o.size and (o.size, o.size) != (h, w):
            raise Refused("size", f"is {o.size}, but the images have {h}x{w} pixels")
    _lend(s, o.valid)
    for part in ("train", "valid", "test"):
        want, of = getattr(o, part), getattr(s, part)
        if want > len(of):
            raise Refused(part, f"asks for {want} examples, but there are {len(of)}")
        if want:
            of = of.first(want)
            setattr(s, part, of)
        if not len(of):
            raise Refused("data", f"leaves no examples for the {part} part")
        s.facts["dataset." + part] = str(len(of))
        s.facts[f"dataset.{part}.sha256"] = of.hash()
    s.facts["dataset"] = s.name
    x = s.train.pixels.transpose(1, 0, 2, 3).reshape(s.shape[0], -1).astype(np.float64)
    s.mean = [float(v) for v in x.mean(1)]
    s.std = [max(float(v), 1.0) for v in x.std(1)]
    return s


def divide_files(name: str, classes: int, train: Split, test: Optional[Split], facts: Dict[str, str]) -> Set:
    """A set that comes from files: a fifth of the training files is for validation; without
    test files another fifth is for the test."""
    n, fifth = len(train), len(train) // 5
    order = order_of(n)
    if test is not None:
        facts["dataset.split"] = "validation: a fifth of the training files; test: the test files"
        return Set(name, classes, train.take(order[:n - fifth]), train.take(order[n - fifth:]), test, facts, divided=True)
    facts["dataset.split"] = "validation and test: a fifth each of the training files, there being no test files"
    a, b = n - 2 * fifth, n - fifth
    return Set(name, classes, train.take(order[:a]), train.take(order[a:b]), train.take(order[b:]), facts, divided=True)


def order_of(n: int) -> List[int]:
    """The order in which n examples are divided, which depends on their number alone."""
    return Stream.of_words(n, 0x6E617363).permutation(n)


def _lend(s: Set, valid: int) -> None:
    """Moves examples from the end of the training part to the validation part, if more are
    wanted than there are and both come from the training files: a one-shot search divides
    them in two halves."""
    more = valid - len(s.valid)
    if not s.divided or more <= 0:
        return
    left = len(s.train) - more
    if left < 1:
        raise Refused("valid", f"asks for {valid} examples, but there are {len(s.train) + len(s.valid)}, "
                               "of which some must be left to train on")
    s.valid = Split(np.concatenate([s.valid.pixels, s.train.pixels[left:]]), np.concatenate([s.valid.labels, s.train.labels[left:]]))
    s.train = s.train.first(left)
    s.facts["dataset.split"] += f" (validation: {more} more, that would else be trained on)"
