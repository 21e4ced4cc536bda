"""Photos: the standard benchmarks of denoising (BSD68) and super-resolution (Set5), by their published protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from musicae import registry
from musicae.codec import Codec
from musicae.core import Corruption
from musicae.datasets.shared import cache
from musicae.errors import MusicaeError
from musicae.evaluations.shared import floors
from musicae.evaluations.shared.common import Figures, limited, mean, rivals
from musicae.evaluations.shared.images import psnr
from musicae.ranges import PartName, Seed, Weight
from musicae.tensors.luma import luma
from musicae.tensors.random import generator

__all__ = ["photos"]


def photos(
    codec: Codec,
    folders: Mapping[str, Path],
    limit: int | None,
    *,
    source: PartName = "photos-test",
    sigmas: tuple[Weight, ...] = (15.0, 25.0, 50.0),
    seed: Seed = 0,
) -> Figures:
    """Measure a model that restores photos on the test pictures in the folder of `source`, ``BSD68`` and ``Set5``.

    For a denoiser: `psnr_bsd68_sigma<s>`, of grey pictures with Gaussian noise of `sigmas` 255ths, neither clipped nor
    rounded (as in Zhang et al. 2017, DnCNN); a colour preset sees them as three equal channels, and also has
    ``psnr_set5_color_sigma<s>``. Rivals are the noisy picture itself, and non-local means. For an enlarger:
    `psnr_set5_x<factor>_y`, of the luma of pictures reduced by MATLAB's bicubic and rounded to bytes, without a border
    of `factor` pixels (as in Dong et al. 2014, SRCNN); rivals are bicubic enlargement, and back-projection after it.
    `limit` is the number of pictures. Raise MusicaeError if the pictures are not found.
    """
    root = folders.get(source) or folders.get("") or cache.data_folder() / source
    corruption = codec.corruption()
    figures: Figures = {}
    if corruption is not None and corruption.factor > 1:
        _enlarging(figures, codec, corruption, _pictures(root, "Set5", 3, limit, source))
        return figures
    test = {"bsd68": _pictures(root, "BSD68", 1, limit, source)}
    if codec.spec.channels == 3:
        test["set5_color"] = _pictures(root, "Set5", 3, limit, source)
    for name, pictures in test.items():
        for sigma in sigmas:
            _denoising(figures, codec, f"{name}_sigma{sigma:g}", pictures, sigma, seed)
    return figures


def _pictures(root: Path, name: str, channels: int, limit: int | None, source: str) -> list[Tensor]:
    """Return the pictures in the folder `name` under `root`, each ``(channels, H, W)``; `limit` of them at random."""
    adapter = registry.build("adapters", "image", channels=channels)
    paths = sorted((root / name).iterdir()) if (root / name).is_dir() else []
    files = [path for path in paths if path.suffix.lower() in adapter.suffixes and not path.name.startswith(".")]
    if not files:
        raise MusicaeError(
            f"no pictures in {root / name}; name the folder that holds BSD68 and Set5 with --data {source}=DIR"
        )
    return [adapter.read(path, fit="whole").tensor for path in limited(files, limit, 0)]


def _denoising(figures: Figures, codec: Codec, name: str, test: Sequence[Tensor], sigma: float, seed: int) -> None:
    reached: dict[str, list[Tensor]] = {"": [], "input": [], "nlm": []}
    for i, clean in enumerate(test):
        noise = torch.randn(clean.shape, generator=generator(seed, 51, i)) * (sigma / 255)
        noisy = clean + noise
        restored = {"": _restore(codec, noisy), "input": noisy}
        simple = floors.nlm(noisy[None], torch.tensor([sigma / 255]))
        if simple is not None:
            restored["nlm"] = simple[0]
        for rival, out in restored.items():
            reached[rival].append(psnr(clean[None], out[None].clamp(0, 1)))
    _report(figures, f"psnr_{name}", reached)


def _restore(codec: Codec, noisy: Tensor) -> Tensor:
    """Restore ``(C, H, W)``. A colour model sees one channel as three equal ones; the result is then their luma."""
    out = codec.restore_any_size(noisy.expand(codec.spec.channels, -1, -1))
    return luma(out) if len(out) > len(noisy) else out


def _enlarging(figures: Figures, codec: Codec, corruption: Corruption, test: Sequence[Tensor]) -> None:
    """Measure enlargement by the factor of the preset's corruption; a grey network sees the luma."""
    factor = corruption.factor
    reached: dict[str, list[Tensor]] = {"": [], "bicubic": [], "back_projection": []}
    for picture in test:
        height, width = (size // factor * factor for size in picture.shape[1:])
        clean = floors.to_bytes(picture[:, :height, :width])
        small = floors.to_bytes(floors.resize(clean, 1 / factor))
        visible = small if codec.spec.channels == 3 else luma(small)
        back = floors.back_projection(
            small[None], lambda part: floors.resize(part, factor), lambda part: floors.resize(part, 1 / factor)
        )[0]
        restored = {
            "": codec.restore_any_size(corruption.enlarge(visible[None])[0]),
            "bicubic": floors.resize(small, factor),
            "back_projection": back,
        }
        for rival, out in restored.items():
            first, second = (floors.rec601_luma(x.clamp(0, 1))[:, factor:-factor, factor:-factor] for x in (clean, out))
            reached[rival].append(psnr(first[None], second[None]))
    _report(figures, f"psnr_set5_x{factor}_y", reached)


def _report(figures: Figures, name: str, reached: Mapping[str, list[Tensor]]) -> None:
    mean(figures, name, torch.cat(reached[""]))
    others = {rival: torch.cat(values).mean().item() for rival, values in reached.items() if rival and values}
    rivals(figures, name, others)
