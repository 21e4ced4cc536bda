"""MNIST: handwritten digits (LeCun, Cortes and Burges 1998)."""

from __future__ import annotations

from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared.idx import IdxSet, Part, idx_windows
from musicae.ranges import Seed, Share

__all__ = ["mnist"]

_MNIST = IdxSet(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train-images": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        "train-labels": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        "t10k-images": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        "t10k-labels": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    },
)


def mnist(
    adapter: Adapter,
    split: str,
    folder: Path | None,
    *,
    seed: Seed = 0,
    validation: Share = 0.05,
    classes: tuple[str, ...] = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
) -> Windows:
    """Return one split of MNIST, handwritten digits; labels are the digits, `pieces` the indices in the files.

    The test split is the set's own; a seeded hash of the index picks the share `validation` of the 60,000 others.
    `classes` are the names of the labels. Without a `folder` the files (12 MB) are downloaded into the user's data
    folder, unless they are there already.
    """
    return idx_windows(_MNIST, adapter, Part(split, folder, seed, validation), classes)
