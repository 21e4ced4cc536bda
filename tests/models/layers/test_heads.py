"""The head that takes features as parameters."""

import torch

from musicae.models.layers.heads import DirectHead


def test_features_are_the_parameters_and_values_are_chosen_once():
    head, features, seen = DirectHead(), torch.randn(2, 3, 8, dtype=torch.bfloat16), []

    def choose(params):
        seen.append(params)
        return -params

    assert head.params(features, None) is features
    assert torch.equal(head.decode(features, choose), -features.float())
    assert [params.dtype for params in seen] == [torch.float32]
