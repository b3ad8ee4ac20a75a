"""The training of one architecture, step by step.

Everything random comes from the seed and the number of the step, so that a training that
was interrupted goes on from its file as if nothing had happened.
"""

from __future__ import annotations

import hashlib
import math
import os
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Callable, Dict, List, Optional

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasc_plugin import Graph, derive

from . import device as devices
from .assembly import Assembly
from .data import Lessons, Source, Split
from .layers import BatchNorm
from .network import Network, set_norm, set_progress
from .optim import make, schedule, set_rate
from .settings import Settings

EXPLODED = 1e4  # a loss from which no training recovers: a guess among the classes costs 2 to 4


class Diverged(ValueError):
    """The loss or a gradient is no number any more, or the loss has exploded."""


@dataclass
class Metrics:
    """The result of a training."""

    accuracy: float  # per cent
    loss: float  # mean cross-entropy in nats


@dataclass
class Epoch:
    """The state of a training after an epoch."""

    number: int  # from 1
    of: int
    train_loss: float  # mean over the steps of what is minimized
    valid: Metrics


@dataclass
class Job:
    """An architecture to be trained."""

    graph: Graph
    seed: int  # of everything random
    epochs: int
    file: str = ""  # where the training is kept while it goes on; empty: it is not


class _WithAuxiliary(nn.Module):
    """A network and, in training, a second classifier that reads one of its maps."""

    def __init__(self, net: Network, classes: int, seed: int):
        super().__init__()
        tap = net.smallest()
        if tap is None:
            raise ValueError("the architecture has no square map of at least 6 pixels between its cells "
                             "that an auxiliary classifier could read")
        self.net, self.tap = net, tap
        head = Assembly(seed)
        head.operation("auxiliary", _Head("auxiliary_head", {"out": classes}), [head.input(net.shapes[tap])])
        self.head = head.ops[0]

    def forward(self, x: Tensor) -> "tuple[Tensor, Tensor]":
        values = self.net.run([x], keep=[self.tap])
        return values[self.net.output], self.head(values[self.tap])


@dataclass
class _Head:
    """The node of an auxiliary head."""

    op: str
    attributes: Dict[str, Any]
    module: str = "std/vision"
    shape: List[int] = field(default_factory=list)
    params: int = 0


class Training:
    """Moves the weights of a fresh network, and measures it."""

    def __init__(self, job: Job, settings: Settings, source: Source):
        self.job, self.settings, self.source = job, settings, source
        self.net = _checked(job.graph, source, job.seed)
        self.batch = min(settings.batch_size, len(source.set.train))
        self._afford()
        trained: nn.Module = self.net
        if settings.auxiliary > 0:
            trained = _WithAuxiliary(self.net, source.set.classes, job.seed)
        self.trained = trained.to(source.device)
        self.run_training = devices.compiled(self.trained, settings.compile)
        self.run_scoring = devices.compiled(self.net, settings.compile) if self.trained is not self.net else self.run_training
        self.optimizer = make(settings, self.trained.parameters())
        self.lessons = Lessons(source, source.set.train, settings.view(), job.seed, self.batch)
        self.schedule = schedule(settings, job.epochs, self.lessons.steps)
        self.at = 0  # steps done
        self.sum = 0.0  # of the losses of the epoch under way
        self.curve: List[Epoch] = []
        self.kept = time.monotonic()

    def run(self, report: Callable[[Epoch], None], beat: Callable[[float, str], None]) -> Metrics:
        """All steps that are left, and a measurement on the validation part after every epoch.
        beat hears how far it has come, and may end it by raising an exception."""
        for e in self.curve:
            report(e)
        steps = self.lessons.steps
        while len(self.curve) < self.job.epochs:
            number = len(self.curve) + 1
            while self.at < number * steps:
                beat(self.at / self.schedule.steps, f"epoch {number}: step {self.at % steps + 1} of {steps}")
                self.step()
                self._keep()
            valid = self.measure(self.source.set.valid, lambda: beat(self.at / self.schedule.steps, f"epoch {number}: measuring"))
            if not valid.loss <= EXPLODED:
                raise Diverged(f"training diverged: the validation loss is {valid.loss:.3g} after epoch {number}")
            self.curve.append(Epoch(number, self.job.epochs, self.sum / steps, valid))
            self.sum = 0.0
            report(self.curve[-1])
        return self.curve[-1].valid

    def step(self) -> float:
        """Moves the weights once; the loss before that."""
        s = self.settings
        images, targets = self.lessons.batch(self.at)
        self._clock(self.at + 1)
        self.trained.train()
        self.optimizer.zero_grad(set_to_none=True)
        with devices.autocast(self.source.device, s.amp):
            out = self.run_training(images)
            heads = out if isinstance(out, tuple) else (out,)
            losses = [F.cross_entropy(h.float(), targets, label_smoothing=0 if s.mixup else s.smoothing) for h in heads]
            loss = losses[0] + s.auxiliary * losses[1] if len(losses) > 1 else losses[0]
        value = loss.item()
        if not value <= EXPLODED:
            raise self._diverged("loss", value)
        loss.backward()
        set_rate(self.optimizer, self.schedule.at(self.at))
        if s.clip > 0:
            norm = float(nn.utils.clip_grad_norm_(self.trained.parameters(), s.clip))
            if not math.isfinite(norm):
                raise self._diverged("norm of the gradients", norm)
        self.optimizer.step()
        self.at += 1
        self.sum += value
        return value

    def measure(self, part: Split, beat: Callable[[], None]) -> Metrics:
        """The network in evaluation mode on a part, after the running statistics of batch norm
        have been made anew if the settings say so."""
        self._clock(self.at)
        self.net.eval()
        if self.settings.recalibrate:
            self._recalibrate(self.settings.recalibrate)
        right, loss = 0, 0.0
        with torch.no_grad(), devices.autocast(self.source.device, self.settings.amp):
            for first in range(0, len(part), self.batch):
                beat()
                images, labels = self.source.plain(part, first, self.batch)
                out = self.run_scoring(images)
                logits = (out[0] if isinstance(out, tuple) else out).float()
                loss += float(F.cross_entropy(logits, labels, reduction="sum"))
                right += int((logits.argmax(1) == labels).sum())
        return Metrics(100 * right / len(part), loss / len(part))

    def _recalibrate(self, batches: int) -> None:
        """Makes the running statistics the mean over the first batches of the training part:
        those of a training lag behind the weights, the more the fewer its steps."""
        for m in self.net.modules():
            if isinstance(m, BatchNorm):
                m.reset_running_stats()
        set_norm(self.net, "recalibrate")
        with torch.no_grad():
            for i in range(min(batches, self.lessons.steps)):
                self.net(self.source.plain(self.source.set.train, i * self.batch, self.batch)[0])
        set_norm(self.net, "usual")

    def _clock(self, step: int) -> None:
        """Lets everything that draws in a step draw by its number, from 1, and rates grow."""
        torch.manual_seed(derive(self.job.seed, "ops", step) & (1 << 63) - 1)
        set_progress(self.net, max(step - 1, 0) // self.lessons.steps / self.job.epochs)

    def _diverged(self, what: str, value: float) -> Diverged:
        steps = self.lessons.steps
        return Diverged(f"training diverged: the {what} is {value:.3g} in step {self.at % steps + 1} of epoch {self.at // steps + 1}")

    def _afford(self) -> None:
        """Refuses what takes more memory than the settings allow."""
        mebi = 1 << 20
        weights = sum(p.numel() for p in self.net.parameters())
        need = 4 * (4 * weights + 2 * self.batch * self.net.maps)
        if self.settings.memory and need > self.settings.memory * mebi:
            raise ValueError(f"it needs at least {need // mebi} MiB of memory to be trained, and the setting memory allows "
                             f"{self.settings.memory:.0f} MiB")

    # -- files

    def _identity(self) -> str:
        """What two trainings have in common that do the same."""
        what = [repr(self.job.graph), self.job.seed, self.job.epochs, self.settings.essence(), self.source.set.facts, torch.__version__]
        return hashlib.sha256(repr(what).encode()).hexdigest()

    def _keep(self) -> None:
        every = self.settings.checkpoint
        if self.job.file and every and time.monotonic() - self.kept >= every:
            self.save(self.job.file)
            self.kept = time.monotonic()

    def save(self, path: str) -> None:
        """Writes the whole state to a file; a crash leaves the old file or the new one."""
        write(path, {"identity": self._identity(), "step": self.at, "sum": self.sum, "curve": [asdict(e) for e in self.curve],
                     "weights": self.trained.state_dict(), "optimizer": self.optimizer.state_dict()})

    def load(self, path: str) -> None:
        """Goes on from a file that save has written; one of another training is a ValueError."""
        state = torch.load(path, map_location=self.source.device)
        if state["identity"] != self._identity():
            raise ValueError(f"{path} is of another training")
        self.trained.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.at, self.sum = state["step"], state["sum"]
        self.curve = [Epoch(e["number"], e["of"], e["train_loss"], Metrics(**e["valid"])) for e in state["curve"]]


def write(path: str, state: Dict[str, Any]) -> None:
    """Replaces a file in one step that survives a power cut."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    new = f"{path}.{os.getpid()}.new"
    try:
        with open(new, "wb") as f:
            torch.save(state, f)
            f.flush()
            os.fsync(f.fileno())
        os.replace(new, path)
    except BaseException:
        if os.path.exists(new):
            os.remove(new)
        raise


def _checked(graph: Graph, source: Source, seed: int) -> Network:
    """The network of a graph, if its ends fit the data."""
    image, name = list(source.set.shape), source.set.name
    check_input([shape for _, shape in graph.inputs], image, f"the architecture takes images of shape {{}}, but those of {name} have {image}")
    net = Network(graph, seed)
    check_output(net.shapes[net.output], source, "the architecture")
    return net


def check_input(inputs: List[List[int]], image: List[int], message: str) -> None:
    """Refuses what does not take one image."""
    if len(inputs) != 1 or list(inputs[0]) != image:
        raise ValueError(message.format(" and ".join(str(list(i)) for i in inputs)))


def check_output(shape: "tuple[int, ...]", source: Source, what: str) -> None:
    """Refuses what does not give a number for each class."""
    classes = source.set.classes
    if shape != (classes,):
        raise ValueError(f"{what} gives {list(shape)}, but {source.set.name} needs one number for each of its {classes} classes, [{classes}]")


def load_if_there(training: Training, warn: Callable[[str], None]) -> None:
    """Goes on from the file of a job, if there is one that is whole and of the same training."""
    path: Optional[str] = training.job.file
    if not path or not os.path.exists(path):
        return
    try:
        training.load(path)
    except Exception as e:  # whatever a damaged file makes torch.load raise
        warn(f"the training begins anew: {path}: {e}")
