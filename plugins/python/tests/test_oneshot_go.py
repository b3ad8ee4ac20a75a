"""One-shot searches are those of Go: components, driver and random numbers."""

import base64
import json
import pathlib

import pytest

from nasc_plugin import SearchedSupernet, messages, oneshot, supernet_messages
from nasc_plugin._wire import nasc_pb2, oneshot_pb2
from nasc_plugin.supernet import ArchGradient, Score, SupernetSize
from nasc_plugin.testing import started

VECTORS = json.loads((pathlib.Path(__file__).parent / "oneshot.json").read_text())


class Bowl(SearchedSupernet):
    """A supernet without weights whose loss is the squared distance of the mixture from some
    numbers, times one that changes with the batch: that of oneshot_test.go."""

    epochs, batches = 5, 0

    def __init__(self, decisions):
        self.decisions = decisions

    def size(self):
        return SupernetSize(3, 2)

    def loss(self, m):
        grad = [[w - (3 * i + 5 * k) % 7 / 7 for k, w in enumerate(row)] for i, row in enumerate(m)]
        loss = 0.0
        for row in grad:
            for d in row:
                loss += d * d / 2
        return loss, grad

    def weight_step(self, m, o=None):
        return self.loss(m)[0]

    def arch_gradient(self, m, o=None):
        o = o or ArchGradient()
        loss, grad = self.loss(m)
        self.batches += 1
        factor = self.batches % 3 + int(o.batch) + o.radius
        return loss * factor, [[g * factor for g in row] for row in grad]

    def score(self, ms, o=None):
        return [{"loss": self.loss(m)[0] * (o or Score()).batches} for m in ms]


def parsed(kind, text):
    m = kind()
    m.ParseFromString(base64.b64decode(text))
    return m


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("anew", [False, True], ids=["whole", "resumed"])
def test_search_is_that_of_go(name, anew):
    """Resumed: each stage is done by an optimizer that is started anew."""
    want = VECTORS[name]
    space = messages.space(parsed(nasc_pb2.Space, want["Space"]))
    net = Bowl(supernet_messages.decisions(parsed(oneshot_pb2.Relaxed, want["Relaxed"])))
    shot = oneshot.standard().optimizer("shot", "One-shot search.")
    o, state = None, None
    for i, stage in enumerate(want["Stages"]):
        if o is None or anew:
            o = started(shot, space, "loss", False, want["Settings"], seed=9)
            o.begin(net)
            if state is not None:
                o.load(state)
        got = o.stage()
        state = o.save()
        assert got.genotype == stage["Genotype"]
        assert dict(got.metrics) == pytest.approx(stage["Metrics"], rel=1e-12)
        assert dict(got.values) == pytest.approx(stage["Values"], rel=1e-12)
        if "Mixture" in stage:
            assert got.mixture == [pytest.approx(row, rel=1e-12) for row in stage["Mixture"]]
        assert got.done == (i == len(want["Stages"]) - 1)
