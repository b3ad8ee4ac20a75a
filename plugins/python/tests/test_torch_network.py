"""Graphs become modules of the declared size; go test compares what they compute."""

import base64
import json
import pathlib

import pytest

torch = pytest.importorskip("torch", reason="there is no PyTorch")

from torch_networks import classifier, node  # noqa: E402

from nasc_plugin import messages  # noqa: E402
from nasc_torch import Network, UnknownOperation, load_weights, op  # noqa: E402
from nasc_torch.network import set_norm, set_progress  # noqa: E402
from nasc_torch.ops import TABLE  # noqa: E402

VECTORS = json.loads((pathlib.Path(__file__).parent / "vectors.json").read_text())["Spaces"]
GRAPHS = sorted(k for k, v in VECTORS.items() if v["Graph"] and v["Params"] < 8_000_000 and v["MACs"] < 600_000_000)


@pytest.mark.parametrize("name", GRAPHS)
def test_parameters(name):
    v = VECTORS[name]
    net = Network(messages.graph(base64.b64decode(v["Graph"])))
    assert sum(p.numel() for p in net.parameters()) == v["Params"]


def test_forward_and_seed():
    x = torch.randn(2, 1, 8, 8)
    a, b, c = Network(classifier(), 1), Network(classifier(), 1), Network(classifier(), 2)
    assert a(x).shape == (2, 10)
    assert torch.equal(a(x), b(x))
    assert not torch.equal(a(x), c(x))
    load_weights(c.weights(), a.weights())
    assert torch.equal(a(x), c(x))
    with pytest.raises(ValueError, match="no weights for"):
        load_weights(c.weights(), {})


def test_names_are_those_of_the_engine():
    assert "1:cell/0:a/conv.bn.scale" in Network(classifier()).weights()
    assert "3:fc/weight" in Network(classifier()).weights()


def test_unknown_operation_is_named():
    g = classifier()
    g.nodes[1].body.nodes[0] = node("a", "teleport", [-1], [4, 8, 8], module="mine")
    with pytest.raises(UnknownOperation, match="1:cell/0:a: .*'teleport' of mine"):
        Network(g)
    op("teleport")(lambda s: torch.nn.Identity())
    try:
        Network(g)
    finally:
        del TABLE["teleport"]


@pytest.mark.parametrize("change, why", [
    (lambda g: setattr(g.nodes[3], "params", 7), "50 trainable numbers, but its declaration says 7"),
    (lambda g: setattr(g.nodes[2], "shape", [5]), r"gives \[4\], but its declaration says \[5\]"),
    (lambda g: g.nodes[0].attributes.update(kernel="three"), "attribute kernel is 'three'"),
])
def test_declarations_are_checked(change, why):
    g = classifier()
    change(g)
    with pytest.raises(ValueError, match=why):
        Network(g)


def test_norm_modes():
    net, x = Network(classifier(), 1), torch.randn(16, 1, 8, 8)
    net.eval()
    fresh = net(x)
    set_norm(net, "batch")
    by_batch = net(x)
    assert not torch.allclose(fresh, by_batch, atol=1e-3)
    set_norm(net, "recalibrate")
    net(x)
    set_norm(net, "usual")
    assert torch.allclose(net(x), by_batch, atol=1e-2)  # the running variance is unbiased
    assert not torch.allclose(net(x), fresh, atol=1e-3)


def test_drop_path_grows():
    drop = TABLE["drop_path"](type("S", (), {"real": lambda *_: 0.5, "flag": lambda *_: True})())
    x = torch.ones(2000, 1, 1, 1)
    assert torch.equal(drop(x), x)
    set_progress(drop, 1.0)
    assert set(drop(x).unique().tolist()) == {0.0, 2.0}
    assert abs(float(drop(x).mean()) - 1) < 0.15
    assert torch.equal(drop.eval()(x), x)
