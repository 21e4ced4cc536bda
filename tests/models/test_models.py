"""Every registered model, 1-D and 2-D: shapes, gradients, and that a code is of its example alone."""

import pytest
import torch

from musicae import registry
from musicae.core import Latent, Spec
from musicae.errors import MusicaeError
from musicae.likelihoods import Categorical
from musicae.models.autoencoder import adversarial_ae, conv_vae, fsq_ae, patch_vae, sparse_ae
from musicae.models.prior import FlowPrior
from musicae.models.sequence import LanguageModel, StepHead
from musicae.models.transformer import patchify, unpatchify
from musicae.models.unet import UNet
from musicae.testing import check_model

LINE, PICTURE = Spec(5, (16,), "categorical"), Spec(3, (8, 8), "bernoulli")
SMALL = {"ae": {"width": 8, "latent": 4}, "vae": {"width": 8, "latent": 4},
         "patch-ae": {"width": 12, "depth": 1, "latent": 4}, "patch-vae": {"width": 12, "depth": 1, "latent": 4},
         "aae": {"width": 8, "latent": 4, "adversary": 16}, "sparse-ae": {"width": 8, "latent": 4},
         "fsq-ae": {"width": 8, "latent": 4}, "unet": {"width": 8}, "lm": {"width": 8}}  # fmt: skip


@pytest.mark.parametrize("spec", [LINE, PICTURE], ids=["1d", "2d"])
@pytest.mark.parametrize(
    "name", sorted(set(registry.names("models")) - {"lm", "band-extension", "column-vae", "dual-path", "mdct-vae"})
)
def test_every_model_keeps_its_promises(name, spec):
    check_model(registry.build("models", name, spec, **SMALL.get(name, {})), spec)


@pytest.mark.parametrize(
    "settings", [{"shuffle": 2, "depth": 1}, {"dense": 16}, {"shuffle": 4, "depth": 0, "dense": 8}]
)
def test_shuffled_and_dense_models_keep_their_promises(settings):
    check_model(registry.build("models", "vae", PICTURE, width=8, latent=4, **settings), PICTURE)


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
        (lambda: fsq_ae(PICTURE, levels=1), "levels"),
        (lambda: UNet(PICTURE, depth=4), "divides"),
        (lambda: UNet(LINE, shuffle=2), "two|2 with shuffle"),
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


def test_a_unet_has_no_code_and_says_so():
    model = UNet(PICTURE, width=8)
    for attempt in (
        lambda: model.encode(torch.zeros(1, 3, 8, 8)),
        lambda: model.params(torch.zeros(1, 0), torch.ones(1)),
    ):
        with pytest.raises(MusicaeError, match="a U-Net has no code"):
            attempt()


@pytest.mark.parametrize("shuffle", [1, 2])
def test_a_unet_takes_any_size_that_its_multiple_divides(shuffle):
    model = UNet(PICTURE, width=8, depth=1, shuffle=shuffle)
    x = torch.rand(1, 3, 2 * model.multiple, 5 * model.multiple)
    assert model.restore(x).shape == x.shape
    assert (model.restore(x) - x).abs().mean() < 1  # It starts near the identity.


def test_quantised_codes_have_few_values_and_a_gradient():
    model = fsq_ae(PICTURE, latent=4, width=8, levels=5)
    x = torch.rand(16, 3, 8, 8)
    code = model.encode(x).mean
    torch.testing.assert_close((code * 2).round() / 2, code)
    code.sum().backward()
    assert model.code.weight.grad.abs().sum() > 0
    near = code.detach() + 0.1
    assert torch.equal(model.decode(near, lambda params: params), model.decode(code, lambda params: params))


def test_sparsity_costs_the_absolute_code_whatever_its_size():
    model = sparse_ae(PICTURE, latent=4, width=8, sparsity=0.5)
    few, many = torch.tensor([[0.0, 3, 0, 0], [0, 0, 0, 7]]), torch.ones(2, 4)
    costs = [model.penalty(Latent(code), torch.Generator()).item() for code in (few, many, 7 * many)]
    assert costs == pytest.approx([0.5, 1.0, 1.0])


def test_sparse_codes_are_never_below_zero_and_often_at_it():
    code = sparse_ae(PICTURE, latent=64, width=8).encode(torch.rand(16, 3, 8, 8)).mean
    assert code.min() == 0
    assert 0.1 < (code > 0).float().mean() < 0.9


def test_both_players_learn_in_an_adversarial_autoencoder():
    """The discriminator learns to tell codes that are far off, and the gradient draws those towards N(0, 1)."""
    torch.manual_seed(0)
    adversary = adversarial_ae(PICTURE, latent=2, width=8, adversary=32, weight=1.0).penalty
    rng = torch.Generator().manual_seed(0)
    code = torch.nn.Parameter(torch.randn(256, 2, generator=rng) * 0.3 + 4)
    optimizer = torch.optim.Adam([{"params": adversary.parameters(), "lr": 2e-3}, {"params": [code], "lr": 2e-2}])
    for step in range(600):
        optimizer.zero_grad()
        adversary(Latent(code), rng).backward()
        optimizer.step()
        if step == 50:
            told = torch.sigmoid(adversary.net(torch.cat([torch.randn(256, 2, generator=rng), code.detach()]))).view(
                2, -1
            )
            assert told[0].mean() > 0.8 > 0.2 > told[1].mean()
    assert code.mean(0).abs().max() < 0.8


def test_a_conditional_prior_draws_each_class_where_it_lies():
    torch.manual_seed(0)
    prior, rng = FlowPrior(2, width=32, depth=2, classes=2), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(prior.parameters(), 5e-3)
    cond = torch.eye(2).repeat(128, 1)
    for _ in range(300):
        codes = 0.2 * torch.randn(256, 2, generator=rng) + 2 * cond
        optimizer.zero_grad()
        prior.loss(codes, rng, cond).backward()
        optimizer.step()
    drawn = prior.eval().sample(256, rng, cond=cond)
    assert ((drawn - 2 * cond).norm(dim=1) < 1).float().mean() > 0.9
    torch.testing.assert_close(prior.from_noise(prior.to_noise(drawn, cond), cond), drawn, atol=0.05, rtol=0.05)
    with pytest.raises(MusicaeError, match="prior is conditional"):
        prior.sample(3)


@pytest.mark.parametrize("mirrors", [2, 4])
def test_a_mirrored_u_net_treats_a_mirrored_picture_alike(mirrors):
    torch.manual_seed(0)
    model = UNet(PICTURE, width=8, mirrors=mirrors).eval()
    x = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        made = model.restore(x)
        torch.testing.assert_close(model.restore(x.flip([2, 3])).flip([2, 3]), made, atol=1e-5, rtol=0)
        sideways = model.restore(x.flip([3])).flip([3])
        assert torch.allclose(sideways, made, atol=1e-5) == (mirrors == 4)
        model.train()
        assert not torch.allclose(model.restore(x), made, atol=1e-5)
    for spec, wrong in ((PICTURE, 3), (LINE, 2)):
        with pytest.raises(MusicaeError, match="mirrors must be"):
            UNet(spec, mirrors=wrong)


def test_a_prior_over_the_first_numbers_leaves_the_others_as_they_are() -> None:
    torch.manual_seed(0)
    prior = FlowPrior(6, width=32, depth=1, numbers=2)
    codes = torch.randn(64, 6) + torch.arange(6)
    for _ in range(400):
        prior.loss(codes, torch.Generator().manual_seed(0))
    drawn = prior.sample(50, torch.Generator().manual_seed(1))
    assert drawn[:, :2].std(0).min() > 0.1
    torch.testing.assert_close(drawn[:, 2:], prior.mean[2:].expand(50, 4))
    noise = prior.to_noise(codes)
    torch.testing.assert_close(prior.from_noise(noise)[:, 2:], codes[:, 2:])
    with pytest.raises(MusicaeError, match="numbers must be 0 to 6"):
        FlowPrior(6, numbers=7)
