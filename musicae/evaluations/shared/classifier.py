"""A small classifier of pictures, trained here: a judge of samples that is independent of their model."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musicae import checkpoint
from musicae.core import Windows
from musicae.datasets.shared import cache
from musicae.errors import MusicaeError
from musicae.tensors.random import generator

__all__ = ["Classifier", "trained"]

_VERSION = 1  # Raise it when the network or its training changes, so that cached ones are not used.
_BATCH = 128


class Classifier(nn.Module):
    """Three convolutions and a layer of `features`, from which it predicts the classes of ``(B, C, H, W)``."""

    def __init__(self, channels: int, shape: tuple[int, int], classes: int, features: int = 128) -> None:
        super().__init__()
        inner = (shape[0] // 4) * (shape[1] // 4)
        self.body = nn.Sequential(
            nn.Conv2d(channels, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * inner, features),
            nn.ReLU(),
        )
        self.dropout, self.head = nn.Dropout(0.3), nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of the classes, ``(B, classes)``."""
        out: Tensor = self.head(self.dropout(self.body(x)))
        return out

    @torch.no_grad()
    def features(self, x: Tensor, batch: int = 1024) -> Tensor:
        """Return the features of `x` ``(N, C, H, W)``, the input of the last layer, ``(N, features)``."""
        return torch.cat([self.body(x[i : i + batch]) for i in range(0, len(x), batch)])

    @torch.no_grad()
    def classes(self, features: Tensor) -> Tensor:
        """Return the most probable classes ``(N,)`` for features ``(N, features)``."""
        out: Tensor = self.head(features).argmax(1)
        return out


def trained(windows: Windows, epochs: int = 4, seed: int = 0) -> Classifier:
    """Return a classifier of the labels of `windows`, in `eval` mode: trained now, or cached.

    It is the same for the same pictures, labels and settings. Raise MusicaeError for pictures without labels.
    """
    if windows.labels is None:
        raise MusicaeError("a classifier needs labels, which this data set lacks; use another")
    height, width = windows.data.shape[-2:]
    net = _untrained((windows.channels, height, width), int(windows.labels.max()) + 1, seed)
    cached = cache.cache_folder() / f"classifier-{_key(windows, epochs, seed)}.safetensors"
    if not _load(net, cached):
        _train(net, windows, epochs, seed)
        with contextlib.suppress(MusicaeError):  # Without a cache it only takes longer.
            checkpoint.write(cached, net.state_dict(), {"classifier": _VERSION})
    return net.eval()


def _untrained(shape: tuple[int, int, int], classes: int, seed: int) -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Classifier(shape[0], shape[1:], classes)


def _key(windows: Windows, epochs: int, seed: int) -> str:
    assert windows.labels is not None
    digest = hashlib.sha256(repr((_VERSION, epochs, seed, windows.levels, tuple(windows.data.shape))).encode())
    for tensor in (windows.values(), windows.labels):
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def _load(net: Classifier, path: Path) -> bool:
    try:
        net.load_state_dict(checkpoint.read(path)[1])
    except (MusicaeError, RuntimeError):  # Missing or damaged: train again.
        return False
    return True


def _train(net: Classifier, windows: Windows, epochs: int, seed: int) -> None:
    """Train `net` with cross-entropy, on pictures shifted at random by up to two pixels."""
    assert windows.labels is not None
    steps = max(1, epochs * (len(windows) // _BATCH))
    net.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps + 1)
    order = torch.cat([torch.randperm(len(windows), generator=generator(seed, 31, epoch)) for epoch in range(epochs)])
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)  # For dropout.
        for step in range(steps):
            index = order[step * _BATCH : (step + 1) * _BATCH]
            down, across = torch.randint(-2, 3, (2,), generator=generator(seed, 32, step)).tolist()
            x = windows.batch(index).roll((down, across), (2, 3)).to(memory_format=torch.channels_last)
            loss = F.cross_entropy(net(x), windows.labels[index].long())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
