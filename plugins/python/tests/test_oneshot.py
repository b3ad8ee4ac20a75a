"""Components of one-shot optimizers, and the optimizers that are made of them."""

import json
import math

import pytest

import nasc_plugin as nasc
from nasc_plugin import oneshot, testing
from nasc_plugin.supernet import RelaxedDecision, RelaxedOption


def operation(options=4, address="op"):
    return oneshot.Decision(address, False, 1, 1, [RelaxedOption(str(k), k) for k in range(options)], 0, 1)


def edges(least, most, options=4, under=()):
    all = [RelaxedOption(f"v{k}", k, under=list(under)) for k in range(options)]
    return oneshot.Decision("edges", True, least, most, all, 0, 1)


def configured(cls, **settings):
    part = cls()
    part.configure({p.name: settings.get(p.name, p.default) for p in part.parameters()})
    part.start()
    return part


@pytest.mark.parametrize("d", [operation(5), edges(2, 2, 5), edges(3, 3)], ids=["operation", "two edges", "three edges"])
@pytest.mark.parametrize("cls", [oneshot.Softmax, oneshot.Concrete])
def test_gradient_is_that_of_differences(cls, d):
    r, at, n = configured(cls), oneshot.Moment(1, 4, 0, 1), len(d.options)
    rng = nasc.Stream(1, "gradient")
    p, up = [rng.normal() for _ in range(n)], [rng.normal() for _ in range(n)]

    def loss(p):
        return sum(a * b for a, b in zip(up, r.draw(d, p, at, nasc.Stream(2, "noise"))[0]))

    got = r.draw(d, p, at, nasc.Stream(2, "noise"))[1](up)
    for i in range(n):
        h = 1e-6
        high, low = (loss([v + s * (k == i) for k, v in enumerate(p)]) for s in (h, -h))
        assert got[i] == pytest.approx((high - low) / (2 * h), abs=1e-6)


def test_gumbel_draws_by_the_softmax_and_learns_as_concrete():
    r, d, p = configured(oneshot.Gumbel), operation(3), [0.0, math.log(2), math.log(3)]
    rng, counts = nasc.Stream(3, "draws"), [0, 0, 0]
    for _ in range(6000):
        w, _ = r.draw(d, p, oneshot.Moment(0, 2, 0, 1), rng)
        assert sorted(w) == [0, 0, 1]
        counts[w.index(1.0)] += 1
    assert counts == [pytest.approx(n, abs=150) for n in (1000, 2000, 3000)]
    same = oneshot.Moment(0, 1, 0, 1)
    soft = configured(oneshot.Concrete, tau_max=10.0)
    grads = [x.draw(d, p, same, nasc.Stream(4, "x"))[1]([1.0, 2.0, 4.0]) for x in (r, soft)]
    assert grads[0] == grads[1]


def test_gumbel_without_a_chance_ends():
    w, back = configured(oneshot.Gumbel).draw(operation(2), [0.0, -800.0], oneshot.Moment(0, 1, 0, 1), nasc.Stream(1, "x"))
    assert w == [1.0, 0.0] and all(map(math.isfinite, back([1.0, 2.0])))
    assert len(configured(oneshot.Gumbel).draw(operation(2), [0.0, math.nan], oneshot.Moment(0, 1, 0, 1), nasc.Stream(1, "x"))[0]) == 2


def test_temperature():
    at = [oneshot.Moment(e, 4, 0, 1) for e in range(5)]
    assert [configured(oneshot.Gumbel).values(x)["tau"] for x in at] == [pytest.approx(t) for t in (10, 6.7, 3.4, 0.1, 0.1)]
    assert [configured(oneshot.Concrete, tau_delay=0.5).values(x)["tau"] for x in at] == [pytest.approx(t) for t in (1, 1, 1, 0.7575, 0.515)]
    with pytest.raises(nasc.Refused, match="tau_min is 3.0, more than tau_max, 2.0"):
        configured(oneshot.Gumbel, tau_max=2.0, tau_min=3.0)


def test_adam():
    a, p = configured(oneshot.Adam, arch_lr=0.1, arch_decay=0.01), [[1.0, -2.0], []]
    a.begin(p)
    a.step(p, [[0.5, 0.0], []])
    # The first step is by the sign of the gradient and the decay.
    assert p == [[pytest.approx(0.9, abs=1e-6), pytest.approx(-1.9, abs=1e-6)], []]
    other = configured(oneshot.Adam, arch_lr=0.1, arch_decay=0.01)
    other.begin([[0.0, 0.0], []])
    other.load(json.loads(json.dumps(a.save())))
    q = [list(v) for v in p]
    a.step(p, [[-1.0, 3.0], []])
    other.step(q, [[-1.0, 3.0], []])
    assert p == q


def test_strongest():
    ops = [operation(3, "a"), operation(3, "b")]
    ops[0].options[0].alternative = -1  # no architecture has it
    assert oneshot.strongest(ops, [[0.9, 0.3, 0.3], [0.1, 0.2, 0.7]]) == [[1], [2]]
    for least, most, want in ((2, 2, [1, 2]), (1, 3, [1, 2]), (0, 4, [1, 2]), (3, 4, [1, 2, 3])):
        assert oneshot.strongest([edges(least, most)], [[0.1, 0.4, 0.3, 0.2]]) == [want]
    ranked = [operation(3, "a"), edges(1, 1, 2)]
    ranked[0].options[2].absent = True
    ranked[1].options[0].under = [0]
    assert oneshot.strongest(ranked, [[0.1, 0.2, 0.7], [1, 0.5]])[1] == [1]  # 0.2 on the first edge, which is absent at most
    always = oneshot.Decision("sum", True, 2, 2, [RelaxedOption("x", -1), RelaxedOption("y", -1)], -1, 1)
    assert oneshot.strongest([always], [[0.0, 0.0]]) == [[0, 1]]


def test_genotype_refuses_what_is_no_architecture():
    space = testing.choices(1, 3)
    d = [operation(3, "c[0]")]
    assert oneshot.genotype(space, d, [[2]]) == [2]
    for c, why in (([], "0 decisions are taken of 1"), ([[3]], "no option 3 of 3"), ([[0, 1]], "2 options are taken of a choice of one")):
        with pytest.raises(ValueError, match=why):
            oneshot.genotype(space, d, c)
    subset = nasc.Decision(0, "edges", "subset", [nasc.Alternative(f"v{k}") for k in range(4)], 2, 2)
    assert oneshot.genotype(nasc.Space("s", [subset], [subset]), [edges(2, 2)], [[0, 3]]) == [0b1001]
    with pytest.raises(ValueError, match="1 edges are taken of 4, and an architecture has from 2 to 2"):
        oneshot.genotype(nasc.Space("s", [subset], [subset]), [edges(2, 2)], [[0]])
    sets = nasc.Decision(0, "edges", "one-of", [nasc.Alternative("{v0, v1}"), nasc.Alternative("{v1, v2}")], 1, 1)
    assert oneshot.genotype(nasc.Space("s", [sets], [sets]), [edges(2, 2)], [[2, 1]]) == [1]
    with pytest.raises(ValueError, match="no such set of edges as {v0, v3}"):
        oneshot.genotype(nasc.Space("s", [sets], [sets]), [edges(2, 2)], [[0, 3]])


def plugin(c=None):
    return nasc.Plugin("me/oneshot", "0.1.0", "", [(c or oneshot.standard()).optimizer("shot", "One-shot search.")])


@pytest.mark.parametrize("settings", [{}, {"relax": "gumbel", "weights_first": True}, {"relax": "concrete", "order": "single"},
                                      {"order": "second", "period": 2}])
def test_finds_what_is_planted(settings):
    right = [2, 0, 3, 1]
    stages = testing.shoot(plugin(), "shot", right, 4, 20, arch_lr=0.1, **settings)
    assert len(stages) == 20 and stages[-1].genotype == right
    assert stages[-1].values["entropy"] < stages[0].values["entropy"] and stages[-1].metrics["loss"] == 0.0


def test_warm_up_moves_nothing():
    stages = testing.shoot(plugin(), "shot", [1, 1], 3, 4, warmup=0.5, arch_lr=0.1)
    assert stages[0].mixture == stages[1].mixture != stages[2].mixture
    assert "valid_loss" not in stages[1].values and "valid_loss" in stages[2].values


class Square(oneshot.Relaxation):
    """of squares"""

    name = "square"
    offset = nasc.real(1.0, min=0.1, doc="to begin with")

    def init(self, d, rng):
        return [self.offset for _ in d.options]

    def draw(self, d, p, at, rng):
        total = sum(v * v for v in p)
        w = [v * v / total for v in p]
        return w, lambda grad: [2 * v / total * (g - sum(a * b for a, b in zip(w, grad))) for v, g in zip(p, grad)]

    def mean(self, d, p):
        return self.draw(d, p, None, None)[0]


class Sign(oneshot.Update):
    """by the sign of the gradient"""

    name = "sign"
    handles = oneshot.Kinds.OPERATIONS

    def step(self, p, grad):
        for x, g in zip(p, grad):
            for k, v in enumerate(g):
                x[k] -= math.copysign(0.01, v)


def own():
    c = oneshot.standard()
    c.relaxations.add(Square)
    c.updates.add(Sign)
    return c


def test_components_of_ones_own():
    p = plugin(own())
    p.check()
    stages = testing.shoot(p, "shot", [2, 0], 3, 5, relax="square", update="sign", offset=0.5)
    assert stages[-1].genotype == [2, 0]
    declared = {x.name: x for x in p.components[0].parameters()}
    assert list(declared)[:5] == ["relax", "partial", "order", "update", "select"]
    assert declared["relax"].choices == ["softmax", "gumbel", "concrete", "square"] and declared["relax"].default == "softmax"
    assert "square: of squares" in declared["relax"].doc and declared["offset"].min == 0.1
    description = nasc.messages.description(p)
    assert description.components[0].one_shot and description.components[0].doc == "One-shot search."


def test_kinds_that_a_component_cannot_handle_are_refused():
    o = testing.started(plugin(own()).components[0], testing.choices(1, 3), "loss", False, {"update": "sign"})
    with pytest.raises(nasc.RefusedDecision, match="`sign` cannot relax a choice of any number of edges") as e:
        o.begin(testing.Planted([edges(1, 2)], [0], 2))
    assert e.value.path == "decisions.edges"
    o = testing.started(plugin().components[0], testing.choices(1, 3), "loss", False, {"relax": "gumbel"})
    o.begin(testing.Planted([edges(1, 2, under=[0])], [0], 2))  # which has no parameters
    with pytest.raises(nasc.RefusedDecision, match="`gumbel` cannot relax a choice of any number of edges"):
        o.begin(testing.Planted([edges(1, 2)], [0], 2))


def test_mistakes_of_a_catalogue_are_told_when_it_is_served():
    class Unexplained(Square):
        """x"""
        name = "unexplained"
        hidden = nasc.real(1.0, doc="")

    class Other(Square):
        """x"""
        name = "other"
        offset = nasc.real(2.0, doc="something else")

    class Demanding(Square):
        """x"""
        name = "demanding"
        must = nasc.integer(doc="be given")

    for cls, why in ((Unexplained, "nothing explains"), (Other, "two components declare the parameter offset"),
                     (Demanding, "must of demanding has no default"), (Square, "two components have one name")):
        c = own()
        c.relaxations.add(cls)
        with pytest.raises(ValueError, match=why):
            plugin(c).check()
    with pytest.raises(ValueError, match="nothing is offered for relax"):
        plugin(oneshot.Catalogue()).check()


def test_divergence_and_other_states_are_errors():
    class Wild(Sign):
        """x"""
        name = "wild"

        def step(self, p, grad):
            p[0][1] = math.inf

    c = own()
    c.updates.add(Wild)
    with pytest.raises(ValueError, match=r"the search diverged: the arch parameter of `1` at c\[0\] is inf"):
        testing.shoot(plugin(c), "shot", [0], 2, 1, update="wild")
    o = testing.started(plugin().components[0], testing.choices(1, 3), "loss", False, {})
    o.begin(testing.Planted([operation(3, "c[0]")], [0], 2))
    state = o.save()
    o.begin(testing.Planted([operation(2, "c[0]")], [0], 2))
    with pytest.raises(ValueError, match="another supernet"):
        o.load(state)


def test_sums_do_not_depend_on_the_version_of_python():
    big = [1e16, 1.0, -1e16]
    assert oneshot.softmax([0.0, 0.0]) == [0.5, 0.5] and oneshot.softmax_back([1.0, 1.0, 1.0], big) == [1e16, 1.0, -1e16]


def test_relaxed_decisions_know_what_is_learned():
    def learned(d, edge_norm=False):
        return oneshot.Search(None, [], testing.Planted([d], [0], 1), oneshot.Softmax(), edge_norm, nasc.Stream).decisions[0].learned

    always = RelaxedDecision("sum", True, 2, 2, [RelaxedOption("x", -1)], -1, 1)
    assert learned(operation()) and learned(edges(1, 1)) and not learned(edges(1, 1, under=[0])) and not learned(always)
    assert learned(always, True) and learned(edges(1, 1, under=[0]), True)
