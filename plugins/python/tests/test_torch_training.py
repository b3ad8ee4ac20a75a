"""Data sets, and the training of one architecture."""

import struct

import pytest

torch = pytest.importorskip("torch", reason="there is no PyTorch")

import numpy as np  # noqa: E402
from torch_networks import classifier, settings  # noqa: E402

from nasc_plugin import Cancelled, Candidate, Refused  # noqa: E402
from nasc_torch.data import Lessons, Options, Source, View, load  # noqa: E402
from nasc_torch.data.dataset import order_of  # noqa: E402
from nasc_torch.trainer import Trainer  # noqa: E402
from nasc_torch.training import Diverged, Job, Training  # noqa: E402

ORDER = [8, 0, 5, 3, 2, 11, 10, 4, 7, 9, 1, 6]  # rand.New(rand.NewPCG(12, 0x6e617363)).Perm(12)
SMALL = dict(size=8, train=256, valid=64, test=32, epochs=2)


def write_idx(folder, n=50, prefix="train"):
    pixels = np.arange(n * 4 * 3, dtype=np.int64).reshape(n, 4, 3).astype(np.uint8)
    (folder / f"{prefix}-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + struct.pack(">3I", n, 4, 3) + pixels.tobytes())
    (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1]) + struct.pack(">I", n) + bytes(i % 5 for i in range(n)))
    return pixels


def test_files_are_divided_as_in_go():
    assert order_of(12) == ORDER


def test_idx(tmp_path):
    pixels = write_idx(tmp_path)
    s = load(Options("idx", str(tmp_path)))
    assert (len(s.train), len(s.valid), len(s.test), s.classes, s.shape) == (30, 10, 10, 5, (1, 4, 3))
    assert np.array_equal(s.train.pixels[0, 0], pixels[order_of(50)[0]])
    assert len(load(Options("idx", str(tmp_path), valid=25)).train) == 15  # lent
    write_idx(tmp_path, 20, "t10k")
    assert len(load(Options("idx", str(tmp_path))).test) == 20


def test_cifar10(tmp_path):
    rows = np.zeros((20, 3073), np.uint8)
    rows[:, 0] = np.arange(20) % 10
    rows[:, 1] = np.arange(20)
    (tmp_path / "data_batch_1.bin").write_bytes(rows.tobytes())
    s = load(Options("cifar10", str(tmp_path)))
    assert s.shape == (3, 32, 32) and s.train.pixels[0, 0, 0, 0] == order_of(20)[0]


def test_images(tmp_path):
    Image = pytest.importorskip("PIL.Image", reason="there is no Pillow")
    for part, n in (("train", 6), ("val", 2), ("test", 2)):
        for c in ("cat", "dog"):
            (tmp_path / part / c).mkdir(parents=True)
            for i in range(n):
                Image.fromarray(np.full((4, 5, 3), i + 10 * (c == "dog"), np.uint8)).save(tmp_path / part / c / f"{i}.png")
    s = load(Options("images", str(tmp_path)))
    assert (len(s.train), len(s.valid), len(s.test), s.shape, s.classes) == (12, 4, 4, (3, 4, 5), 2)
    assert list(s.train.pixels[:, 0, 0, 0]) == [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize("options, why", [
    (dict(name="glyphs", classes=1), "classes is 1"),
    (dict(name="glyphs", path="x"), "data is 'x'"),
    (dict(name="idx"), "data must name"),
    (dict(name="idx", path="/nowhere"), "is missing"),
    (dict(name="cifar10", path="/nowhere"), "cannot be read"),
    (dict(name="images", path="/nowhere"), "cannot be read"),
])
def test_what_is_wrong_is_refused(options, why):
    with pytest.raises(Refused, match=why):
        load(Options(**options))


def test_glyphs():
    a, b = load(Options("glyphs", train=30, valid=10, test=10)), load(Options("glyphs", train=10, valid=10, test=10))
    assert np.array_equal(a.train.pixels[:10], b.train.pixels) and list(a.train.labels[:11]) == [*range(10), 0]
    assert a.train.hash() != a.valid.hash()


def test_views():
    s = load(Options("glyphs", size=8, train=40, valid=10, test=10))
    source = Source(s, torch.device("cpu"))
    plain, labels = source.plain(s.train, 0, 4)
    moved, same = source.augmented(s.train, [0, 1, 2, 3], np.array([[1, 0, 0, 0, 0], [0, 2, -1, 0, 0], [0, 0, 0, 3, 3], [0, 0, 0, 0, 0]]), 2)
    assert torch.equal(labels, same)
    assert torch.equal(moved[0, :, 2:, 2:], plain[0].flip(2)[:, 2:, 2:]) and not moved[0, :, :2, :2].any()
    assert torch.equal(moved[1, :, 2:, :-1], plain[1, :, :-2, 1:]) and not moved[1, :, :2].any()
    assert not moved[2, :, 3:5, 3:5].any() and torch.equal(moved[2, :, 5:], plain[2, :, 5:])
    lessons = Lessons(source, s.train, View(flip=True, shift=1, mixup=1.0, smoothing=0.1), 3, 8)
    x, y = lessons.batch(6)
    assert torch.equal(x, Lessons(source, s.train, View(flip=True, shift=1, mixup=1.0, smoothing=0.1), 3, 8).batch(6)[0])
    assert torch.allclose(y.sum(1), torch.ones(8))


def trainer(tmp_path="", **values):
    return Trainer(settings(**{**SMALL, **values}), 1, str(tmp_path))


def test_it_learns_and_tests():
    t, said = trainer(epochs=15, lr=0.2), []
    r = t.evaluate(Candidate(0, classifier(), 1, 0), lambda f, text="", **v: said.append(v))
    losses = [v["train_loss"] for v in said if v]
    assert len(losses) == 15 and losses[-1] < losses[0] - 0.1 and r.epochs == 15 and 0 < r.metrics["loss"] < 3
    assert set(t.test(Candidate(0, classifier(), 1, 2), lambda *a, **v: None)) == {"accuracy", "loss"}


@pytest.mark.parametrize("more", [
    dict(), dict(optimizer="adam", lr=0.001, auxiliary=0.4), dict(optimizer="rmsprop", lr=0.001, mixup=0.5, smoothing=0.1),
    dict(optimizer="adamw", lr=0.001, flip=True, shift=1, cutout=2, recalibrate=2, warmup=0.5, schedule="step"),
])
def test_interrupted_it_goes_on_with_the_same_bits(tmp_path, more):
    t = trainer(**more)
    whole = Training(Job(classifier(), 1, 2), t.settings, t.source)
    want = whole.run(lambda e: None, lambda f, s: None)
    file = str(tmp_path / "t.checkpoint")
    first = Training(Job(classifier(), 1, 2, file), t.settings, t.source)
    for _ in range(5):
        first.step()
    first.save(file)
    again = Training(Job(classifier(), 1, 2, file), t.settings, t.source)
    again.load(file)
    assert again.at == 5 and again.run(lambda e: None, lambda f, s: None) == want
    other = Training(Job(classifier(), 2, 2, file), t.settings, t.source)
    with pytest.raises(ValueError, match="another training"):
        other.load(file)


def test_damaged_file_is_a_warning(tmp_path, caplog):
    (tmp_path / "trial-0.checkpoint").write_bytes(b"rubbish")
    t = trainer(tmp_path, epochs=1)
    t.evaluate(Candidate(0, classifier(), 1, 0), lambda *a, **v: None)
    assert "begins anew" in caplog.text and not list(tmp_path.iterdir())


def test_divergence_fails_and_cancel_ends():
    with pytest.raises(Diverged, match="diverged: the .* in step"):
        trainer(lr=1e12, clip=0).evaluate(Candidate(0, classifier(), 1, 0), lambda *a, **v: None)

    def cancel(*a, **v):
        raise Cancelled()

    with pytest.raises(Cancelled):
        trainer().evaluate(Candidate(0, classifier(), 1, 0), cancel)


def test_ends_must_fit_and_memory_is_bounded():
    for graph, values, why in ((classifier(9), {}, r"takes images of shape \[1, 9, 9\], but those of glyphs have \[1, 8, 8\]"),
                               (classifier(), {"classes": 12}, "needs one number for each of its 12 classes"),
                               (classifier(), {"memory": 0.01}, "the setting memory allows")):
        with pytest.raises(ValueError, match=why):
            trainer(**values).evaluate(Candidate(0, graph, 1, 0), lambda *a, **v: None)


@pytest.mark.parametrize("values, why", [(dict(shift=8), "shift is 8"), (dict(momentum=1.0), "momentum is 1"),
                                         (dict(device="cuda"), "device is cuda"), (dict(compile=True), "compile needs PyTorch 2.0")])
def test_settings_that_cannot_be(values, why):
    if why.startswith("device") and torch.cuda.is_available() or why.startswith("compile") and hasattr(torch, "compile"):
        pytest.skip("this machine can")
    with pytest.raises(Refused, match=why):
        trainer(**values)


def test_mixed_precision():
    plain, mixed = course(amp=False), course(amp=True)
    assert mixed != plain and mixed == [pytest.approx(v, rel=0.01) for v in plain]  # bfloat16 has three digits
    assert plain == course(amp=False)


def course(**values):
    """The losses of some steps, and of the validation part after them."""
    t = trainer(**values)
    training = Training(Job(classifier(), 1, 2), t.settings, t.source)
    return [training.step() for _ in range(4)] + [training.measure(t.source.set.valid, lambda: None).loss]


@pytest.mark.skipif(not hasattr(torch, "compile"), reason=f"PyTorch {torch.__version__} has no torch.compile")
@pytest.mark.parametrize("amp, near", [(False, 1e-5), (True, 0.01)], ids=["single", "mixed"])
def test_compiled_it_trains_the_same_and_goes_on_with_the_same_bits(tmp_path, amp, near):
    assert course(compile=True, amp=amp) == [pytest.approx(v, rel=near) for v in course(amp=amp)]
    t = trainer(compile=True, amp=amp)
    whole = Training(Job(classifier(), 1, 2), t.settings, t.source)
    want = whole.run(lambda e: None, lambda f, s: None)
    first = Training(Job(classifier(), 1, 2), t.settings, t.source)
    for _ in range(3):
        first.step()
    first.save(str(tmp_path / "t"))
    again = Training(Job(classifier(), 1, 2), t.settings, t.source)
    again.load(str(tmp_path / "t"))
    assert again.run(lambda e: None, lambda f, s: None) == want
