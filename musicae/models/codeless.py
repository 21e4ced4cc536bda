"""What models without a code say when they are asked for one."""

from __future__ import annotations

from typing import NoReturn

from torch import Tensor, nn

from ..core import Choose, Latent
from ..errors import MusicaeError

__all__ = ["Codeless"]


class Codeless(nn.Module):
    """A network that restores and has no code; `kind` names it, `why` says what it has instead."""

    latent_size = 0
    kind: str
    why: str

    def encode(self, x: Tensor, cond: Tensor | None = None) -> Latent:
        """Refuse."""
        self._refuse()

    def params(self, z: Tensor, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Refuse."""
        self._refuse()

    def decode(self, z: Tensor, choose: Choose, cond: Tensor | None = None) -> Tensor:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise MusicaeError(
            f"{self.kind} has no code: {self.why}; use it to restore (denoise, upscale), "
            "and an autoencoder to encode, sample or interpolate"
        )
