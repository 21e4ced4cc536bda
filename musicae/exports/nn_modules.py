"""The TorchScript classes of files for nn~. Without postponed annotations, which TorchScript does not read."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Blocks", "Both", "Coding", "NnModule", "Restoring"]


class Blocks(nn.Module):
    """Collects blocks of `in_size` for a network, and gives out its blocks of `out_size` piece by piece.

    The network maps ``(1, C, in_size)`` and its state ``(1, S)`` to ``(1, C', out_size)`` and the next state. What
    comes out begins with one block of zeros.
    """

    given: Tensor
    ready: Tensor
    state: Tensor

    def __init__(self, network: nn.Module, in_size: int, out_channels: int, out_size: int, states: int) -> None:
        super().__init__()
        self.network, self.in_size, self.out_size, self.out_channels = network, in_size, out_size, out_channels
        self.register_buffer("given", torch.zeros(0, 1, 0))
        self.register_buffer("ready", torch.zeros(0, out_channels, out_size))
        self.register_buffer("state", torch.zeros(0, states))

    def forward(self, x: Tensor) -> Tensor:
        """Return the next ``(B, C', n * out_size / in_size)`` for the next ``(B, C, n)``; another B starts anew."""
        if x.shape[0] != self.state.shape[0]:
            self.given = torch.zeros(x.shape[0], x.shape[1], 0, device=x.device)
            self.ready = torch.zeros(x.shape[0], self.out_channels, self.out_size, device=x.device)
            self.state = torch.zeros(x.shape[0], self.state.shape[1], device=x.device)
        self.given = torch.cat([self.given, x], 2)
        while self.given.shape[2] >= self.in_size:
            made, after = [], []
            for row in range(x.shape[0]):
                block = self.given[row : row + 1, :, : self.in_size]
                out, state = self.network(block, self.state[row : row + 1])
                made.append(out)
                after.append(state)
            self.ready = torch.cat([self.ready, torch.cat(made)], 2)
            self.state = torch.cat(after)
            self.given = self.given[:, :, self.in_size :]
        count = x.shape[2] * self.out_size // self.in_size
        out = self.ready[:, :, :count]
        self.ready = self.ready[:, :, count:]
        return out


class Both(nn.Module):
    """An encoder and a decoder in a row, neither of which has a state."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the decoder makes of what the encoder makes."""
        code, state = self.encoder(x, state)
        out, state = self.decoder(code, state)
        return out, state


class NnModule(nn.Module):
    """What every file for nn~ has; see `musicae.exports.nn_tilde`. `methods` are the parameters of each by its name."""

    attributes: list[str]

    def __init__(self, rate: int, methods: dict[str, list[int]]) -> None:
        super().__init__()
        self.parameters_of_methods = methods
        self.rate, self.methods = rate, list(methods)
        self.attributes = []
        for name, (inputs, in_ratio, outputs, out_ratio) in methods.items():
            self.register_buffer(f"{name}_params", torch.tensor([inputs, in_ratio, outputs, out_ratio]))
            for way, count, ratio in (("input", inputs, in_ratio), ("output", outputs, out_ratio)):
                labels = [f"(signal) {'sound' if ratio == 1 else f'code {i + 1}'}" for i in range(count)]
                setattr(self, f"{name}_{way}_labels", labels)

    @torch.jit.export
    def get_methods(self) -> list[str]:
        """Return the names of its methods."""
        return self.methods

    @torch.jit.export
    def get_attributes(self) -> list[str]:
        """Return the names of what messages set: nothing."""
        return self.attributes

    @torch.jit.export
    def get_sample_rate(self) -> int:
        """Return the rate of the sound in Hz."""
        return self.rate


class Restoring(NnModule):
    """A model of streams."""

    def __init__(self, rate: int, blocks: nn.Module) -> None:
        super().__init__(rate, {"forward": [1, 1, 1, 1]})
        self.blocks = blocks

    def forward(self, x: Tensor) -> Tensor:
        """Return the sound after it."""
        out: Tensor = self.blocks(x)
        return out


class Coding(NnModule):
    """A model with a code."""

    def __init__(self, rate: int, channels: int, ratio: int, networks: Sequence[nn.Module]) -> None:
        methods = {"encode": [1, 1, channels, ratio], "decode": [channels, ratio, 1, 1], "forward": [1, 1, 1, 1]}
        super().__init__(rate, methods)
        self.encoding, self.decoding, self.both = networks

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        """Return the code of a sound."""
        out: Tensor = self.encoding(x)
        return out

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        """Return the sound of a code."""
        out: Tensor = self.decoding(z)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Return the sound after it."""
        out: Tensor = self.both(x)
        return out
