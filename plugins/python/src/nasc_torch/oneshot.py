"""The supernet of a one-shot search: weights move on the training part, gradients of mixtures
and scores are of the validation part."""

from __future__ import annotations

import hashlib
import math
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

import torch

from nasc_plugin.supernet import (ArchGradient, Batch, Mixture, Network, OpenSupernet, Score, SupernetSize, TrainedSupernet,
                                  WeightStep)

from .data import Course, Lessons, Source
from .optim import Schedule
from .settings import Settings
from .supernet import Supernet
from .training import Diverged, check_input, check_output, write
from .weighing import Examples, Rule, Weighing
from .widening import carry


class OneShot(TrainedSupernet):
    """A supernet with its data. Both parts are shuffled in every epoch and augmented as the
    settings say, but for scores."""

    def __init__(self, settings: Settings, source: Source, o: OpenSupernet):
        if o.epochs < 1:
            raise ValueError(f"a search of {o.epochs} epochs")
        self.settings, self.source, self.epochs, self.seed = settings, source, o.epochs, o.seed
        data, view = source.set, settings.view()
        view.mixup = 0  # a supernet learns from classes
        self.batch = min(settings.supernet_batch, len(data.train), len(data.valid))
        self.train = Course(Lessons(source, data.train, view, o.seed, self.batch))
        self.valid = Course(Lessons(source, data.valid, view, o.seed, self.batch, "valid/"))
        steps = o.epochs * self.train.lessons.steps
        self.schedule = Schedule("cosine", settings.supernet_lr, settings.supernet_lr_min, steps)
        self.network = o.network
        self.work = self._built(o.network)
        self.asked = 0  # batches of the validation part that gradients have been taken on

    def _built(self, network: Network) -> Weighing:
        s, image = self.settings, list(self.source.set.shape)
        check_input([shape for _, shape in network.net.inputs], image,
                    f"the supernet takes images of shape {{}}, but those of {self.source.set.name} have {image}")
        net = Supernet(network, self.seed, not s.supernet_affine, s.supernet_shared)
        check_output(net.shape, self.source, "the supernet")
        need, mebi = self._memory(net), 1 << 20
        if s.memory and need > s.memory * mebi:
            raise ValueError(f"the supernet needs {need // mebi} MiB of memory, and the limit is {s.memory:.0f} MiB; a smaller batch, "
                             "fewer channels or partial channels need less")
        rule = Rule(s.supernet_momentum, s.supernet_nesterov, s.supernet_decay, s.supernet_clip)
        return Weighing(net, rule, self.seed, s.smoothing, s.amp, self.source.device)

    def _memory(self, net: Supernet) -> int:
        """Bytes that weights and maps take at least."""
        return 4 * (3 * sum(p.numel() for p in net.parameters()) + 2 * self.batch * net.maps)

    def size(self) -> SupernetSize:
        """How many whole batches the parts have."""
        return SupernetSize(self.train.lessons.steps, self.valid.lessons.steps, self._memory(self.work.net))

    def weight_step(self, m: Mixture, o: WeightStep) -> float:
        """Moves the weights on the next batch of the training part."""
        rate = self._rate() if o.rate is None else o.rate
        decay = self.settings.supernet_decay if o.weight_decay is None else o.weight_decay
        if not (0 <= rate < math.inf and 0 <= decay < math.inf):
            raise ValueError(f"a weight step at the learning rate {rate} with the weight decay {decay}")
        return self.work.move(self.train.take(self.work.steps), m, rate, decay)

    def _rate(self) -> float:
        """After its last step the schedule stays where it is."""
        return self.schedule.at(min(self.work.steps, self.schedule.steps))

    def arch_gradient(self, m: Mixture, o: ArchGradient) -> Tuple[float, Mixture]:
        """The gradient of the loss on a batch with respect to the mixture."""
        if o.batch == Batch.NEXT_TRAIN:
            if o.unrolled:
                raise ValueError("a gradient of second order is of the validation part")
            return self.work.gradient(self.train.take(self.work.steps), m)
        at = self.asked - (o.batch == Batch.SAME_VALID)
        if at < 0:
            raise ValueError("the last batch of the validation part is asked for, and there was none yet")
        valid = self.valid.take(at)
        if o.unrolled:
            result = self.work.unrolled(self.train.take(self.work.steps), valid, m, self._rate(), o.radius)
        else:
            result = self.work.gradient(valid, m)
        self.asked = at + 1
        return result

    def score(self, ms: Sequence[Mixture], o: Score) -> List[Mapping[str, float]]:
        """Measures mixtures on whole batches of the validation part as they are. Nothing that later
        steps depend on changes."""
        steps = self.valid.lessons.steps
        if min(o.first, o.batches, o.recalibrate) < 0:
            raise ValueError(f"a score of {o.batches} batches from batch {o.first} on, with statistics of {o.recalibrate}")
        batches = [(o.first + i) % steps for i in range(o.batches or steps)]
        sums: List[Dict[str, float]] = [{"accuracy": 0.0, "loss": 0.0} for _ in ms]
        groups = [[i] for i in range(len(ms))] if o.recalibrate else [list(range(len(ms)))]  # that go over the batches together
        with self.work.scoring(running=o.recalibrate > 0):
            for group in groups:
                if o.recalibrate:
                    self.work.recalibrate(self._images(min(o.recalibrate, self.train.lessons.steps)), ms[group[0]])
                for number in batches:
                    x = self.source.plain(self.source.set.valid, number * self.batch, self.batch)
                    for i in group:
                        self._add(sums[i], x, ms[i])
        return [{"accuracy": 100 * s["accuracy"] / len(batches), "loss": s["loss"] / len(batches)} for s in sums]

    def _add(self, to: Dict[str, float], x: Examples, m: Mixture) -> None:
        loss, right = self.work.score(x, m)
        if not math.isfinite(loss):
            raise Diverged(f"training diverged: the validation loss is {loss} in step {self.work.steps}")
        to["loss"] += loss
        to["accuracy"] += right

    def _images(self, batches: int) -> Iterator[torch.Tensor]:
        for i in range(batches):
            yield self.source.plain(self.source.set.train, i * self.batch, self.batch)[0]

    def relax(self, network: Network) -> None:
        """Goes on with the same weights, on the same batches."""
        if network.name != self.network.name:
            raise ValueError(f"{network.name} is another space than {self.network.name}")
        work = self._built(network)
        carry(self.work, work)
        self.work, self.network = work, network

    # -- files

    def _origin(self) -> str:
        """What two supernets have in common that do the same in the same calls."""
        shapes = [(k, tuple(v.shape)) for k, v in self.work.net.weights().items()]
        what = [self.seed, self.epochs, self.settings.essence(), self.source.set.facts, torch.__version__, self.network.name,
                self.network.relaxation, shapes]
        return hashlib.sha256(repr(what).encode()).hexdigest()

    def save(self, path: str) -> None:
        """Writes everything that the next call depends on."""
        w = self.work
        write(path, {"origin": self._origin(), "weights": w.net.state_dict(), "optimizer": w.optimizer.state_dict(), "steps": w.steps,
                     "passes": w.passes, "asked": self.asked})

    def load(self, path: str) -> None:
        """Makes the supernet as it was when it was saved. It must be relaxed as that one was."""
        state = torch.load(path, map_location=self.source.device)
        if state["origin"] != self._origin():
            raise ValueError(f"{path} holds a supernet of another search")
        w = self.work
        w.net.load_state_dict(state["weights"])
        w.optimizer.load_state_dict(state["optimizer"])
        w.steps, w.passes, self.asked = state["steps"], state["passes"], state["asked"]
