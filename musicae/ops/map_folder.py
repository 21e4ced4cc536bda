"""The files of a folder as places in a plane: near together where their codes are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from musicae.codec import Codec
from musicae.errors import MusicaeError, did_you_mean
from musicae.ops.choose import codec_for, preset_for_several
from musicae.ops.folder_codes import Report, folder_codes

__all__ = ["METHODS", "FolderMap", "map_folder"]

_LEAST = 3  # Files that make a map.
_COMPONENTS = 50  # That t-SNE starts from.
_PERPLEXITY = 30.0  # Of t-SNE, with few files less.


@dataclass(frozen=True)
class FolderMap:
    """Where files lie: `points` ``(files, 2)`` in the order of `paths`.

    `names` are the paths from the folder on. `axes` says what the axes are, `skipped` names the files that cannot be
    read, with what is wrong.
    """

    codec: Codec
    paths: list[Path]
    names: list[str]
    points: Tensor
    axes: tuple[str, str]
    skipped: dict[str, str] = field(default_factory=dict)


def map_folder(
    folder: Path | str,
    *,
    method: str = "pca",
    preset: Codec | str | None = None,
    index: Path | None = None,
    only: str | None = None,
    seed: int = 0,
    report: Report | None = None,
) -> FolderMap:
    """Return a place in the plane for each file below `folder` that can be read, by the mean of its codes.

    `method` is ``"pca"``, the two principal components, or ``"tsne"``, which keeps neighbours together (van der Maaten
    and Hinton 2008) and depends on `seed`. Without a `preset` the first file that one fits decides; `only` is as for
    `similar`, and so is `index`. Raise MusicaeError for another method, and for fewer than three files.
    """
    if method not in METHODS:
        raise MusicaeError(f"no method named '{method}'{did_you_mean(method, METHODS)}; there is {', '.join(METHODS)}")
    folder = Path(folder)
    if not folder.is_dir():
        raise MusicaeError(f"there is no folder {folder}; check the name")
    codec = codec_for(preset_for_several([folder], only) if preset is None else preset)
    found = folder_codes(folder, codec, index, report)
    if len(found.paths) < _LEAST:
        raise MusicaeError(f"{folder} has {len(found.paths)} files that can be read; a map takes {_LEAST} or more")
    means = torch.stack([part.mean(0) for part in torch.split(found.mean, found.counts)])
    points, axes = METHODS[method](means, seed)
    names = [path.relative_to(folder).as_posix() for path in found.paths]
    return FolderMap(codec, found.paths, names, points, axes, found.skipped)


def _pca(x: Tensor, seed: int) -> tuple[Tensor, tuple[str, str]]:
    """Return the first two principal components of ``(N, D)``, each positive where it is largest."""
    places, values = _components(x, 2)
    shares = values.square() / (x - x.mean(0)).square().sum().clamp_min(1e-12)
    signs = places.gather(0, places.abs().argmax(0, keepdim=True)).sign()
    first, second = (f"principal component {i}: {share:.0%} of the variance" for i, share in enumerate(shares, 1))
    return places * signs, (first, second)


def _components(x: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the principal components of ``(N, D)``, ``(N, count)`` (zeros where there are fewer), and their norms."""
    left, values, _ = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    places = torch.zeros(len(x), count)
    places[:, : len(values)] = (left * values)[:, :count]
    return places, torch.nn.functional.pad(values, (0, count))[:count]


def _tsne(x: Tensor, seed: int) -> tuple[Tensor, tuple[str, str]]:
    from sklearn.manifold import TSNE

    start = _components(x, min(_COMPONENTS, *x.shape))[0].numpy()
    perplexity = min(_PERPLEXITY, (len(x) - 1) / 3)
    found = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(start)
    return torch.from_numpy(found).float(), ("", "")


METHODS: Mapping[str, Callable[[Tensor, int], tuple[Tensor, tuple[str, str]]]] = {"pca": _pca, "tsne": _tsne}
"""Ways to lay codes ``(N, D)`` out in a plane, by name: each gives the places ``(N, 2)``, and names of the axes."""
