"""Spectrograms: side by side, and of long recordings, collected block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from musicae.core import File
from musicae.errors import MusicaeError
from musicae.formats.files import output
from musicae.plots.canvas import figure, save
from musicae.tensors.dsp import EPS

__all__ = ["Overview", "spectrogram", "spectrograms"]

Block = NDArray[np.float32]

_N_FFT = 1024
_COLUMNS = 1200  # While collecting, up to twice as many.
_RANGE_DB = 90.0  # From the darkest to the brightest.


def spectrograms(
    pictures: Sequence[Tensor], file: File, titles: Sequence[str] = (), columns: int | None = None
) -> None:
    """Draw spectrograms ``(1, H, W)`` of values 0 to 1 side by side, in rows of `columns`: PNG.

    `titles` are above them. Raise MusicaeError if there is nothing to draw, or it cannot be written.
    """
    if not pictures:
        raise MusicaeError("there is nothing to draw; give some sound")
    across = columns or min(len(pictures), 9)
    down = -(-len(pictures) // across)
    drawing = figure(0.2 + 1.6 * across, 0.2 + 1.7 * down)
    axes = drawing.subplots(down, across, squeeze=False).ravel()
    for ax in axes:
        ax.set_axis_off()
    for i, (ax, picture) in enumerate(zip(axes, pictures, strict=False)):
        ax.imshow(picture[0].numpy(), aspect="auto", vmin=0, vmax=1, cmap="magma")
        if i < len(titles):
            ax.set_title(titles[i], fontsize=8, pad=2, parse_math=False)
    save(drawing, file)


def spectrogram(picture: Tensor, file: File) -> None:
    """Draw one spectrogram ``(1, H, W)`` of values 0 to 1 as PNG, a pixel for each value, with nothing around it."""
    from matplotlib.image import imsave

    with output(file) as opened:
        imsave(opened, picture[0].numpy(), vmin=0, vmax=1, cmap="magma", format="png")


class Overview:
    """Spectrograms of a recording before and after, and of the difference, in little memory.

    The longer the recording, the more frames are averaged into a column. `rate` is in Hz.
    """

    def __init__(self, rate: int) -> None:
        self.rate, self.frames = rate, 1  # Frames averaged in a column.
        self.columns: list[Block] = []  # Each ``(3, F)``: the mean power.
        self._held: Block | None = None  # ``(3, channels, T)``, less than a frame.
        self._sum, self._count = np.zeros((3, _N_FFT // 2 + 1)), 0

    def add(self, before: Block, after: Block) -> None:
        """Add the next samples ``(frames, channels)`` of both."""
        three = np.stack([before.T, after.T, (before - after).T])
        held = three if self._held is None else np.concatenate([self._held, three], axis=2)
        count = held.shape[2] // _N_FFT
        self._add_frames(held[:, :, : count * _N_FFT].reshape(*held.shape[:2], count, _N_FFT))
        self._held = held[:, :, count * _N_FFT :]

    def _add_frames(self, frames: Block) -> None:
        window = np.hanning(_N_FFT).astype(np.float32)
        # The mean power of the channels: sound that is inverted in one of them must not cancel.
        power = np.square(np.abs(np.fft.rfft(frames * window))).mean(1) / np.square(window.sum() / 2)
        for i in range(power.shape[1]):
            self._sum += power[:, i]
            self._count += 1
            if self._count == self.frames:
                self._end_column()

    def _end_column(self) -> None:
        self.columns.append((self._sum / self._count).astype(np.float32))
        self._sum[:], self._count = 0.0, 0
        if len(self.columns) >= 2 * _COLUMNS:
            pairs = zip(self.columns[::2], self.columns[1::2], strict=True)
            self.columns = [(first + second) * np.float32(0.5) for first, second in pairs]
            self.frames *= 2

    def draw(self, file: File, titles: Sequence[str]) -> None:
        """Draw the three, one below the other, as PNG. Raise MusicaeError if it cannot be written."""
        if self._held is not None and self._held.shape[2] and not self.columns:  # It is shorter than a frame.
            padded = np.pad(self._held, ((0, 0), (0, 0), (0, _N_FFT - self._held.shape[2])))
            self._add_frames(padded[:, :, None])
        if self._count:
            self._end_column()
        if not self.columns:
            raise MusicaeError("there is nothing to draw; give some sound")
        levels = 10 * np.log10(np.stack(self.columns, axis=2) + EPS)
        top = float(levels.max())
        seconds = len(self.columns) * self.frames * _N_FFT / self.rate
        drawing = figure(11.0, 8.0)
        axes = drawing.subplots(3, 1, sharex=True, sharey=True)
        extent = (0.0, seconds, 0.0, self.rate / 2000)
        for ax, level, title in zip(axes, levels, titles, strict=True):
            image = ax.imshow(
                level, origin="lower", aspect="auto", extent=extent, vmin=top - _RANGE_DB, vmax=top, cmap="magma"
            )
            ax.set_title(title, loc="left", fontsize=10, parse_math=False)
            ax.set_ylabel("kHz")
        axes[-1].set_xlabel("seconds")
        drawing.colorbar(image, ax=axes, label="dB", pad=0.01)
        save(drawing, file)
