"""A tune for the tests, and what a melody that is read holds."""

from __future__ import annotations

import torch

from musicae.adapters.melody import Melody
from musicae.core import Sample
from musicae.tensors import melody_tokens

C4 = 2 + 60 - 21
TUNE = [(0, 1, 60), (1, 1, 62), (2, 2, 64)]


def tokens(sample: Sample) -> list[int]:
    assert torch.equal(sample.tensor.sum(0), torch.ones(sample.tensor.shape[1]))
    return melody_tokens.tokens(sample.tensor).tolist()


def onsets(sample: Sample) -> list[tuple[int, int]]:
    """Return ``(step, pitch)`` of each onset."""
    return [(step, token - 2 + 21) for step, token in enumerate(tokens(sample)) if token >= 2]


def sample_of(adapter: Melody, line: list[int], **meta: object) -> Sample:
    return Sample(melody_tokens.one_hot(torch.tensor(line), adapter.spec.channels), adapter.blank() | meta)
