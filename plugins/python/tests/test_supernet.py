"""The stream of a supernet: what is asked arrives, what fails is told, and it is closed."""

import threading

from nasc_plugin import Evaluator, Metric, OpenSupernet, SupernetTrainer, TrainedSupernet, messages
from nasc_plugin import Plugin
from nasc_plugin._wire import oneshot_pb2 as pb
from nasc_plugin.server import _problem
from nasc_plugin.supernet import Batch, SupernetSize
from nasc_plugin.supernet_server import SupernetServer


class Net(TrainedSupernet):
    def __init__(self):
        self.calls = []

    def size(self):
        return SupernetSize(3, 2, 100)

    def weight_step(self, m, o):
        self.calls.append((m, o.rate, o.weight_decay))
        return 1.5

    def arch_gradient(self, m, o):
        if o.batch == Batch.SAME_VALID:
            raise ValueError("there was none yet")
        return 0.5, [[2 * w for w in row] for row in m]

    def score(self, ms, o):
        return [{"b": o.first, "a": m[0][0]} for m in ms]

    def relax(self, network):
        self.calls.append(network.relaxation.channels)

    def save(self, path):
        self.calls.append("save " + path)

    def load(self, path):
        raise OSError("no such file")

    def close(self):
        self.calls.append("closed")


class Probe(Evaluator, SupernetTrainer):
    """A probe."""

    name = "probe"
    metrics = [Metric("a"), Metric("b")]

    def open_supernet(self, o: OpenSupernet):
        if o.epochs == 0:
            raise ValueError("no epochs")
        self.opened = o
        return self.net


NETWORK = pb.Network(name="n", relaxed=pb.Relaxed(decisions=[
    pb.RelaxedDecision(address="d", options=[pb.RelaxedOption(label="x"), pb.RelaxedOption(label="y", alternative=1)], sites=1)]), nets=[
    pb.Net(name="n", nodes=[pb.MixedNode(net=1), pb.MixedNode(net=1)], output=1),
    pb.Net(name="cell", nodes=[pb.MixedNode(terms=[pb.Term(value=-1, decisions=[0], options=[1])], shaped=True)])])
MIXTURE = pb.Mixture(values=[0.25, 0.75])


def talk(*requests, epochs=2):
    e = Probe()
    e.net = Net()
    first = pb.SupernetRequest(open=pb.Open(session=1, network=NETWORK, epochs=epochs, seed=7, channels=4))
    server = SupernetServer(lambda session: e, threading.Lock(), _problem)
    return e, list(server.work(iter([first, *requests])))


def call(**what):
    return pb.SupernetRequest(call=pb.Call(**what))


def test_described():
    d = messages.description(Plugin("me/probe", "0.1.0", "", [Probe]))
    assert d.components[0].supernets


def test_calls():
    e, (opened, step, gradient, score, relaxed, saved) = talk(
        call(weight_step=pb.WeightStep(mixture=MIXTURE, rate=0.5)), call(arch_gradient=pb.ArchGradient(mixture=MIXTURE)),
        call(score=pb.Score(mixtures=[MIXTURE, MIXTURE], first=3)), pb.SupernetRequest(relax=pb.Rebuild(network=NETWORK, channels=2)),
        pb.SupernetRequest(save=pb.File(path="p")))
    assert (opened.opened.steps, opened.opened.valid, opened.opened.memory) == (3, 2, 100)
    net = e.opened.network
    assert net.relaxation.channels == 4 and net.net.nodes[0].net is net.net.nodes[1].net
    assert step.reply.weight_step.loss == 1.5 and e.net.calls[0] == ([[0.25, 0.75]], 0.5, None)
    assert list(gradient.reply.arch_gradient.gradient.values) == [0.5, 1.5]
    assert list(score.reply.score.values) == [0.25, 3, 0.25, 3]
    assert relaxed.HasField("opened") and saved.HasField("stored")
    assert e.net.calls[1:] == [2, "save p", "closed"]


def test_failures():
    e, (_, gradient, load, short, odd) = talk(
        call(arch_gradient=pb.ArchGradient(mixture=MIXTURE, batch=pb.BATCH_SAME_VALID)), pb.SupernetRequest(load=pb.File(path="p")),
        call(weight_step=pb.WeightStep(mixture=pb.Mixture(values=[1]))), pb.SupernetRequest())
    assert gradient.reply.error.message == "there was none yet"
    assert "no such file" in load.error.message
    assert "a mixture of 1 numbers, not 2" in short.reply.error.message
    assert "nothing that is known" in odd.error.message
    assert e.net.calls == ["closed"]
    _, answers = talk(call(weight_step=pb.WeightStep(mixture=MIXTURE)), epochs=0)
    assert [a.error.message for a in answers] == ["no epochs"]  # and it is over
