"""A tiny preset to train, and what to compare of its results."""

import torch

from musicae import checkpoint
from musicae.preset import Preset

SETTINGS = {"steps": 12, "batch": 8, "log_every": 4, "checkpoint_every": 4, "warmup": 2, "precision": "no", "ema": 0.9}


def recipe(**training):
    return Preset("tiny", {
        "adapter": {"name": "melody"},
        "dataset": {"name": "midi-files", "test": 0.1, "validation": 0.2},
        "model": {"name": "patch-vae", "latent": 4, "width": 12, "depth": 1, "heads": 2, "gru_width": 8},
        "prior": {"name": "flow", "width": 16, "depth": 1},
        "corruption": {"name": "drop-notes", "share": 0.1},
        "training": {**SETTINGS, **training},
    })  # fmt: skip


def tensors(path):
    return checkpoint.read(path)[1]


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
