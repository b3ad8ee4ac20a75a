"""What an evaluator's code does wrong fails its architecture alone, unless it breaks its word."""

import base64
import json
import pathlib
import queue

import pytest

from nasc_plugin import Evaluator, Metric, Plugin
from nasc_plugin.server import _Cancelled, _Services

VECTORS = json.loads((pathlib.Path(__file__).parent / "vectors.json").read_text())
GRAPH = base64.b64decode(VECTORS["Spaces"]["nasbench201"]["Graph"])


def judge(behave, cancelled=()):
    class Probe(Evaluator):
        name = "probe"
        metrics = [Metric("a"), Metric("b")]

        def evaluate(self, candidate, progress):
            return behave(candidate, progress)

    services = _Services(Plugin("me/probe", "0.1.0", "", [Probe]), None)
    services.session = 1, Probe()
    gone = _Cancelled()
    gone.ids.update(cancelled)
    out = queue.Queue()
    return services._judge(1, 7, 0, 5, 0, GRAPH, out, gone), out


def test_result():
    m, _ = judge(lambda c, p: {"b": 2, "a": c.graph.params()})
    assert list(m.ids) == [7]
    assert list(m.results.values) == [VECTORS["Spaces"]["nasbench201"]["Params"], 2.0]


@pytest.mark.parametrize("error", [KeyError("missing"), ValueError("no"), ZeroDivisionError()])
def test_failure_of_one_architecture(error):
    def fail(c, p):
        raise error

    m, _ = judge(fail)
    assert m.events[0].WhichOneof("event") == "failure"


def test_missing_metric_ends_the_search():
    m, _ = judge(lambda c, p: {"a": 1})
    assert m.events[0].WhichOneof("event") == "error"
    assert "b" in m.events[0].error.message


def test_cancelled():
    m, _ = judge(lambda c, p: pytest.fail("it was evaluated"), cancelled=[7])
    assert m.events[0].failure.message == "it was cancelled"
    gone = _Cancelled()
    assert 7 not in gone
    gone.all = True
    assert 7 in gone


def test_progress():
    def work(c, p):
        p(0.5, "half", loss=1.5)
        return {"a": 1, "b": 2}

    _, out = judge(work)
    e = out.get_nowait().events[0]
    assert (e.id, e.progress.fraction, e.progress.text, e.progress.values["loss"]) == (7, 0.5, "half", 1.5)
