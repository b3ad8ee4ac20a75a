"""Spaces and streams do what nasc's Go code does, on every shipped space."""

import base64
import json
import pathlib

import pytest

from nasc_plugin import INACTIVE, Stream, derive, messages
from nasc_plugin._wire import nasc_pb2 as pb

VECTORS = json.loads((pathlib.Path(__file__).parent / "vectors.json").read_text())


def load(vector):
    m = pb.Space()
    m.ParseFromString(base64.b64decode(vector["Space"]))
    return messages.space(m)


def test_streams():
    s = Stream(5, "bits", 3)
    assert [s.bits() for _ in range(4)] == VECTORS["Bits"]
    assert [s.below(n) for n in (10, 1000, (1 << 40) + 1, 3 << 62)] == VECTORS["Below"]
    assert s.permutation(10) == VECTORS["Perm"]
    assert s.random() == VECTORS["Float64"]
    pairs = [(s.normal(), s.exponential()) for _ in range(20000)]
    assert pairs[499::500] == [(pytest.approx(n, rel=1e-15), pytest.approx(e, rel=1e-15)) for n, e in zip(VECTORS["Normal"], VECTORS["Exp"])]
    assert derive(1, "ask") == 0xC4B496EA9FC0316A  # by the definition of the rule


def test_below_is_uniform():
    s = Stream(1, "uniform")
    counts = [0] * 7
    for _ in range(70_000):
        counts[s.below(7)] += 1
    assert sum((c - 10_000) ** 2 / 10_000 for c in counts) < 22.5  # chi-square with 6 degrees, p = 0.001
    with pytest.raises(ValueError):
        s.below(0)


def test_normal():
    s = Stream(1, "normal")
    values = [s.normal() for _ in range(20_000)]
    mean = sum(values) / len(values)
    assert abs(mean) < 0.03
    assert abs(sum((v - mean) ** 2 for v in values) / len(values) - 1) < 0.05


@pytest.mark.parametrize("name", sorted(VECTORS["Spaces"]))
def test_space(name):
    v = VECTORS["Spaces"][name]
    s = load(v)
    rng = Stream(7, "vectors")
    samples = [s.sample(rng) for _ in range(3)]
    assert samples == v["Samples"]
    first = samples[0]
    for i, g in enumerate(samples):
        s.check(g)
        assert str(s.rank(g)) == v["Ranks"][i]
        assert s.unrank(s.rank(g)) == g
        assert s.mutate(rng, g) == v["Mutants"][i]
        assert s.crossover(rng, first, g) == v["Children"][i]
        assert s.distance(first, g) == v["Distances"][i]
    for g, want in zip(s.neighbors(first), v["Neighbors"] or []):
        assert g == want
    assert s.unrank(s.size >> 1) == v["Middle"]
    assert sum(s.one_hot(first)) >= sum(1 for d in s.active(first) if d.kind != "subset")
    if v["Graph"]:
        g = messages.graph(base64.b64decode(v["Graph"]))
        assert (g.params(), g.macs()) == (v["Params"], v["MACs"])


def test_check_refuses():
    s = load(VECTORS["Spaces"]["darts"])
    g = s.sample(Stream(1, "x"))
    for wrong, why in (
        (g[:-1], "decisions"),
        ([99] + g[1:], "beyond|no alternative"),
        ([INACTIVE] + g[1:], "leaves out"),
    ):
        with pytest.raises(ValueError, match=why):
            s.check(wrong)
    with pytest.raises(ValueError, match="does not exist"):
        s.unrank(s.size)


def test_samples_are_uniform():
    """Every architecture of a small, uneven space equally often."""
    from nasc_plugin import Alternative, Decision, Space

    below = Decision(1, "b", "one-of", [Alternative("0"), Alternative("1"), Alternative("2")], 1, 1)
    top = Decision(0, "a", "one-of", [Alternative("0"), Alternative("1", [below])], 1, 1)
    some = Decision(2, "c", "subset", [Alternative("0"), Alternative("1"), Alternative("2")], 1, 2)
    s = Space("small", [top, below, some], [top, some])
    assert s.size == 4 * 6
    rng, counts = Stream(3, "sample"), {}
    for _ in range(24_000):
        key = tuple(s.sample(rng))
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 24
    assert sum((c - 1000) ** 2 / 1000 for c in counts.values()) < 49.7  # 23 degrees, p = 0.001
    assert sorted(map(tuple, s.all())) == sorted(counts)
    for g in s.all():  # neighbours are mutual
        for h in s.neighbors(g):
            assert g in list(s.neighbors(h))
            assert s.distance(g, h) >= 1
