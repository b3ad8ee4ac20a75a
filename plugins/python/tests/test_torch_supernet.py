"""Supernets in PyTorch; go test compares their losses and gradients with the engine's."""

import pytest

torch = pytest.importorskip("torch", reason="there is no PyTorch")

from torch_networks import relaxed, settings  # noqa: E402

from nasc_plugin import OpenSupernet  # noqa: E402
from nasc_plugin.supernet import ArchGradient, Batch, Score, WeightStep  # noqa: E402
from nasc_torch.supernet import Mix, Supernet  # noqa: E402
from nasc_torch.trainer import Trainer  # noqa: E402
from nasc_torch.weighing import Rule, Weighing  # noqa: E402
from nasc_torch.widening import carry, widened  # noqa: E402

SOFT = [[0.2, 0.3, 0.5], [0.1, 0.4, 0.5]]
SKIPS = [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]


def examples(seed=1):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(8, 1, 8, 8, generator=g), torch.arange(8)


def work(**o):
    return Weighing(Supernet(relaxed(), 1), Rule(**o), 1)


def test_zero_weights_take_out():
    w = work()
    before = {k: v.clone() for k, v in w.net.weights().items()}
    w.move(examples(), SKIPS, 0.1)
    for k, v in w.net.weights().items():
        assert torch.equal(v, before[k]) == k.startswith("cell/"), k
    assert {s.op for s, _, _ in w.net._program.steps if hasattr(s, "op")} == {0, 3, 4}
    assert w.gradient(examples(), SKIPS)[1] == [[0, pytest.approx(g1), 0] for _, g1, _ in w.gradient(examples(), SKIPS)[1]]


def test_everything_absent_is_zeros():
    net = Supernet(relaxed(), 1)
    out = net(examples()[0], Mix([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    assert torch.allclose(out, net.ops[4].bias.expand(8, 10))


def test_gradient_by_differences():
    w = work()
    _, grad = w.gradient(examples(), SOFT)
    for d, row in enumerate(SOFT):
        for o in range(3):
            sides = []
            for h in (1e-2, -1e-2):
                m = [list(r) for r in SOFT]
                m[d][o] += h
                sides.append(w.gradient(examples(), m)[0])
            assert grad[d][o] == pytest.approx((sides[0] - sides[1]) / 2e-2, abs=2e-3)


def test_unrolled_leaves_no_trace():
    w = work()
    w.move(examples(), SOFT, 0.05)
    before = {k: v.clone() for k, v in w.net.state_dict().items()}
    loss, grad = w.unrolled(examples(), examples(2), SOFT, 0.0, 0.01)
    assert all(torch.equal(v, before[k]) for k, v in w.net.state_dict().items())
    assert (loss, grad) == w.gradient(examples(2), SOFT)  # without a rate it is of first order
    assert w.unrolled(examples(), examples(2), SOFT, 0.1, 0.01)[1] != grad
    with pytest.raises(ValueError, match="radius"):
        w.unrolled(examples(), examples(2), SOFT, 0.1, 0.0)


def opened(**values):
    t = Trainer(settings(size=8, train=64, valid=48, test=16, supernet_batch=16, **values), 1, "")
    return t.open_supernet(OpenSupernet(relaxed(), 2, 5))


def go_on(n):
    return [n.weight_step(SOFT, WeightStep()), n.arch_gradient(SOFT, ArchGradient()),
            n.arch_gradient(SOFT, ArchGradient(unrolled=True, radius=0.01)), n.score([SOFT, SKIPS], Score(recalibrate=2))]


def test_saved_it_goes_on_with_the_same_bits(tmp_path):
    n = opened(flip=True)
    assert (n.size().steps, n.size().valid) == (4, 3)
    go_on(n)
    n.save(str(tmp_path / "s"))
    want = go_on(n)
    other = opened(flip=True)
    other.load(str(tmp_path / "s"))
    assert go_on(other) == want
    with pytest.raises(ValueError, match="another search"):
        opened(flip=False).load(str(tmp_path / "s"))


def test_batches():
    n = opened()
    with pytest.raises(ValueError, match="there was none yet"):
        n.arch_gradient(SOFT, ArchGradient(Batch.SAME_VALID))
    first = n.arch_gradient(SOFT, ArchGradient(Batch.NEXT_VALID))
    assert n.arch_gradient(SOFT, ArchGradient(Batch.SAME_VALID)) == first
    assert n.arch_gradient(SOFT, ArchGradient(Batch.NEXT_VALID)) != first
    assert n.arch_gradient(SOFT, ArchGradient(Batch.NEXT_TRAIN))[0] == pytest.approx(n.weight_step(SOFT, WeightStep(rate=0.0)))
    with pytest.raises(ValueError, match="learning rate -1"):
        n.weight_step(SOFT, WeightStep(rate=-1.0))
    with pytest.raises(ValueError, match="of the validation part"):
        n.arch_gradient(SOFT, ArchGradient(Batch.NEXT_TRAIN, unrolled=True))


def test_score_changes_nothing():
    n = opened()
    n.weight_step(SOFT, WeightStep())
    before = {k: v.clone() for k, v in n.work.net.state_dict().items()}
    both = n.score([SOFT, SKIPS], Score(batches=2))
    assert both[1] == n.score([SKIPS], Score(batches=2))[0]
    n.score([SOFT], Score(recalibrate=1))
    assert all(torch.equal(v, before[k]) for k, v in n.work.net.state_dict().items())


def test_net2net():
    w = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    got = widened(w, torch.Size([3, 3]))
    assert got.tolist() == [[0.5, 2.0, 0.5], [1.5, 4.0, 1.5], [0.5, 2.0, 0.5]]
    narrow, wide = work(), Weighing(Supernet(relaxed(width=8), 2), Rule(), 1)
    narrow.move(examples(), SOFT, 0.1)
    carry(narrow, wide)
    a, b = narrow.net.weights(), wide.net.weights()
    assert torch.equal(b["stem/conv.weight"][4:], a["stem/conv.weight"]) and wide.steps == 1
    assert torch.equal(b["fc/bias"], a["fc/bias"])
    with wide.scoring(False), narrow.scoring(False):  # channels repeated read halves of each weight
        assert wide.score(examples(), SOFT)[0] == pytest.approx(narrow.score(examples(), SOFT)[0], abs=1e-4)


def test_relax_keeps_the_weights():
    n = opened()
    n.weight_step(SOFT, WeightStep())
    want = n.score([SOFT], Score())
    n.relax(relaxed())
    assert n.score([SOFT], Score()) == want
    other = relaxed()
    other.name = "other"
    with pytest.raises(ValueError, match="another space"):
        n.relax(other)


def test_mixed_precision_of_supernets():
    def losses(amp):
        w = Weighing(Supernet(relaxed(), 1), Rule(), 1, amp=amp)
        loss, grad = w.gradient(examples(), SOFT)
        return [loss, w.move(examples(), SOFT, 0.1), w.move(examples(), SOFT, 0.1), w.score(examples(), SOFT)[0], *sum(grad, [])]

    plain, mixed = losses(False), losses(True)
    assert mixed != plain and mixed == [pytest.approx(v, rel=0.02, abs=0.02) for v in plain]  # bfloat16 has three digits
