"""A tree of JPEG and PNG files, with a folder for each class.

Folders train, test and val (or valid, validation) hold the parts; without train the whole
tree is one pool of which fifths become validation and test part. In a part, or the pool,
every folder is a class. Needs Pillow. Archives and flat folders, which nasc's evaluator
`train` reads too, must be unpacked first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np

from nasc_plugin import Refused

from .dataset import Options, Set, Split, divide_files, order_of

_PARTS = {"train": "train", "training": "train", "val": "valid", "valid": "valid", "validation": "valid", "test": "test"}
_SUFFIXES = {".jpg", ".jpeg", ".png"}

Files = List[Tuple[Path, str]]  # with their classes


def load(o: Options) -> Set:
    """Classes are in the order of their names, of their numbers if all are numbers, and images
    in the order of their paths."""
    if not o.path:
        raise Refused("data", "must name the folder of the images")
    root = Path(o.path)
    parts = _parts(root)
    names = {c for _, c in parts["train"]}
    if not 2 <= len(names) <= 256:
        raise Refused("data", f"folder {root} has images of {len(names)} classes; 2 to 256 can be told apart")
    classes = sorted(names, key=int) if all(n.isdigit() for n in names) else sorted(names)
    number = {c: i for i, c in enumerate(classes)}
    for part in ("valid", "test"):
        for path, c in parts[part]:
            if c not in number:
                raise Refused("data", f"image {path} is of the class {c}, of which there is no training image")
    decoded = {path: _decode(path) for files in parts.values() for path, _ in files}
    first = next(iter(decoded))
    channels = max(x.shape[0] for x in decoded.values())
    for path, x in decoded.items():
        if x.shape[1:] != decoded[first].shape[1:]:
            raise Refused("data", f"image {path} has {x.shape[2]}x{x.shape[1]} pixels (width, height), but {first} has "
                                  f"{decoded[first].shape[2]}x{decoded[first].shape[1]}; images must be of one size")

    def split(files: Files) -> Split:
        pixels = np.stack([np.broadcast_to(decoded[p], (channels, *decoded[p].shape[1:])) for p, _ in files])
        return Split(pixels, np.array([number[c] for _, c in files], np.uint8))

    if len(parts["train"]) < 5:
        raise Refused("data", f"folder {root} has only {len(parts['train'])} training images")
    facts = {"dataset.files": ", ".join(f"{name} {len(parts[p])}" for name, p in (("train", "train"), ("val", "valid"), ("test", "test"))
                                        if parts[p]), "dataset.classes": " ".join(classes)}
    return _apportion(len(classes), {p: split(f) for p, f in parts.items() if f}, facts)


def _parts(root: Path) -> Dict[str, Files]:
    """The images of the parts with their classes."""
    if not root.is_dir():
        raise Refused("data", f"folder {root} cannot be read")
    paths = sorted((p for p in root.rglob("*") if p.suffix.lower() in _SUFFIXES
                    and not any(x.startswith(".") or x == "__MACOSX" for x in p.relative_to(root).parts)),
                   key=lambda p: p.relative_to(root).as_posix().encode())
    if not paths:
        raise Refused("data", f"folder {root} holds no JPEG or PNG file")
    inside = [(p, p.relative_to(root).parts) for p in paths]
    divided = any(len(parts) > 1 and _PARTS.get(parts[0]) == "train" for _, parts in inside)
    out: Dict[str, Files] = {"train": [], "valid": [], "test": []}
    for path, parts in inside:
        part = "train"
        if divided:
            if parts[0] not in _PARTS:
                raise Refused("data", f"image {path} is beside the folder of the training images, in none of train, val and test")
            part, parts = _PARTS[parts[0]], parts[1:]
        if len(parts) < 2:
            raise Refused("data", f"image {path} is in no folder of a class")
        out[part].append((path, parts[0]))
    return out


def _decode(path: Path) -> np.ndarray:
    """The planes (C,H,W) of an image: one if it is grey, else red, green and blue."""
    try:
        from PIL import Image
    except ImportError as e:
        raise Refused("dataset", "is images, which needs Pillow: pip install pillow") from e
    try:
        with Image.open(path) as m:
            grey = m.mode in ("1", "L", "I;16", "I")
            x = np.asarray(m.convert("L" if grey else "RGB"))
    except (OSError, ValueError) as e:
        raise Refused("data", f"image {path} cannot be read: {e}") from e
    return x[None] if x.ndim == 2 else x.transpose(2, 0, 1)


def _apportion(classes: int, parts: Dict[str, Split], facts: Dict[str, str]) -> Set:
    train, test = parts["train"], parts.get("test")
    if "valid" not in parts:
        return divide_files("images", classes, train, test, facts)
    if test is not None:
        facts["dataset.split"] = "all parts: folders of their own"
        return Set("images", classes, train, parts["valid"], test, facts)
    facts["dataset.split"] = "validation: a folder of its own; test: a fifth of the training files, there being no test files"
    order, n = order_of(len(train)), len(train) - len(train) // 5
    return Set("images", classes, train.take(order[:n]), parts["valid"], train.take(order[n:]), facts)
