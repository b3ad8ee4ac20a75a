"""The stream of a one-shot search: calls reach the host, and its replies the optimizer."""

import queue
import threading

import pytest

from nasc_plugin import OneShot, RefusedDecision, Stage, testing
from nasc_plugin._wire import oneshot_pb2 as pb
from nasc_plugin._wire.nasc_pb2 import Problem
from nasc_plugin.oneshot_server import OneShotServer
from nasc_plugin.server import _problem
from nasc_plugin.supernet import ArchGradient, Batch, Relaxation, Score, WeightStep

RELAXED = pb.Relaxed(decisions=[pb.RelaxedDecision(address="c[0]", min=1, max=1, sites=1, options=[
    pb.RelaxedOption(label="0"), pb.RelaxedOption(label="1", alternative=1)])])
MIX = [[0.25, 0.75]]


class Probe(OneShot):
    """A probe."""

    name = "probe"

    def __init__(self, work):
        self.space, self.work, self.loaded = testing.choices(1, 2), work, None

    def begin(self, net):
        self.net = net
        if self.work is None:
            raise RefusedDecision("c[0]", "it is odd")

    def stage(self):
        self.work(self.net)
        return Stage([1], MIX, {"a": 2.0, "b": 3.0}, {"tau": 0.5}, "fine", True)

    def save(self):
        return b"saved"

    def load(self, state):
        self.loaded = state


class Talk:
    """The host's end of a stream."""

    def __init__(self, work, **begin):
        self.optimizer, self.requests = Probe(work), queue.Queue()
        self.requests.put(pb.OneShotRequest(begin=pb.Begin(session=1, relaxed=RELAXED, epochs=3, steps=4, valid=2, metrics=["a", "b"], **begin)))
        self.answers = OneShotServer(lambda session: self.optimizer, threading.Lock(), _problem).search(iter(self.requests.get, None))

    def say(self, **what):
        self.requests.put(pb.OneShotRequest(**what))
        return next(self.answers)

    def reply(self, **what):
        return self.say(reply=pb.Reply(**what))


def test_calls_and_stage():
    said = []

    def work(net):
        said.append((net.epochs, net.size().steps, net.size().valid, [d.address for d in net.decisions]))
        said.append(net.weight_step(MIX, WeightStep(rate=0.5)))
        said.append(net.arch_gradient(MIX, ArchGradient(Batch.SAME_VALID, unrolled=True, radius=0.1)))
        said.append(net.score([MIX, MIX], Score(1, 2, 3)))
        said.append(net.check([[1], [0]]))
        net.relax(Relaxation(4, True))
        said.append([d.address for d in net.decisions] + net.score([]) + net.check([]))

    t = Talk(work, state=b"old")
    call = t.say(stage=pb.Continue()).call.weight_step
    assert (list(call.mixture.values), call.rate, call.HasField("weight_decay")) == ([0.25, 0.75], 0.5, False)
    call = t.reply(weight_step=pb.WeightStepDone(loss=1.5)).call.arch_gradient
    assert (call.batch, call.unrolled, call.radius) == (pb.BATCH_SAME_VALID, True, 0.1)
    call = t.reply(arch_gradient=pb.ArchGradientDone(loss=2.5, gradient=pb.Mixture(values=[1, 2]))).call.score
    assert (len(call.mixtures), call.first, call.batches, call.recalibrate) == (2, 1, 2, 3)
    call = t.reply(score=pb.ScoreDone(values=[1, 2, 3, 4])).call.check
    assert (call.count, list(call.genotypes)) == (2, [1, 0])
    call = t.reply(check=pb.CheckDone(admissible=[True, False])).call.relax
    assert (call.channels, call.edge_weights) == (4, True)
    other = pb.RelaxedDecision(address="other", options=RELAXED.decisions[0].options)
    stage = t.reply(relax=pb.Relaxed(decisions=[other])).stage
    assert (list(stage.genotype), list(stage.metrics), list(stage.mixture.values), dict(stage.values), stage.state, stage.done, stage.text) == (
        [1], [2.0, 3.0], [0.25, 0.75], {"tau": 0.5}, b"saved", True, "fine")
    assert said == [(3, 4, 2, ["c[0]"]), 1.5, (2.5, [[1.0, 2.0]]), [{"a": 1, "b": 2}, {"a": 3, "b": 4}], [True, False], ["other"]]
    assert t.optimizer.loaded == b"old"


def test_failed_call_fails_the_stage_in_the_words_of_the_host():
    t = Talk(lambda net: net.weight_step(MIX))
    t.say(stage=pb.Continue())
    error = t.reply(error=Problem(message="the training diverged", path="evaluator")).error
    assert (error.message, error.path) == ("the training diverged", "evaluator")


def test_what_cannot_be_relaxed_is_told_with_the_first_stage():
    error = Talk(None).say(stage=pb.Continue()).error
    assert (error.message, error.path) == ("it is odd", "decisions.c[0]")


@pytest.mark.parametrize("work, why", [
    (lambda net: net.weight_step([[1.0]]), "a mixture of [1] numbers, not [2]"),
    (lambda net: net.check([[1, 1]]), "an architecture of 2 decisions, the space has 1"),
])
def test_calls_that_make_no_sense_are_not_made(work, why):
    assert Talk(work).say(stage=pb.Continue()).error.message == why


def test_no_calls_between_stages():
    t = Talk(lambda net: None)
    assert t.say(stage=pb.Continue()).stage.done
    with pytest.raises(ValueError, match="only be called during a stage"):
        t.optimizer.net.weight_step(MIX)


def test_given_up_the_code_of_the_optimizer_ends():
    ended = []

    def work(net):
        try:
            net.weight_step(MIX)
        finally:
            ended.append(True)

    t = Talk(work)
    t.say(stage=pb.Continue())
    t.requests.put(None)  # the stream is over
    assert list(t.answers) == [] and ended == [True]


def test_nonsense_of_the_host_is_an_error():
    assert "where stage is due" in Talk(lambda net: None).reply(weight_step=pb.WeightStepDone()).error.message
