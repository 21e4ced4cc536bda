"""A stack over a small model."""

import pytest
import torch
from torch import nn
from torch.nn.modules import rnn

from musicae.core import Lower, Spec
from musicae.errors import MusicaeError
from musicae.models.patch_vae import patch_vae
from musicae.models.stack import Stack
from musicae.tensors.likelihoods.categorical import Categorical

BELOW, SPEC = Spec(5, (8,), "categorical"), Spec(5, (32,), "categorical")


def over(latent, **settings):
    torch.manual_seed(0)
    lower = Lower(patch_vae(BELOW, latent=3, width=12, depth=1), BELOW)
    return Stack(SPEC, lower, latent=latent, width=16, depth=1, **settings)


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


def test_scales_beside_the_linear_maps_change_only_the_size_of_their_weights():
    x, plain, scaled = lines(200), over(6), over(6, scaled=True)
    for stack in (plain, scaled):
        stack.init_from_data(x)
    with torch.no_grad():
        codes = plain.encode(x)
        torch.testing.assert_close(scaled.encode(x), codes)
        torch.testing.assert_close(scaled.params(codes.mean), plain.params(codes.mean), atol=1e-4, rtol=1e-4)
    assert scaled.scale_in.unique().numel() == 6
    torch.testing.assert_close(scaled.scale_in[:, None] * scaled.linear_in.weight, plain.linear_in.weight)
    torch.testing.assert_close(scaled.scale_out * scaled.linear_out.weight, plain.linear_out.weight)
    assert scaled.state_dict().keys() - plain.state_dict().keys() == {"scale_in", "scale_out"}
    again = over(6, scaled=True)
    again.load_state_dict(scaled.state_dict())
    torch.testing.assert_close(again.encode(x), scaled.encode(x))


def test_a_start_from_fewer_windows_than_numbers_stays_in_bounds():
    stack = over(12)
    stack.init_from_data(lines(4))
    assert stack.encode(lines(50)).mean.abs().max() < 50


def test_it_asks_for_more_windows_than_the_codes_below_have_numbers():
    assert over(6).init_samples == 2048
    below = Lower(patch_vae(BELOW, latent=600, width=12, depth=1), BELOW)
    assert Stack(SPEC, below, latent=6, width=16, depth=1).init_samples == 2 * 4 * 600


def test_what_is_decoded_lies_window_after_window():
    stack = over(12)
    stack.init_from_data(lines(200))
    x = lines(6)
    below = stack.lower.model
    with torch.no_grad():
        made = stack.params(stack.encode(x).mean, x)
        parts = [below.params(below.encode(part).mean, part) for part in x.split(8, dim=-1)]
    assert torch.allclose(made, torch.cat(parts, dim=-1), atol=1e-2)
    chosen = stack.decode(stack.encode(x).mean, lambda params: params)
    assert chosen.shape == made.shape


def test_the_model_below_is_left_as_it_is():
    stack = over(6)
    assert not any(name.startswith("lower") for name in stack.state_dict())
    stack.train()
    assert not stack.lower.model.training
    before = [weight.clone() for weight in stack.lower.model.parameters()]
    cost, parts, latent = stack.reconstruction(x := lines(5), x, None, None, Categorical())
    assert set(parts) == {"codes"}
    (cost.mean() + latent.kl().mean()).backward()
    assert all(torch.equal(*pair) for pair in zip(before, stack.lower.model.parameters(), strict=True))
    assert all(weight.grad is None for weight in stack.lower.model.parameters())
    assert stack.linear_in.weight.grad is not None
    stack.double()
    assert next(stack.lower.model.parameters()).dtype == torch.float64


def test_values_count_as_well_if_asked_for():
    torch.manual_seed(0)
    stack = Stack(SPEC, Lower(patch_vae(BELOW, latent=3, width=12, depth=1), BELOW), 6, 16, 1, decoded=4)
    x = lines(5)
    _, parts, latent = stack.reconstruction(x, x, None, None, Categorical())
    assert parts["decoded"].shape == (5,)
    z = latent.sample(None)
    whole = Categorical().nll(stack.params(z, x), x)  # Of all four windows, though of another draw of the code.
    assert (parts["decoded"] - whole).abs().max() < 0.2 * whole.mean()


def test_codes_count_as_much_as_they_are_said_to():
    costs = []
    for weight in (1.0, 0.25):
        torch.manual_seed(0)
        lower = Lower(patch_vae(BELOW, latent=3, width=12, depth=1), BELOW)
        stack = Stack(SPEC, lower, 6, 16, 1, decoded=1, codes_weight=weight)
        x = lines(5)
        costs.append(stack.reconstruction(x, x, None, torch.Generator().manual_seed(1), Categorical())[1])
    assert torch.allclose(costs[1]["codes"], 0.25 * costs[0]["codes"])
    assert torch.equal(costs[1]["decoded"], costs[0]["decoded"])


@pytest.mark.parametrize("storeys", [1, 2])
def test_gradients_pass_recurrent_layers_as_cudnn_asks_and_change_nothing(monkeypatch, storeys):
    torch.manual_seed(0)
    below = patch_vae(BELOW, latent=3, width=12, depth=1, gru_width=8, step_dropout=0.5)
    below.head.gru = nn.GRU(8, 8, num_layers=2, batch_first=True, dropout=0.5)
    z, x = torch.randn(5, 3), torch.cat([lines(5)] * storeys, dim=-1)
    before = below.eval().params(z, x[..., :8])
    stack = Stack(SPEC, Lower(below, BELOW), 6, 16, 1, decoded=2 * (storeys == 1))
    if storeys == 2:
        stack = Stack(Spec(5, (64,), "categorical"), Lower(stack, SPEC), 6, 16, 1, decoded=1)
    torch.testing.assert_close(below.params(z, x[..., :8]), before)
    gru, modes = rnn._VF.gru, []

    def watched(given, *args):  # On a GPU: "cudnn RNN backward can only be called in training mode".
        modes.append((given.requires_grad, args[5]))
        return gru(given, *args)

    monkeypatch.setattr(rnn._VF, "gru", watched)
    cost, _, _ = stack.train().reconstruction(x, x, None, None, Categorical())
    assert modes == [(True, True)]
    cost.sum().backward()
    assert stack.linear_in.weight.grad.abs().max() > 0
    assert not any(part.training for part in below.modules() if part is not below.head.gru)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"spec": Spec(5, (30,), "categorical")}, "do not consist of windows"),
        ({"heads": 3}, "heads 3 does not divide width 16"),
        ({"decoded": 5}, "decoded must be 0 to 4"),
    ],
)
def test_settings_that_do_not_fit(settings, message):
    lower = Lower(patch_vae(BELOW, latent=3, width=12, depth=1), BELOW)
    given = {"spec": SPEC, "width": 16, **settings}
    with pytest.raises(MusicaeError, match=message):
        Stack(given.pop("spec"), lower, **given)


def test_a_condition_is_cut_like_the_windows():
    torch.manual_seed(0)
    lower = Lower(patch_vae(BELOW, latent=3, width=12, depth=1, along=2).eval(), BELOW)
    stack = Stack(SPEC, lower, latent=6, width=16, depth=1)
    x, cond = lines(3), torch.rand(3, 2, 32)
    below = stack._below(x, cond).mean
    assert torch.allclose(below[:, 1], lower.model.encode(x[..., 8:16], cond[..., 8:16]).mean, atol=1e-6)
    assert not torch.allclose(below, stack._below(x, None).mean)
