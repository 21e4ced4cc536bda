"""``.toy`` files: a line of zeros and ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from musicae.core import Adapter, File, Sample, Spec
from musicae.errors import MusicaeError
from musicae.formats.files import name_of, output


class Toy(Adapter):
    """A ``.toy`` file <-> ``(1, L)`` zeros and ones; a window has `steps` of them."""

    suffixes: ClassVar[tuple[str, ...]] = (".toy",)

    def __init__(self, steps: int = 16) -> None:
        self.steps = steps

    @property
    def spec(self) -> Spec:
        return Spec(1, (self.steps,), "bernoulli")

    def read(self, file: File, **options: Any) -> Sample:
        try:
            text = (file.read_bytes() if isinstance(file, Path) else file.read()).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise MusicaeError(f"{name_of(file)} cannot be read: {error}") from error
        if not re.fullmatch("[01]+", text):
            raise MusicaeError(f"{name_of(file)} is not a toy file: it must be a line of zeros and ones")
        return Sample(torch.tensor([[float(digit) for digit in text]]))

    def write(self, sample: Sample, file: File) -> None:
        text = "".join("1" if value > 0.5 else "0" for value in sample.tensor[0].tolist())
        with output(file) as opened:
            opened.write(f"{text}\n".encode())

    def blank(self) -> dict[str, Any]:
        return {}

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        return {}

    def concat(self, parts: Sequence[Sample]) -> Sample:
        return Sample(torch.cat([part.tensor for part in parts], dim=-1))
