"""Trains candidates for the evaluator."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Callable, Dict

import torch

from nasc_plugin import Candidate, OpenSupernet, Progress, Result

from . import device as devices
from .data import Source, load
from .oneshot import OneShot
from .settings import Settings
from .training import Epoch, Job, Metrics, Training, load_if_there
from .version import VERSION

_log = logging.getLogger("nasc")
_BEAT = 0.5  # seconds between two signs of life


class Trainer:
    """The data, and what is done with them."""

    def __init__(self, settings: Settings, threads: int, work_dir: str):
        device = devices.choose(settings.device)
        devices.check(device, settings.amp, settings.compile)
        if threads > 0:
            torch.set_num_threads(threads)
        data = load(settings.options())
        settings.check_settings(*data.shape[1:])
        self.settings, self.work_dir = settings, work_dir
        self.source = Source(data, device)

    def facts(self) -> Dict[str, str]:
        """Of the data, and what computes."""
        where = str(self.source.device)
        if self.source.device.type == "cuda":
            where = torch.cuda.get_device_name(self.source.device)
        return {**self.source.set.facts, "torch": torch.__version__, "device": where,
                "nasc_torch": f"{VERSION} sha256:{_code()}"}

    def evaluate(self, candidate: Candidate, progress: Progress) -> Result:
        """Trains, and measures on the validation part."""
        training, m = self._train(candidate, "trial", progress)
        self._forget(training)
        return Result(asdict(m), epochs=float(training.job.epochs))

    def test(self, candidate: Candidate, progress: Progress) -> Dict[str, float]:
        """Trains exactly as evaluate does, and measures on the test part."""
        training, _ = self._train(candidate, "test", progress)
        m = training.measure(self.source.set.test, lambda: None)
        self._forget(training)
        return asdict(m)

    def _train(self, c: Candidate, purpose: str, progress: Progress) -> "tuple[Training, Metrics]":
        file = os.path.join(self.work_dir, f"{purpose}-{c.number}.checkpoint") if self.work_dir else ""
        training = Training(Job(c.graph, c.seed, c.epochs or self.settings.epochs, file), self.settings, self.source)
        load_if_there(training, _log.warning)
        try:
            return training, training.run(lambda e: _report(progress, e), beating(progress))
        except ValueError:  # it would fail in the same way again
            self._forget(training)
            raise

    def open_supernet(self, o: OpenSupernet) -> OneShot:
        """A supernet for a one-shot search."""
        return OneShot(self.settings, self.source, o)

    @staticmethod
    def _forget(training: Training) -> None:
        """Removes what was kept of a training."""
        if training.job.file and os.path.exists(training.job.file):
            os.remove(training.job.file)


def _report(progress: Progress, e: Epoch) -> None:
    progress(e.number / e.of, f"epoch {e.number}: loss {e.train_loss:.2f}, accuracy {e.valid.accuracy:.1f}",
             train_loss=e.train_loss, **asdict(e.valid))


def beating(progress: Progress) -> Callable[[float, str], None]:
    """Tells progress now and then, which ends what is cancelled."""
    last = [time.monotonic()]

    def beat(fraction: float, text: str) -> None:
        now = time.monotonic()
        if now - last[0] >= _BEAT:
            last[0] = now
            progress(fraction, text)

    return beat


def _code() -> str:
    """A hash of this package, which is not in the hash of the plugin's folder."""
    folder, h = Path(__file__).parent, hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        h.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return h.hexdigest()
