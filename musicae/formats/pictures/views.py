"""A picture as it is shown: no larger than a screen, as PNG."""

from __future__ import annotations

from pathlib import Path

from musicae.core import File
from musicae.formats.files import check_input
from musicae.formats.pictures.files import Raster, load, opening, resize, save

__all__ = ["size_of", "view"]

_UPRIGHT, _TURNED = 0x0112, {5, 6, 7, 8}  # The tag of EXIF that tells how a picture was held, and when its sides swap.


def size_of(file: File) -> tuple[int, int]:
    """Return the width and the height of a picture, upright, from its header. Raise MusicaeError for what is none."""
    check_input(file, "a picture")
    with opening(file) as image:
        turned = image.getexif().get(_UPRIGHT) in _TURNED
        return (image.height, image.width) if turned else image.size


def view(source: Path, target: Path, size: tuple[int, int], most: int) -> None:
    """Write a picture as PNG of a `size`, width and height, or as large as fits in `most` pixels a side.

    Raise MusicaeError as `load` does.
    """
    raster = load(source)
    scale = min(1.0, most / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    if raster.values.shape[:2] != (height, width):
        alpha = raster.alpha
        raster.values = resize(raster.values, height, width)
        raster.alpha = None if alpha is None else resize(alpha[..., None], height, width)[..., 0]
    save(Raster(raster.values, raster.alpha, profile=raster.profile, numbers=raster.numbers), target)
