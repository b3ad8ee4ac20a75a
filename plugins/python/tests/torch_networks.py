"""Small networks for the tests of nasc_torch, and settings."""

from nasc_plugin import Graph, Node
from nasc_plugin.supernet import MIXED, MixedNode, MixtureWeight, Net, Network, RelaxedDecision, RelaxedOption, Relaxation, Term
from nasc_torch.settings import Settings

VISION = "std/vision"


def settings(**values):
    """Settings with their defaults but for some."""
    s = Settings()
    for p in vars(Settings).values():
        if hasattr(p, "attribute"):
            setattr(s, p.attribute, values.pop(p.name, p.default))
    assert not values, values
    return s


def node(name, op, inputs, shape, params=0, module=VISION, **attributes):
    return Node(name, op, module, attributes, inputs, shape, params, 0)


def classifier(size=8, channels=1, width=4):
    """A convolution, a cell of two, and a linear layer."""
    cell = Graph("cell", [("x", [width, size, size])], [
        node("a", "relu_conv_bn", [-1], [width, size, size], width * (9 * width + 2), kernel=3),
        node("b", "skip", [-1], [width, size, size]),
        node("c", "zero", [-1], [width, size, size]),
        node("s", "sum", [0, 1, 2], [width, size, size], module="std/core"),
    ], 3)
    return Graph("net", [("image", [channels, size, size])], [
        node("stem", "conv_bn", [-1], [width, size, size], width * (9 * channels + 2), out=width),
        Node("cell", "cell", "", {}, [0], [width, size, size], 0, 0, cell),
        node("pool", "global_pool", [1], [width]),
        node("fc", "linear", [2], [10], 10 * (width + 1), out=10),
    ], 3)


def relaxed(size=8, width=4, edges=2):
    """A cell whose edges choose between an absent one, a skip and a convolution."""
    map_ = [width, size, size]
    nodes, decisions = [], []
    for e in range(edges):
        conv = MixedNode(f"conv{e}", "relu_conv_bn", VISION, {"kernel": 3}, [-1 if e == 0 else len(nodes) - 1], map_, width * (9 * width + 2), 0)
        nodes.append(conv)
        terms = [Term(conv.inputs[0], [MixtureWeight(e, 1)]), Term(len(nodes) - 1, [MixtureWeight(e, 2)])]
        nodes.append(MixedNode(f"edge{e}", MIXED, "", {}, [conv.inputs[0]], map_, 0, 0, terms=terms))
        options = [RelaxedOption("zero", 0, True), RelaxedOption("skip", 1), RelaxedOption("conv", 2)]
        decisions.append(RelaxedDecision(f"edge[{e}]", False, 1, 1, options, e, 1))
    cell = Net("cell", [("x", map_)], nodes, len(nodes) - 1)
    net = Net("net", [("image", [1, size, size])], [
        MixedNode("stem", "conv_bn", VISION, {"out": width}, [-1], map_, width * 11, 0),
        MixedNode("cell", "cell", "", {}, [0], map_, 0, 0, net=cell),
        MixedNode("pool", "global_pool", VISION, {}, [1], [width], 0, 0),
        MixedNode("fc", "linear", VISION, {"out": 10}, [2], [10], 10 * (width + 1), 0),
    ], 3)
    return Network("tiny", decisions, net, Relaxation())
