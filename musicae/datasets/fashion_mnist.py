"""Fashion-MNIST: pictures of clothes (Xiao, Rasul and Vollgraf 2017, MIT licence)."""

from __future__ import annotations

from pathlib import Path

from musicae.core import Adapter, Windows
from musicae.datasets.shared.idx import IdxSet, Part, idx_windows
from musicae.ranges import Seed, Share

__all__ = ["fashion_mnist"]

_FASHION_MNIST = IdxSet(
    "fashion-mnist",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    {
        "train-images": (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        "train-labels": (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        "t10k-images": (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        "t10k-labels": (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    },
)


def fashion_mnist(
    adapter: Adapter,
    split: str,
    folder: Path | None,
    *,
    seed: Seed = 0,
    validation: Share = 0.05,
    classes: tuple[str, ...] = (
        "t-shirt",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
) -> Windows:
    """Return one split of Fashion-MNIST, pictures of clothes (a 31 MB download); see `musicae.datasets.mnist.mnist`."""
    return idx_windows(_FASHION_MNIST, adapter, Part(split, folder, seed, validation), classes)
