"""The patch-Transformer VAE, at once and step after step."""

import pytest
import torch

from musicae.core import Spec
from musicae.errors import MusicaeError
from musicae.models.patch_vae import patch_vae
from musicae.tensors.likelihoods import Categorical
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
def test_it_keeps_its_promises(spec):
    check_model(lambda spec: patch_vae(spec, latent=4, width=12, depth=1), spec)


def test_with_a_condition_that_runs_along_it_keeps_its_promises():
    check_model(lambda spec: patch_vae(spec, latent=4, width=12, depth=1, along=3), LINE)


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
def test_with_linear_maps_it_keeps_its_promises(spec):
    check_model(lambda spec: patch_vae(spec, latent=4, width=12, depth=1, linear=True), spec)


def test_with_linear_maps_it_starts_as_principal_components():
    few = torch.eye(5)[torch.randint(5, (3, 16))].mT.contiguous()  # Three windows lie in a plane of two components.
    x = few[torch.randint(3, (100,))]
    model = patch_vae(LINE, latent=4, width=12, depth=1, linear=True).eval()
    assert 100 >= model.init_samples > 0
    model.init_from_data(x)
    latent = model.encode(x)
    assert torch.equal(Categorical().mode(model.params(latent.mean)), x)
    assert latent.mean.std(0)[:2].tolist() == pytest.approx([1, 1], abs=0.01)
    assert latent.logvar[:, 0].max() < latent.logvar[:, 2].min() + 1e-6


def test_with_a_step_head_it_keeps_its_promises():
    check_model(lambda spec: patch_vae(spec, latent=4, width=12, depth=1, gru_width=8, step_dropout=0.0), LINE)


def test_what_a_step_head_writes_it_would_write_again():
    model = patch_vae(LINE, latent=4, width=12, depth=1, gru_width=8).eval()
    z = torch.randn(3, 4)
    values = model.decode(z, Categorical().mode)
    assert torch.equal(Categorical().mode(model.params(z, values)), values)


def test_word_dropout_is_for_training_only():
    model = patch_vae(LINE, latent=4, width=12, depth=1, gru_width=8, step_dropout=0.9)
    x, z = torch.eye(5)[torch.randint(5, (2, 16))].mT.contiguous(), torch.randn(2, 4)
    assert not torch.equal(model.params(z, x), model.params(z, x))
    model.eval()
    assert torch.equal(model.params(z, x), model.params(z, x))


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(MusicaeError, match="does not divide"):
        patch_vae(LINE, patch=5)
    with pytest.raises(MusicaeError, match="heads"):
        patch_vae(LINE, width=10, heads=4)
    with pytest.raises(MusicaeError, match="linear writes all steps at once"):
        patch_vae(LINE, gru_width=4, linear=True)
    with pytest.raises(MusicaeError, match="sequences"):
        patch_vae(PICTURE, gru_width=4)


def test_guidance_follows_a_condition_further_in_decoding():
    torch.manual_seed(0)
    plain = patch_vae(LINE, latent=4, width=12, depth=1, along=3, guidance=0.0).eval()
    torch.manual_seed(0)
    guided = patch_vae(LINE, latent=4, width=12, depth=1, along=3, guidance=0.5).eval()
    z, cond = torch.randn(2, 4), torch.rand(2, 3, *LINE.shape)
    without, told = (plain.params(z, None, given) for given in (None, cond))
    assert torch.equal(plain.decode(z, lambda params: params, cond), told)
    assert torch.equal(guided.params(z, None, cond), told)  # Training knows nothing of it.
    torch.testing.assert_close(guided.decode(z, lambda params: params, cond), told + 0.5 * (told - without))
    assert torch.equal(guided.decode(z, lambda params: params, None), without)


def test_guidance_says_which_values_are_one_not_how_many():
    spec = Spec(6, (16,), "bernoulli")
    torch.manual_seed(0)
    model = patch_vae(spec, latent=4, width=12, depth=1, along=3, guidance=3.0).eval()
    z, cond = 3 * torch.randn(2, 4), 3 * torch.rand(2, 3, 16)
    without, told = (model.params(z, None, given) for given in (None, cond))
    made = model.decode(z, lambda params: params, cond)
    count, plain = (values.sigmoid().sum((1, 2)) for values in (made, told))
    torch.testing.assert_close(count, plain, atol=0.2, rtol=0)
    shift = made - (told + 3 * (told - without))
    torch.testing.assert_close(shift, shift[:, :1, :1].expand_as(shift), atol=1e-4, rtol=0)
    assert shift.abs().max() > 0.01
