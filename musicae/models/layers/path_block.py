"""A block of `DualPath`: a path over the bands of a frame and one over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["FastBlock", "PathBlock"]


class PathBlock(nn.Module):
    """A perceptron over all bands of a frame, then a recurrence over the frames of each band, the same for all bands.

    The two paths follow Luo, Chen and Yoshioka (2020) and Le et al. (2021, DPCRN); here the first is a mixer
    (Tolstikhin et al. 2021).
    """

    def __init__(self, bands: int, width: int) -> None:
        super().__init__()
        self.norm_bands, self.norm_time = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix = nn.Sequential(nn.Linear(bands, 2 * bands), nn.SiLU(), nn.Linear(2 * bands, bands))
        self.project_bands = nn.Linear(width, width)
        self.lstm = nn.LSTM(width, width, batch_first=True)
        self.project_time = nn.Linear(width, width)

    def forward(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the output ``(B, T, F, C)`` for ``(B, T, F, C)``, and the LSTM's new state, two ``(1, B * F, C)``."""
        mixed = self.mix(self.norm_bands(x).transpose(2, 3)).transpose(2, 3)
        x = x + self.project_bands(mixed)
        batch, frames, bands, width = x.shape
        series = self.norm_time(x).transpose(1, 2).reshape(batch * bands, frames, width)
        series, (hidden, cell) = self.lstm(series, (hidden.to(series), cell.to(series)))
        x = x + self.project_time(series).view(batch, bands, frames, width).transpose(1, 2)
        return x, hidden, cell


class FastBlock:
    """What a `PathBlock` does where nothing is trained, in fewer and faster steps, with the weights that it has now."""

    def __init__(self, block: PathBlock) -> None:
        mix_in, mix_in_bias, mix_out, mix_out_bias = block.mix.parameters()
        bands, time = block.norm_bands, block.norm_time
        self.shape, self.eps = list(bands.normalized_shape), bands.eps
        self.norm_bands, self.norm_time = (bands.weight, bands.bias), (time.weight, time.bias)
        self.mix_in, self.mix_in_bias, self.mix_out = mix_in, mix_in_bias[:, None], mix_out
        self.project_bands = block.project_bands.weight.t().contiguous()
        # What the last two biases add to each band, in one.
        self.bias_bands = mix_out_bias[:, None] * block.project_bands.weight.sum(1) + block.project_bands.bias
        self.project_time, self.bias_time = block.project_time.weight.t().contiguous(), block.project_time.bias
        self.lstm: list[Tensor] = [*block.lstm.all_weights[0]]
        given, recurrent, bias, more_bias = self.lstm
        # tanh(x) = 2 sigmoid(2 x) - 1, so that one call does for all four gates; the third is the one with a tanh.
        scale = given.new_tensor([1.0, 1.0, 2.0, 1.0]).repeat_interleave(self.shape[0])
        self.gates_given, self.gates_recurrent = (given.t() * scale).contiguous(), (recurrent.t() * scale).contiguous()
        self.gates_bias = (bias + more_bias) * scale

    def __call__(self, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the same as `PathBlock` for ``(B, T, F, C)``."""
        rows, width = x.view(-1, self.shape[0]), self.shape
        mixed = self._mixed(torch.layer_norm(rows, width, *self.norm_bands, self.eps), x.shape)
        rows = torch.addmm(rows, mixed, self.project_bands)
        rows.view(x.shape).add_(self.bias_bands)
        series = torch.layer_norm(rows, width, *self.norm_time, self.eps)
        if x.shape[1] == 1:
            series, cell = self._step(series, hidden[0], cell[0])
            hidden, cell = series[None], cell[None]
        else:
            series, hidden, cell = self._steps(series.view(x.shape), hidden, cell)
        rows = torch.addmm(rows, series, self.project_time).add_(self.bias_time)
        return rows.view(x.shape), hidden, cell

    def _mixed(self, rows: Tensor, shape: torch.Size) -> Tensor:
        """Return the sums over bands of ``(B * T * F, C)``, without their bias, for frames of `shape`."""
        if len(rows) == shape[2]:
            mixed = torch.addmm(self.mix_in_bias, self.mix_in, rows)
            return torch.mm(self.mix_out, F.silu(mixed, inplace=True))
        frames = rows.view(-1, *shape[2:])
        mix_in, mix_out = (weight.expand(len(frames), -1, -1) for weight in (self.mix_in, self.mix_out))
        mixed = torch.baddbmm(self.mix_in_bias, mix_in, frames)
        return torch.bmm(mix_out, F.silu(mixed, inplace=True)).flatten(0, 1)

    def _step(self, series: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """Return the LSTM's output and its cell, both ``(B * F, C)``, for one frame."""
        gates = torch.addmm(self.gates_bias, series, self.gates_given).addmm_(hidden, self.gates_recurrent)
        take, keep, new, out = gates.sigmoid_().chunk(4, 1)
        cell = torch.mul(keep, cell).addcmul_(take, new, value=2).sub_(take)
        return torch.mul(cell, 2).sigmoid_().mul_(2).sub_(1).mul_(out), cell

    def _steps(self, series: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the LSTM's output ``(B * T * F, C)`` for ``(B, T, F, C)``, and its state."""
        batch, frames, bands, width = series.shape
        steps = series.transpose(0, 1).reshape(frames, batch * bands, width)  # Without a copy if there is one stream.
        state = (hidden, cell)
        out, hidden, cell = torch.lstm(steps, state, self.lstm, True, 1, 0.0, False, False, False)
        return out.view(frames, batch, bands, width).transpose(0, 1).reshape(-1, width), hidden, cell
