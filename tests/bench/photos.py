"""What it costs to denoise a large photo."""

from __future__ import annotations

from contest import Contender, contest
from material import scene
from report import Setting, Table, Value

COLUMNS = {
    "megapixels": ".1f", "s": ".1f", "CPU s": ".1f", "CPU s a megapixel": ".2f", "peak memory, MB": ".0f",
    "MB a megapixel": ".0f", "remark": "",
}  # fmt: skip
NOTE = "`musicae denoise` of a PNG in colour, one run on one thread, with the start of the program."
_SIZES, _QUICK_SIZES = ((1500, 1000), (6000, 4000)), ((1500, 1000),)


def measure(setting: Setting) -> list[Table]:
    """Denoise pictures of some sizes."""
    rows = [_row(*size, setting) for size in (_QUICK_SIZES if setting.quick else _SIZES)]
    return [Table("Denoising a photo", COLUMNS, rows, NOTE)]


def _row(width: int, height: int, setting: Setting) -> list[Value]:
    path, size = setting.folder / f"{width}.png", width * height / 1e6
    scene(width, height).save(path, compress_level=1)
    words = ["-m", "musicae", "denoise", str(path), "-f"]
    (result,) = contest([Contender("", "commands:command", {"words": words})], 1, warm_up=False)
    if result.reason:
        return [size, None, None, None, None, None, result.reason]
    memory = result.best("memory") / 1e6
    return [size, result.wall, result.cpu, result.cpu / size, memory, memory / size, ""]
