"""The optimizer that is made of components: one epoch for each stage."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..plugin import Parameter, Value
from ..searched import OneShot, RefusedDecision, SearchedSupernet, Stage
from ..supernet import Mixture, Score
from ..supernet import Relaxation as Relaxed
from .choice import genotype, one_hot
from .decision import Decision, kind
from .parts import Moment, span
from .search import Search
from .softmax import added

if TYPE_CHECKING:
    from .catalogue import Catalogue


class Shot(OneShot):
    """Does the stages of a search with the components that the settings name. Catalogue.optimizer
    makes a class of it."""

    catalogue: "Catalogue"

    @classmethod
    def parameters(cls) -> List[Parameter]:
        return cls.catalogue.parameters()

    def configure(self, settings: Mapping[str, Value]) -> None:
        self.settings = settings

    def start(self) -> None:
        self.parts = self.catalogue.parts(self.settings)

    def relaxation(self) -> Relaxed:
        r = self.parts.channels.relaxation()
        return Relaxed(r.channels, r.edge_weights or self.parts.steps.edge_norm)

    def begin(self, net: SearchedSupernet) -> None:
        self.start()  # components that remember nothing
        p = self.parts
        self.search = s = Search(self.space, self.objectives, net, p.relaxation, p.steps.edge_norm, self.rand)
        for slot, part in p.all():
            for d in s.decisions:
                if not kind(d) & part.handles and (slot != "relax" or d.learned):
                    raise RefusedDecision(d.address, f"`{part.name}` cannot relax {kind(d)}")
        self.done_stages, self.over = 0, False
        s.params = s.init()
        p.update.begin(s.params)

    def stage(self) -> Stage:
        if self.over:
            raise ValueError("the search is over")
        s, p = self.search, self.parts
        at = Moment(self.done_stages, s.net.epochs, 0, s.net.size().steps)
        values = self._train(at, at.epoch >= span(p.steps.warmup, at.epochs))
        at.step = at.steps
        for _, part in p.all():
            values.update(part.values(at))
        choice = p.selection.derive(s)
        metrics: Mapping[str, float] = {}
        if p.steps.score_batches:
            metrics = s.net.score([one_hot(s.decisions, choice)], Score(batches=p.steps.score_batches))[0]
        self.done_stages += 1
        self.over = self.done_stages == at.epochs
        mean = s.mean()
        values["entropy"] = entropy(s.decisions, mean)
        return Stage(genotype(s.space, s.decisions, choice), mean, metrics, values, done=self.over)

    def _train(self, at: Moment, arch: bool) -> Dict[str, float]:
        """Makes the weight steps of an epoch and, with arch, arch steps in turns; the mean
        losses."""
        steps, single = self.parts.steps, self.parts.order.single_level
        train, valid = _Mean(), _Mean()
        for at.step in range(at.steps):
            if steps.weights_first and not single:
                train.add(self._weight_step(at, None))
            shared: Optional[Mixture] = None
            if arch and at.step % steps.period == 0:
                m, loss = self._arch_step(at)
                valid.add(loss)
                shared = m if single else None
            if not steps.weights_first or single:
                train.add(self._weight_step(at, shared))
        values = train.named("train_loss")
        if not single:
            values.update(valid.named("valid_loss"))
        return values

    def _weight_step(self, at: Moment, m: Optional[Mixture]) -> float:
        s = self.search
        if m is None:
            m, _ = s.draw(s.params, at, s.rand("draw"))
        return s.net.weight_step(m)

    def _arch_step(self, at: Moment) -> Tuple[Optional[Mixture], Optional[float]]:
        """Moves the arch parameters once; the mixture and the loss under it. Where nothing is
        learned so it does nothing."""
        s = self.search
        m, back = s.draw(s.params, at, s.rand("draw"))
        if back is None:
            return None, None
        loss, grad = self.parts.order.gradient(s, m)
        self.parts.update.step(s.params, back(grad))
        for d, p in zip(s.decisions, s.params):
            for o, v in zip(d.options, p):
                if not math.isfinite(v):
                    raise ValueError(f"the search diverged: the arch parameter of `{o.label}` at {d.address} is {v}")
        return m, loss

    def save(self) -> bytes:
        parts = {slot: kept for slot, part in self.parts.all() if (kept := part.save()) is not None}
        state = {"stages": self.done_stages, "over": self.over, "params": self.search.params, "draws": self.search.draws, "parts": parts}
        return json.dumps(state, sort_keys=True).encode()  # floats are read with the bits that they were written with

    def load(self, state: bytes) -> None:
        s: Dict[str, Any] = json.loads(state)
        if [len(p) for p in s["params"]] != [len(p) for p in self.search.params]:
            raise ValueError("the state is of another supernet than the one that is searched")
        self.done_stages, self.over = s["stages"], s["over"]
        self.search.params, self.search.draws = s["params"], s["draws"]
        for slot, part in self.parts.all():
            if slot in s["parts"]:
                part.load(s["parts"][slot])


def entropy(decisions: Sequence[Decision], m: Mixture) -> float:
    """The mean over learned decisions of the entropy of their weights, as shares of one, in
    nats."""
    all, n = 0.0, 0
    for d, weights in zip(decisions, m):
        if not d.learned:
            continue
        total, h = added(weights), 0.0
        for w in weights:
            if w > 0 and total > 0:
                h -= w / total * math.log(w / total)
        all += h
        n += 1
    return all / max(n, 1)


class _Mean:
    def __init__(self) -> None:
        self.sum, self.n = 0.0, 0

    def add(self, v: Optional[float]) -> None:
        if v is not None and not math.isnan(v):
            self.sum += v
            self.n += 1

    def named(self, name: str) -> Dict[str, float]:
        return {name: self.sum / self.n} if self.n else {}
