"""The evaluator `torch/train` as nasc sees it.

PyTorch is imported when a search begins: to describe itself a plugin needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict

import nasc_plugin as nasc
from nasc_plugin import Candidate, OpenSupernet, Progress, Result, TrainedSupernet

from .settings import Settings
from .version import VERSION

if TYPE_CHECKING:
    from .trainer import Trainer


class Torch(nasc.Evaluator, nasc.SupernetTrainer, Settings):
    """Trains an architecture in PyTorch on the training part of a data set, by default with SGD
    (Nesterov momentum, cosine schedule), and reports its accuracy on the validation part; the
    test part is for the winner. Settings and data are those of nasc/train."""

    name = "train"
    metrics = [nasc.Metric("accuracy", "share of validation examples classified correctly", "%", higher_is_better=True),
               nasc.Metric("loss", "mean cross-entropy on the validation examples")]
    test_metrics = [nasc.Metric("accuracy", "share of test examples classified correctly", "%", higher_is_better=True),
                    nasc.Metric("loss", "mean cross-entropy on the test examples")]

    trainer: Trainer

    def start(self) -> None:
        """Reads the data."""
        from .trainer import Trainer

        self.trainer = Trainer(self, self.threads, self.work_dir)

    def facts(self) -> Dict[str, str]:
        """Of the data, and what computes."""
        return self.trainer.facts()

    def evaluate(self, candidate: Candidate, progress: Progress) -> Result:
        """Trains, and measures on the validation part."""
        return self.trainer.evaluate(candidate, progress)

    def test(self, candidate: Candidate, progress: Progress) -> Dict[str, float]:
        """Trains exactly as evaluate does, and measures on the test part."""
        return self.trainer.test(candidate, progress)

    def open_supernet(self, o: OpenSupernet) -> TrainedSupernet:
        """A supernet for a one-shot search."""
        return self.trainer.open_supernet(o)


plugin = nasc.Plugin("torch/train", VERSION, "Trains every architecture on images, with PyTorch on processor or GPU.", [Torch])
