"""The settings of the evaluator: those of nasc's evaluator `train`, and where it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import nasc_plugin as nasc
from nasc_plugin import Refused

if TYPE_CHECKING:
    from .data import Options, View


class Settings:
    """Parameters under the names, with the defaults and of the meaning that `nasc plugin info
    nasc/train` tells."""

    dataset: str = nasc.text("glyphs", choices=("glyphs", "idx", "cifar10", "images"), doc=(
        "drawn letters and digits, idx files (MNIST and relatives), CIFAR-10's binary files, or a tree of JPEG and PNG files "
        "with a folder for each class"))
    data: str = nasc.text("", doc="idx, cifar10 and images: the folder of the files")
    classes: int = nasc.integer(0, min=0, doc="number of classes; 0: as the data set has (glyphs: 10, at most 36)")
    size: int = nasc.integer(0, min=0, doc="height and width of an image; 0: as the data set has (glyphs: 16)")
    color: bool = nasc.boolean(False, doc="glyphs: three channels instead of one")
    train: int = nasc.integer(0, min=0, max=1_000_000, doc="training examples; 0: all (glyphs: 2000)")
    valid: int = nasc.integer(0, min=0, max=1_000_000, doc="validation examples; 0: all (glyphs: 1000)")
    test_examples: int = nasc.integer(0, min=0, max=1_000_000, doc="test examples; 0: all (glyphs: 2000)", name="test")

    epochs: int = nasc.integer(3, min=1, max=100_000, doc="passes over the training examples")
    batch_size: int = nasc.integer(32, min=1, max=65_536, doc="examples per step")

    optimizer: str = nasc.text("sgd", choices=("sgd", "rmsprop", "adam", "adamw"),
                               doc="how the weights move; adamw is adam with decoupled weight decay")
    lr: float = nasc.real(0.1, min=0, doc="learning rate of the first step after the warm-up")
    momentum: float = nasc.real(0.9, min=0, max=1, doc="sgd and rmsprop: momentum")
    nesterov: bool = nasc.boolean(True, doc="sgd: Nesterov's form of momentum")
    alpha: float = nasc.real(0.99, min=0, max=1, doc="rmsprop: what a step leaves of the mean square")
    beta1: float = nasc.real(0.9, min=0, max=1, doc="adam and adamw: what a step leaves of the mean gradient")
    beta2: float = nasc.real(0.999, min=0, max=1, doc="adam and adamw: what a step leaves of the mean square")
    epsilon: float = nasc.real(1e-8, min=0, doc="rmsprop, adam and adamw: what is added to the root of the mean square")
    weight_decay: float = nasc.real(0.0005, min=0, doc=(
        "factor of the weights that is added to their gradients; adamw: that they shrink by, times the learning rate"))
    clip: float = nasc.real(5, min=0, doc="largest norm of all gradients together; 0: no limit")

    schedule: str = nasc.text("cosine", choices=("constant", "cosine", "linear", "step"), doc=(
        "how the learning rate falls: step by step along half a cosine or a line to lr_min, or by lr_factor every lr_epochs epochs"))
    lr_min: float = nasc.real(0, min=0, doc="cosine and linear: learning rate at the end")
    lr_epochs: int = nasc.integer(30, min=1, doc="step: epochs between two falls")
    lr_factor: float = nasc.real(0.1, min=0, max=1, doc="step: what a fall leaves")
    warmup: float = nasc.real(0, min=0, doc="epochs, or a part of one, in which the learning rate rises to lr before the schedule begins")

    smoothing: float = nasc.real(0, min=0, max=1, doc="label smoothing: share of the target that is spread over all classes in training")
    flip: bool = nasc.boolean(False, doc="mirror training images at random")
    shift: int = nasc.integer(0, min=0, doc="move training images at random by up to so many pixels, as padding and cropping do")
    cutout: int = nasc.integer(0, min=0, doc=(
        "side in pixels of a square that is blanked at a random place of a training image (Devries and Taylor 2017)"))
    mixup: float = nasc.real(0, min=0, max=100, doc=(
        "mix training images and labels in pairs, in shares drawn from Beta(mixup, mixup) (Zhang et al. 2018); 0: not"))
    auxiliary: float = nasc.real(0, min=0, doc=(
        "weight of the loss of a second classifier, in training only, that reads the first map of the smallest resolution (DARTS: 0.4); 0: none"))
    recalibrate: int = nasc.integer(0, min=0, doc=(
        "training batches that the running statistics of batch norms are made of anew before a measurement; "
        "0: they are those of the training"))

    supernet_batch: int = nasc.integer(64, min=1, max=65_536, doc="supernet: examples per step, of the training and of the validation part")
    supernet_lr: float = nasc.real(0.025, min=0, doc="supernet: learning rate of the first step; it falls step by step along half a cosine")
    supernet_lr_min: float = nasc.real(0.001, min=0, doc="supernet: learning rate at the end")
    supernet_momentum: float = nasc.real(0.9, min=0, max=1, doc="supernet: momentum of sgd")
    supernet_nesterov: bool = nasc.boolean(True, doc="supernet: Nesterov's form of momentum (DARTS: not)")
    supernet_decay: float = nasc.real(0.0005, min=0, doc="supernet: factor of the weights that is added to their gradients (DARTS: 0.0003)")
    supernet_clip: float = nasc.real(5, min=0, doc="supernet: largest norm of all gradients together; 0: no limit")
    supernet_shared: bool = nasc.boolean(False, doc=(
        "supernet: uses of a cell for equal shapes share their weights; decisions they share in any case"))
    supernet_affine: bool = nasc.boolean(False, doc=(
        "supernet: batch norms within cells have a scale and a shift; published supernets: not, since mixture weights scale already"))

    memory: float = nasc.real(0, min=0, doc=(
        "MiB that a training may take; one whose weights and maps need more fails before it begins. 0: any"))
    checkpoint: float = nasc.real(60, min=0, doc=(
        "seconds between two checkpoints of a training, from which it goes on when the search is resumed; 0: none"))

    device: str = nasc.text("auto", choices=("auto", "cpu", "cuda"), doc="where networks run; auto: on a GPU if there is one")
    amp: bool = nasc.boolean(False, doc="mixed precision, with bfloat16")
    compile: bool = nasc.boolean(False, doc="compile networks with torch.compile, of PyTorch 2.0 or later; not supernets")

    def options(self) -> Options:
        """Which data."""
        from .data import Options

        return Options(self.dataset, self.data, self.classes, self.size, self.color, self.train, self.valid, self.test_examples)

    def view(self) -> View:
        """How training images are looked at."""
        from .data import View

        return View(self.flip, self.shift, self.cutout, self.mixup, self.smoothing)

    def check_settings(self, height: int, width: int) -> None:
        """Refuses settings that make no sense together or with images of this size."""
        if self.shift > min(height, width) - 1:
            raise Refused("shift", f"is {self.shift}, which moves images of {height}x{width} pixels out of sight")
        for name in ("momentum", "alpha", "beta1", "beta2", "supernet_momentum"):
            if getattr(self, name) == 1:
                raise Refused(name, "is 1, with which the first step is never forgotten; it must be less")
        if self.epsilon == 0 and self.optimizer != "sgd":
            raise Refused("epsilon", "is 0, so that a weight without a gradient would be divided by zero")

    def essence(self) -> "dict[str, object]":
        """The settings but for those that change no number."""
        return {p.name: getattr(self, p.attribute) for p in vars(Settings).values()
                if isinstance(p, nasc.Parameter) and p.name not in ("data", "checkpoint", "memory")}
