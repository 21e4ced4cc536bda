"""``.toy`` files: a line of zeros and ones."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from musicae.core import Sample, Spec
from musicae.errors import MusicaeError


class Toy:
    """A ``.toy`` file <-> ``(1, L)`` zeros and ones; `steps` of them are a window."""

    suffixes: ClassVar[tuple[str, ...]] = (".toy",)
    default_preset: ClassVar[str] = "toy-beat"

    def __init__(self, steps: int = 16) -> None:
        self.spec = Spec(1, (steps,), "bernoulli")

    def read(self, path: Path, **options: Any) -> Sample:
        try:
            text = Path(path).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise MusicaeError(f"cannot read {path}: {error}") from error
        if not re.fullmatch("[01]+", text):
            raise MusicaeError(f"{path} is not a toy file: it must be a line of zeros and ones")
        return Sample(torch.tensor([[float(digit) for digit in text]]))

    def write(self, sample: Sample, path: Path) -> None:
        text = "".join("1" if value > 0.5 else "0" for value in sample.tensor[0].tolist())
        try:
            handle, temporary = tempfile.mkstemp(dir=path.parent)
        except OSError as error:
            raise MusicaeError(f"cannot write {path}: {error}") from error
        with os.fdopen(handle, "w") as file:
            file.write(text + "\n")
        Path(temporary).replace(path)

    def blank(self) -> dict[str, Any]:
        return {}

    def mix(self, metas: Sequence[dict[str, Any]], weights: Sequence[float]) -> dict[str, Any]:
        return {}

    def concat(self, parts: Sequence[Sample]) -> Sample:
        return Sample(torch.cat([part.tensor for part in parts], dim=-1))

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        return batch

    def canonical(self, data: Tensor) -> Tensor:
        return data
