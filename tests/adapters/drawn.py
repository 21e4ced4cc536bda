"""Small pictures for the tests of the image adapter: made up, written and read by Pillow alone."""

from pathlib import Path

import numpy as np
import PIL.Image

RANDOM = np.random.default_rng(0)


def noise(*shape: int, kind=np.uint8) -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(kind).max + 1, shape, kind)


def put(path: Path, values: np.ndarray, **options) -> Path:
    PIL.Image.fromarray(values).save(path, **options)
    return path


def pixels(path: Path) -> np.ndarray:
    with PIL.Image.open(path) as image:
        return np.asarray(image)
