"""Every registered model, 1-D and 2-D: shapes, gradients, and that a code is of its example alone."""

import pytest
import torch

from musicae import registry
from musicae.core import Latent, Spec
from musicae.errors import MusicaeError
from musicae.likelihoods import Categorical
from musicae.models.autoencoder import conv_vae, patch_vae
from musicae.models.prior import FlowPrior
from musicae.models.sequence import LanguageModel, StepHead
from musicae.models.transformer import patchify, unpatchify
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")
SMALL = {"ae": {"width": 8, "latent": 4}, "vae": {"width": 8, "latent": 4},
         "patch-ae": {"width": 12, "depth": 1, "latent": 4}, "patch-vae": {"width": 12, "depth": 1, "latent": 4},
         "lm": {"width": 8}}  # fmt: skip


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
@pytest.mark.parametrize("name", sorted(set(registry.names("models")) - {"lm"}))
def test_every_model_keeps_its_promises(name, spec):
    check_model(registry.build("models", name, spec, **SMALL.get(name, {})), spec)


def test_the_language_model_has_no_code_but_writes():
    model = LanguageModel(LINE, width=8)
    with pytest.raises(MusicaeError, match="no code"):
        model.encode(torch.zeros(1, 5, 16))
    z = torch.zeros(3, 0)
    values = model.decode(z, Categorical().mode)
    assert values.shape == (3, 5, 16)
    assert torch.equal(Categorical().mode(model.params(z, values)), values)


def test_a_step_head_sees_the_past_only():
    head = StepHead(4, 5, 8).eval()
    features, x = torch.randn(2, 4, 10), torch.randn(2, 5, 10)
    changed = x.clone()
    changed[..., 6:] += 1
    before, after = head(features, x), head(features, changed)
    torch.testing.assert_close(before[..., :7], after[..., :7])
    assert not torch.allclose(before[..., 7:], after[..., 7:])


def test_what_a_step_head_writes_it_would_write_again():
    model = patch_vae(LINE, latent=4, width=12, depth=1, recurrent=8).eval()
    z = torch.randn(3, 4)
    values = model.decode(z, Categorical().mode)
    assert torch.equal(Categorical().mode(model.params(z, values)), values)


def test_word_dropout_is_for_training_only():
    model = patch_vae(LINE, latent=4, width=12, depth=1, recurrent=8, step_dropout=0.9)
    x, z = torch.eye(5)[torch.randint(5, (2, 16))].mT.contiguous(), torch.randn(2, 4)
    assert not torch.equal(model.params(z, x), model.params(z, x))
    model.eval()
    assert torch.equal(model.params(z, x), model.params(z, x))


@pytest.mark.parametrize("shape", [(16,), (8, 12)])
def test_patches_go_together_again(shape):
    x = torch.randn(2, 3, *shape)
    assert torch.equal(unpatchify(patchify(x, 4), 3, shape, 4), x)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: patch_vae(LINE, patch=5), "does not divide"),
        (lambda: patch_vae(LINE, width=10, heads=4), "heads"),
        (lambda: conv_vae(Spec(1, (10,), "bernoulli"), depth=2), "divides"),
        (lambda: conv_vae(Spec(1, (4, 4, 4), "bernoulli")), "1 or 2 spatial axes"),
        (lambda: patch_vae(PICTURE, recurrent=4), "sequences"),
        (lambda: LanguageModel(PICTURE), "sequences"),
    ],
)
def test_settings_that_do_not_fit_are_refused(make, match):
    with pytest.raises(MusicaeError, match=match):
        make()


def test_a_conditional_model_wants_its_label_and_uses_it():
    model = conv_vae(PICTURE, latent=4, width=8, classes=3).eval()
    x, z = torch.rand(2, 3, 8, 8), torch.randn(2, 4)
    with pytest.raises(MusicaeError, match="label"):
        model.encode(x)
    labels = torch.eye(3)[:2]
    assert model.encode(x, labels).mean.shape == (2, 4)
    assert not torch.allclose(model.params(z, x, labels), model.params(z, x, labels.flip(0)))


def test_kl_is_that_of_gaussians_and_zero_for_a_point():
    mean, logvar = torch.randn(4, 6), torch.randn(4, 6)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(normal(mean, (0.5 * logvar).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(Latent(mean, logvar).kl(), expected)
    point = Latent(mean)
    assert point.kl().abs().sum() == 0
    assert torch.equal(point.sample(), mean)


def test_samples_of_a_code_have_its_spread():
    latent = Latent(torch.full((20_000, 1), 2.0), torch.full((20_000, 1), 2 * torch.log(torch.tensor(0.5)).item()))
    rng = torch.Generator().manual_seed(0)
    assert abs(latent.sample(rng).std().item() - 0.5) < 0.02
    assert abs(latent.sample(rng, temperature=0.5).std().item() - 0.25) < 0.01
    assert abs(latent.sample(rng).mean().item() - 2) < 0.02


def test_the_flow_learns_where_codes_lie():
    torch.manual_seed(0)
    prior = FlowPrior(2, width=32, depth=2)
    optimizer = torch.optim.Adam(prior.parameters(), 3e-3)
    rng = torch.Generator().manual_seed(0)
    for _ in range(400):
        side = torch.randint(2, (256, 1), generator=rng) * 6.0 - 3.0
        codes = torch.cat([side, -side], 1) + 0.1 * torch.randn(256, 2, generator=rng)
        optimizer.zero_grad()
        prior.loss(codes, rng).backward()
        optimizer.step()
    drawn = prior.eval().sample(500, rng)
    near = torch.minimum((drawn - torch.tensor([3.0, -3])).norm(dim=1), (drawn - torch.tensor([-3.0, 3])).norm(dim=1))
    assert (near < 1).float().mean() > 0.9
    assert 0.3 < (drawn[:, 0] > 0).float().mean() < 0.7
