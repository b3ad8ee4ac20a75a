"""Batches of examples, by the number of the step.

Everything random about a batch comes from the seed, the epoch and the position in it, and
is drawn as nasc's evaluator `train` draws it: a training on the same files sees the same
images, moved and mirrored in the same way, in the same order. (Mixup draws its shares in
another way.)
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import List, Optional, Tuple

import numpy as np
import torch
from torch import Tensor

from nasc_plugin import Stream, derive

from .dataset import Set, Split


@dataclass
class View:
    """How training images are looked at."""

    flip: bool = False
    shift: int = 0
    cutout: int = 0
    mixup: float = 0.0
    smoothing: float = 0.0

    @property
    def augments(self) -> bool:
        return self.flip or self.shift > 0 or self.cutout > 0

    def draw(self, r: Stream, h: int, w: int) -> Tuple[int, int, int, int, int]:
        """Whether it is mirrored, by how much it is moved, and where its hole begins."""
        mirror = int(self.flip and r.below(2) == 0)
        dx = dy = top = left = 0
        if self.shift:
            dx, dy = r.below(2 * self.shift + 1) - self.shift, r.below(2 * self.shift + 1) - self.shift
        if self.cutout:
            top, left = r.below(h) - self.cutout // 2, r.below(w) - self.cutout // 2
        return mirror, dy, dx, top, left


class Source:
    """The images of a set on a device: pixel values less the mean over the standard deviation
    of their channel in the training part."""

    def __init__(self, s: Set, device: torch.device):
        self.set, self.device = s, device
        self.mean = torch.tensor(s.mean, device=device).view(1, -1, 1, 1)
        self.scale = 1 / torch.tensor(s.std, device=device).view(1, -1, 1, 1)

    def images(self, pixels: np.ndarray) -> Tensor:
        """Images (B,C,H,W) of pixel values."""
        return (torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device).float() - self.mean) * self.scale

    def plain(self, part: Split, first: int, count: int) -> Tuple[Tensor, Tensor]:
        """Examples as they are: images (B,C,H,W) and labels (B)."""
        of = slice(first, first + count)
        return self.images(part.pixels[of]), self._labels(part.labels[of])

    def _labels(self, labels: np.ndarray) -> Tensor:
        return torch.from_numpy(labels.astype(np.int64)).to(self.device)

    def augmented(self, part: Split, chosen: List[int], views: "np.ndarray | None", cutout: int) -> Tuple[Tensor, Tensor]:
        """Examples seen as View.draw says. What comes in from outside and the hole are the mean."""
        pixels, labels = part.pixels[chosen], self._labels(part.labels[chosen])
        if views is None:
            return self.images(pixels), labels
        b, _, h, w = pixels.shape
        mirror, dy, dx, top, left = (v[:, None] for v in views.T)
        rows, columns = np.arange(h) - dy, np.arange(w) - dx  # (B,H) and (B,W) of the image
        inside = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None, :]
        columns = np.where(mirror == 1, w - 1 - columns, columns)
        if cutout:
            y, x = np.arange(h) - top, np.arange(w) - left
            inside &= ~(((y >= 0) & (y < cutout))[:, :, None] & ((x >= 0) & (x < cutout))[:, None, :])
        at = rows.clip(0, h - 1)[:, None, :, None], columns.clip(0, w - 1)[:, None, None, :]
        moved = pixels[np.arange(b)[:, None, None, None], np.arange(pixels.shape[1])[None, :, None, None], at[0], at[1]]
        return self.images(moved) * torch.from_numpy(inside[:, None]).to(self.device), labels


class Lessons:
    """The batches of a part of the data, by the number of the step from 0 over all epochs.
    What an epoch has more than its batches hold takes part in another epoch."""

    def __init__(self, source: Source, part: Split, view: View, seed: int, size: int, stream: str = ""):
        self.source, self.part, self.view, self.seed, self.size, self.stream = source, part, view, seed, size, stream
        self.steps = len(part) // size  # batches of an epoch
        self._epoch = -1
        self._order: List[int] = []

    def batch(self, step: int) -> Tuple[Tensor, Tensor]:
        """Images (B,C,H,W) and labels (B); under mixup shares of every class (B,K)."""
        epoch, position = divmod(step, self.steps)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, Stream(self.seed, self.stream + "order", epoch).permutation(len(self.part))
        first = position * self.size
        chosen = self._order[first:first + self.size]
        views = None
        if self.view.augments:
            _, h, w = self.source.set.shape
            base = epoch * len(self.part) + first
            views = np.array([self.view.draw(Stream(self.seed, self.stream + "augment", base + b), h, w) for b in range(self.size)])
        images, labels = self.source.augmented(self.part, chosen, views, self.view.cutout)
        return self._mix(images, labels, step) if self.view.mixup else (images, labels)

    def _mix(self, images: Tensor, labels: Tensor, step: int) -> Tuple[Tensor, Tensor]:
        """Every image and label mixed with those of another place (Zhang et al. 2018); the
        shares are the same for the whole batch."""
        seed = derive(self.seed, self.stream + "mixup", step)
        share = random.Random(seed).betavariate(self.view.mixup, self.view.mixup)
        other = torch.tensor(Stream(seed, "other").permutation(self.size), device=images.device)
        targets = torch.nn.functional.one_hot(labels, self.source.set.classes).float()
        targets = targets * (1 - self.view.smoothing) + self.view.smoothing / self.source.set.classes
        return share * images + (1 - share) * images[other], share * targets + (1 - share) * targets[other]


class Course:
    """Lessons with the batch in hand."""

    def __init__(self, lessons: Lessons):
        self.lessons = lessons
        self._number: Optional[int] = None
        self._batch: Tuple[Tensor, Tensor]

    def take(self, number: int) -> Tuple[Tensor, Tensor]:
        """The batch of a step."""
        if number != self._number:
            self._batch, self._number = self.lessons.batch(number), number
        return self._batch
