"""Photos: the published measures of denoising (BSD68) and of super-resolution (Set5), by their published protocols."""

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
from musicae.evaluations.shared.common import Figures, mean, rivals
from musicae.evaluations.shared.images import psnr
from musicae.tensors.luma import luma
from musicae.tensors.random import generator

__all__ = ["photos"]


def photos(
    codec: Codec,
    folders: Mapping[str, Path],
    limit: int | None,
    *,
    source: str = "photos-test",
    sigmas: tuple[float, ...] = (15.0, 25.0, 50.0),
    seed: int = 0,
) -> Figures:
    """Measure a model that restores photos on the test pictures in the folder of `source`, ``BSD68`` and ``Set5``.

    One that takes noise away: `psnr_bsd68_sigma<s>`, of grey pictures with Gaussian noise of `sigmas` 255ths, neither
    clipped nor rounded (as Zhang et al. 2017, DnCNN), and, of a preset in colour, which is given them as three equal
    channels, ``psnr_set5_color_sigma<s>`` as well. Rivals: the noisy picture itself, and non-local means. One that
    enlarges: `psnr_set5_x<factor>_y`, the luma of pictures that MATLAB's bicubic reduced and that were then rounded to
    bytes, a border of `factor` pixels off (as Dong et al. 2014, SRCNN); rivals are bicubic enlargement, and
    back-projection after it. `limit` takes that many pictures.
    Raise MusicaeError where the pictures are not found.
    """
    root = folders.get(source) or folders.get("") or cache.data_folder() / source
    corruption = codec.corruption()
    figures: Figures = {}
    if corruption is not None and corruption.factor > 1:
        _enlarged(figures, codec, corruption, _pictures(root, "Set5", 3, limit, source))
        return figures
    test = {"bsd68": _pictures(root, "BSD68", 1, limit, source)}
    if codec.spec.channels == 3:
        test["set5_color"] = _pictures(root, "Set5", 3, limit, source)
    for name, pictures in test.items():
        for sigma in sigmas:
            _denoised(figures, codec, f"{name}_sigma{sigma:g}", pictures, sigma, seed)
    return figures


def _pictures(root: Path, name: str, channels: int, limit: int | None, source: str) -> list[Tensor]:
    """Return the pictures in the folder `name` under `root`, each ``(channels, H, W)``; `limit` of them at random."""
    adapter = registry.build("adapters", "image", channels=channels)
    found = sorted((root / name).iterdir()) if (root / name).is_dir() else []
    files = [path for path in found if path.suffix.lower() in adapter.suffixes and not path.name.startswith(".")]
    if not files:
        raise MusicaeError(
            f"no pictures in {root / name}; name the folder that holds BSD68 and Set5 with --data {source}=DIR"
        )
    if limit is not None:
        chosen = torch.randperm(len(files), generator=generator(0, 17))[:limit].sort().values
        files = [files[i] for i in chosen.tolist()]
    return [adapter.read(path, fit="whole").tensor for path in files]


def _denoised(figures: Figures, codec: Codec, name: str, test: Sequence[Tensor], sigma: float, seed: int) -> None:
    reached: dict[str, list[Tensor]] = {"": [], "input": [], "nlm": []}
    for i, clean in enumerate(test):
        noise = torch.randn(clean.shape, generator=generator(seed, 51, i)) * (sigma / 255)
        noisy = clean + noise
        restored = {"": _grey_or_all(codec, noisy), "input": noisy}
        simple = floors.nlm(noisy[None], torch.tensor([sigma / 255]))
        if simple is not None:
            restored["nlm"] = simple[0]
        for rival, out in restored.items():
            reached[rival].append(psnr(clean[None], out[None].clamp(0, 1)))
    _report(figures, f"psnr_{name}", reached)


def _grey_or_all(codec: Codec, noisy: Tensor) -> Tensor:
    """Restore ``(C, H, W)``, of one channel by a model of three as the adapter does: the luma of three equal ones."""
    out = codec.restore_any_size(noisy.expand(codec.spec.channels, -1, -1))
    return luma(out) if len(out) > len(noisy) else out


def _enlarged(figures: Figures, codec: Codec, corruption: Corruption, test: Sequence[Tensor]) -> None:
    """Measure enlargement by the factor of the preset's corruption; of one channel, the network sees the luma."""
    factor = corruption.factor
    reached: dict[str, list[Tensor]] = {"": [], "bicubic": [], "back_projection": []}
    for picture in test:
        height, width = (size // factor * factor for size in picture.shape[1:])
        clean = floors.to_bytes(picture[:, :height, :width])
        small = floors.to_bytes(floors.resize(clean, 1 / factor))
        seen = small if codec.spec.channels == 3 else luma(small)
        back = floors.back_projection(
            small[None], lambda part: floors.resize(part, factor), lambda part: floors.resize(part, 1 / factor)
        )[0]
        restored = {
            "": codec.restore_any_size(corruption.enlarge(seen[None])[0]),
            "bicubic": floors.resize(small, factor),
            "back_projection": back,
        }
        for rival, out in restored.items():
            pair = (floors.rec601_luma(one.clamp(0, 1))[:, factor:-factor, factor:-factor] for one in (clean, out))
            reached[rival].append(psnr(*(one[None] for one in pair)))
    _report(figures, f"psnr_set5_x{factor}_y", reached)


def _report(figures: Figures, name: str, reached: Mapping[str, list[Tensor]]) -> None:
    mean(figures, name, torch.cat(reached[""]))
    others = {rival: torch.cat(found).mean().item() for rival, found in reached.items() if rival and found}
    rivals(figures, name, others)
