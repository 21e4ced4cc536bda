import torch

from musicae.tensors.random import generator


def drawn(*seeds):
    return torch.rand(4, generator=generator(*seeds)).tolist()


def test_a_stream_depends_on_every_seed_and_their_order():
    assert drawn(1, 2) == drawn(1, 2)
    assert len({tuple(drawn(*seeds)) for seeds in ((1, 2), (2, 1), (1,), (2,), (1, 2, 0), (0, 1, 2), (1, -2))}) == 7


def test_large_and_negative_seeds_are_taken():
    assert drawn(2**80, -(2**80)) != drawn(2**80, -(2**80) + 1)
