"""What is done with a supernet on given batches: weight steps, gradients of mixtures, scores."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasc_plugin import derive
from nasc_plugin.supernet import Mixture

from . import device as devices
from .layers import BatchNorm
from .network import set_norm
from .optim import sgd
from .supernet import Mix, Supernet
from .training import EXPLODED, Diverged

Examples = Tuple[Tensor, Tensor]  # images (B,C,H,W) and labels (B)


@dataclass
class Rule:
    """How the weights of a supernet move: SGD."""

    momentum: float = 0.9
    nesterov: bool = False
    decay: float = 3e-4
    clip: float = 0.0  # most that the norm of the gradients may be; 0: any


class Weighing:
    """A supernet with the optimizer of its weights. Calls come one at a time.

    Everything that operations draw in a pass comes from the seed and the number of the pass.
    """

    def __init__(self, net: Supernet, rule: Rule, seed: int, smoothing: float = 0.0, amp: bool = False,
                 device: torch.device = torch.device("cpu")):
        self.net, self.rule, self.seed, self.smoothing, self.amp, self.device = net.to(device), rule, seed, smoothing, amp, device
        self.weights = list(net.parameters())
        self.optimizer = sgd(self.weights, 0.0, rule.momentum, rule.nesterov, rule.decay)
        self.steps = 0  # of the weights
        self.passes = 0  # in training

    def _loss(self, x: Examples, m: Mix) -> Tensor:
        """The loss in training mode, of the pass to come."""
        torch.manual_seed(derive(self.seed, "ops", self.passes + 1) & (1 << 63) - 1)
        self.net.train()
        with devices.autocast(self.device, self.amp):
            logits = self.net(x[0], m)
        loss = F.cross_entropy(logits.float(), x[1], label_smoothing=self.smoothing)
        value = loss.item()
        if not value <= EXPLODED:
            raise Diverged(f"training diverged: the loss is {value:.3g} in step {self.steps + 1}")
        return loss

    def move(self, x: Examples, m: Mixture, rate: float, decay: Optional[float] = None) -> float:
        """A weight step; the loss before it. Weights of operations that the mixture takes out
        stay as they are."""
        loss = self._loss(x, Mix(m))
        self.passes += 1
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(self.weights, self.rule.clip or math.inf))
        if not math.isfinite(norm):
            raise Diverged(f"training diverged: the norm of the gradients is {norm:.3g} in step {self.steps + 1}")
        for g in self.optimizer.param_groups:
            g["lr"], g["weight_decay"] = rate, self.rule.decay if decay is None else decay
        self.optimizer.step()
        self.steps += 1
        return loss.item()

    def gradient(self, x: Examples, m: Mixture) -> Tuple[float, Mixture]:
        """The loss, and its gradient with respect to the mixture. No weight moves; the running
        statistics of batch norm do, as in every pass of a training."""
        loss, grads, _ = self._gradients(x, m, [])
        self.passes += 1
        return loss, grads

    def _gradients(self, x: Examples, m: Mixture, weights: Sequence[Tensor]) -> Tuple[float, Mixture, List[Optional[Tensor]]]:
        """The loss and its gradients with respect to the mixture and some weights."""
        mix = Mix(m, self.device, differentiable=True)
        assert mix.vectors is not None
        loss = self._loss(x, mix)
        grads = torch.autograd.grad(loss, [*mix.vectors, *weights], allow_unused=True) if loss.requires_grad else ()
        of = list(grads) or [None] * (len(mix.vectors) + len(weights))
        mixture = [[0.0] * len(v) if g is None else [float(n) for n in g] for v, g in zip(m, of)]
        if not all(math.isfinite(n) for row in mixture for n in row):
            raise Diverged(f"training diverged: a gradient of the mixture is not finite in step {self.steps + 1}")
        return loss.item(), mixture, of[len(mix.vectors):]

    def unrolled(self, train: Examples, valid: Examples, m: Mixture, rate: float, radius: float) -> Tuple[float, Mixture]:
        """The second-order gradient of Liu, Simonyan and Yang ("DARTS", equations 6 to 8).

        With L' the loss on `train` and w' = w - rate * (dL'/dw + decay * w + momentum * velocity)
        it is the gradient with respect to the mixture of the loss on `valid` with the weights
        w', and that loss. The part that comes through w' is

            -rate * (dL'/dm at w+ - dL'/dm at w-) / (2R),  w± = w ± R * dL/dw',  R = radius / |dL/dw'|

        As in the paper's code w' is that of plain momentum, and gradients are not clipped.
        Operations that draw draw the same numbers in every pass. Afterwards all is as before.
        """
        if not 0 < radius < math.inf:
            raise ValueError(f"the radius of a finite difference is {radius}")
        with self._as_before():
            start = [w.detach().clone() for w in self.weights]
            self._ahead(self._gradients(train, m, self.weights)[2], rate)
            loss, grad, direction = self._gradients(valid, m, self.weights)
            norm = math.sqrt(sum(float(d.double().square().sum()) for d in direction if d is not None))
            if not math.isfinite(norm):
                raise Diverged(f"training diverged: the norm of the gradients after the step ahead is {norm:.3g} in step {self.steps + 1}")
            if norm == 0:  # the weights do not matter
                return loss, grad
            r = radius / norm
            for sign in (1, -1):
                with torch.no_grad():
                    for w, at, d in zip(self.weights, start, direction):
                        w.copy_(at if d is None else at + sign * r * d)
                side = self._gradients(train, m, [])[1]
                grad = [[g - rate * sign * s / (2 * r) for g, s in zip(row, other)] for row, other in zip(grad, side)]
            return loss, grad

    def _ahead(self, grads: Sequence[Optional[Tensor]], rate: float) -> None:
        """Makes the step that is looked ahead of."""
        with torch.no_grad():
            for w, g in zip(self.weights, grads):
                if g is None:
                    continue
                d = g + self.rule.decay * w
                velocity = self.optimizer.state[w].get("momentum_buffer") if w in self.optimizer.state else None
                if velocity is not None:
                    d = d + self.rule.momentum * velocity
                w.sub_(d, alpha=rate)

    @contextmanager
    def _as_before(self) -> Iterator[None]:
        """Brings weights and running statistics back; it counts as one pass."""
        kept = {k: v.clone() for k, v in self.net.state_dict().items()}
        try:
            yield
        finally:
            self.net.load_state_dict(kept)
            self.passes += 1

    def score(self, x: Examples, m: Mixture) -> Tuple[float, float]:
        """The loss and the share of right answers in evaluation mode, with the statistics of
        batch norm that were chosen."""
        self.net.eval()
        torch.manual_seed(derive(self.seed, "ops", self.passes) & (1 << 63) - 1)
        with torch.no_grad(), devices.autocast(self.device, self.amp):
            logits = self.net(x[0], Mix(m)).float()
        return float(F.cross_entropy(logits, x[1])), float((logits.argmax(1) == x[1]).float().mean())

    @contextmanager
    def scoring(self, running: bool) -> Iterator[None]:
        """Within it, scores are with batch norm by its running statistics, or by the batch: running
        ones are means over mixtures and mean nothing for one. They are as before in the end."""
        norms = [n for n in self.net.modules() if isinstance(n, BatchNorm)]
        kept = [{k: v.clone() for k, v in n.state_dict().items()} for n in norms]
        set_norm(self.net, "usual" if running else "batch")
        try:
            yield
        finally:
            set_norm(self.net, "usual")
            for n, state in zip(norms, kept):
                n.load_state_dict(state)

    def recalibrate(self, batches: Iterable[Tensor], m: Mixture) -> None:
        """Makes the running statistics the means over batches of images, under a mixture (Guo et
        al., "Single Path One-Shot", ECCV 2020)."""
        for n in self.net.modules():
            if isinstance(n, BatchNorm):
                n.reset_running_stats()
        set_norm(self.net, "recalibrate")
        self.net.eval()
        with torch.no_grad():
            for images in batches:
                self.net(images, Mix(m))
        set_norm(self.net, "usual")
