"""A stack: how it starts."""

import torch

from musicae.core import Lower, Spec
from musicae.models.patch_vae import patch_vae
from musicae.models.stack import Stack

BELOW, SPEC = Spec(5, (8,), "categorical"), Spec(5, (32,), "categorical")


def over(latent):
    torch.manual_seed(0)
    return Stack(SPEC, Lower(patch_vae(BELOW, latent=3, width=12, depth=1), BELOW), latent=latent, width=16, depth=1)


def lines(n):
    return torch.eye(5)[torch.randint(5, (n, 32), generator=torch.Generator().manual_seed(1))].mT.contiguous()


def test_it_starts_as_principal_components_of_the_codes_below():
    x, errors = lines(200), []
    for latent in (2, 6, 12):
        stack = over(latent)
        stack.init_from_data(x)
        codes = stack._below(x, None).mean
        with torch.no_grad():
            made = stack._codes(stack.encode(x).mean)
        errors.append(((made - codes).square().mean() / codes.var()).item())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6  # As many numbers as all codes below have: nothing is lost.


def test_a_start_from_fewer_windows_than_numbers_stays_in_bounds():
    stack = over(12)
    stack.init_from_data(lines(4))
    assert stack.encode(lines(50)).mean.abs().max() < 50
