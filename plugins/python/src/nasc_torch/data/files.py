"""The files of MNIST and its relatives (idx), and the binary version of CIFAR-10."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import List, Optional, Tuple

import numpy as np

from nasc_plugin import Refused

from .dataset import Options, Set, Split, divide_files

_IMAGES, _LABELS = "-images-idx3-ubyte", "-labels-idx1-ubyte"
_RECORD = 1 + 3 * 32 * 32  # label, red, green and blue plane


def read(path: Path) -> Optional[Tuple[bytes, Path]]:
    """The contents of path or path.gz, unpacked, and which of the two it was; None if neither
    is there."""
    packed = path.with_name(path.name + ".gz")
    try:
        if path.exists():
            return path.read_bytes(), path
        if not packed.exists():
            return None
        with gzip.open(packed) as f:
            return f.read(), packed
    except (EOFError, zlib.error, gzip.BadGzipFile) as e:
        raise Refused("data", f"file {packed} is damaged or cut off: {e}") from e
    except OSError as e:
        raise Refused("data", f"file {path} cannot be read: {e.strerror or e}") from e


def idx(o: Options) -> Set:
    """Grey images. The path is a folder with train-images-idx3-ubyte and so on, packed with
    gzip or not; or the beginning of two such names. t10k files are the test part."""
    if not o.path:
        raise Refused("data", "must name the folder of the idx files")
    prefix = Path(o.path)
    if prefix.is_dir():
        prefix = _training_files(prefix)
    train = _pair(prefix)
    if train is None:
        raise Refused("data", f"file {prefix}{_IMAGES} (or .gz) is missing")
    facts = {"dataset.files": prefix.name}
    tests = prefix.with_name("t10k")
    test = _pair(tests) if tests != prefix else None
    classes = int(train.labels.max()) + 1
    if test is not None:
        facts["dataset.files"] += ", t10k"
        if test.pixels.shape[1:] != train.pixels.shape[1:]:
            raise Refused("data", f"files {tests} have images of another size than the training files")
        if test.labels.max() >= classes:
            raise Refused("data", f"folder {prefix.parent} has labels in the test files that the training files lack")
    return divide_files("idx", classes, train, test, facts)


def _training_files(folder: Path) -> Path:
    """The beginning of the names of the training files: train if there is such a pair, else
    the only pair but t10k."""
    found = sorted({e.name.split(_IMAGES)[0] for e in folder.iterdir()
                    if e.name.endswith((_IMAGES, _IMAGES + ".gz"))} - {"t10k"})
    if "train" in found or not found:
        return folder / "train"
    if len(found) > 1:
        raise Refused("data", f"folder {folder} has several sets: {', '.join(found)}; name one, as in {folder / found[0]}")
    return folder / found[0]


def _pair(prefix: Path) -> Optional[Split]:
    images = _read_idx(prefix.with_name(prefix.name + _IMAGES), 3)
    if images is None:
        return None
    labels = _read_idx(prefix.with_name(prefix.name + _LABELS), 1)
    if labels is None:
        raise Refused("data", f"file {prefix}{_LABELS} (or .gz) is missing")
    if len(images) != len(labels):
        raise Refused("data", f"files {prefix} have {len(images)} images, but {len(labels)} labels")
    if len(images) < 5:
        raise Refused("data", f"file {prefix}{_IMAGES} has only {len(images)} images")
    return Split(images[:, None], labels)


def _read_idx(path: Path, dims: int) -> Optional[np.ndarray]:
    """Two zero bytes, the element type (8: bytes), the number of dimensions, each dimension as
    a big-endian uint32, the elements."""
    there = read(path)
    if there is None:
        return None
    raw, name = there
    header = 4 + 4 * dims
    if len(raw) < header or raw[:4] != bytes([0, 0, 8, dims]):
        raise Refused("data", f"file {name} is not an idx file of bytes in {dims} dimensions")
    shape = struct.unpack(f">{dims}I", raw[4:header])
    size = int(np.prod(shape, dtype=np.float64))
    if len(raw) - header != size or not size:
        raise Refused("data", f"file {name} should have {header + size} bytes for dimensions {list(shape)}, but has {len(raw)}")
    return np.frombuffer(raw, np.uint8, offset=header).reshape(shape)


def cifar10(o: Options) -> Set:
    """The binary version of CIFAR-10 in a folder: all files data_batch_*.bin for training and
    validation, test_batch.bin for the test when it is there, packed with gzip or not."""
    if not o.path:
        raise Refused("data", "must name the folder of data_batch_1.bin and so on")
    folder = Path(o.path)
    if not folder.is_dir():
        raise Refused("data", f"folder {folder} cannot be read")
    names = sorted({e.name[:-3] if e.name.endswith(".gz") else e.name for e in folder.iterdir()
                    if e.name.startswith("data_batch_") and e.name.endswith((".bin", ".bin.gz"))})
    if not names:
        raise Refused("data", f"folder {folder} has no file data_batch_*.bin (or .bin.gz)")
    parts: List[Split] = []
    for name in names:
        part = _read_cifar(folder / name)
        assert part is not None
        parts.append(part)
    train = Split(np.concatenate([p.pixels for p in parts]), np.concatenate([p.labels for p in parts]))
    facts = {"dataset.files": ", ".join(names)}
    test = _read_cifar(folder / "test_batch.bin")
    if test is not None:
        facts["dataset.files"] += ", test_batch.bin"
    if len(train) < 5:
        raise Refused("data", f"folder {folder} has only {len(train)} training images")
    return divide_files("cifar10", 10, train, test, facts)


def _read_cifar(path: Path) -> Optional[Split]:
    there = read(path)
    if there is None:
        return None
    raw, name = there
    if not raw or len(raw) % _RECORD:
        raise Refused("data", f"file {name} has {len(raw)} bytes: {len(raw) // _RECORD} images of {_RECORD} bytes "
                              f"and {len(raw) % _RECORD} bytes more")
    rows = np.frombuffer(raw, np.uint8).reshape(-1, _RECORD)
    if rows[:, 0].max() > 9:
        raise Refused("data", f"file {name} has the label {rows[:, 0].max()}")
    return Split(rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0])
