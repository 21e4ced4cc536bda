"""Any encoder and decoder around a code, and codes themselves."""

import pytest
import torch

from musicae.core import ConditionSpec, Latent, Spec
from musicae.errors import MusicaeError
from musicae.models.layers.code_model import Code, ConvShape, PatchShape, Steps, conv_model, patch_model
from musicae.models.layers.penalties import Sparsity

PICTURE = Spec(3, (8, 8), "bernoulli")
SHAPE = ConvShape(8, 1, 1)


def test_training_draws_a_code_and_decodes_it():
    model, x = conv_model(PICTURE, Code(4, variational=True), SHAPE), torch.rand(5, 3, 8, 8)
    params, latent = model(x, x, None, torch.Generator().manual_seed(0))
    assert torch.equal(latent.mean, model.encode(x).mean)
    assert torch.equal(params, model.params(latent.sample(torch.Generator().manual_seed(0)), x))
    other, _ = model(x, x, None, torch.Generator().manual_seed(1))
    assert not torch.equal(params, other)


def test_a_condition_need_not_be_one_hot():
    model = conv_model(PICTURE, Code(4, classes=3), SHAPE).eval()
    x, labels = torch.rand(2, 3, 8, 8), torch.eye(3)[:2]
    mixed = (labels + labels.flip(0)) / 2
    with torch.no_grad():
        codes = [model.encode(x, cond).mean for cond in (labels, mixed, labels.flip(0))]
    assert not torch.allclose(codes[0], codes[1])
    # The condition enters by a linear layer, so half of both is halfway between.
    torch.testing.assert_close(codes[1], (codes[0] + codes[2]) / 2, atol=1e-5, rtol=1e-4)
    for wrong in (torch.eye(3)[:1], torch.eye(4)[:2], torch.zeros(2, 3, 8)):
        with pytest.raises(MusicaeError, match=r"a condition must be \(2, 3\), not "):
            model.encode(x, wrong)


def test_a_model_without_classes_leaves_conditions_alone():
    model, x = conv_model(PICTURE, Code(4), SHAPE).eval(), torch.rand(2, 3, 8, 8)
    assert torch.equal(model.encode(x, torch.eye(3)[:2]).mean, model.encode(x).mean)


def test_a_penalty_comes_from_the_regularizer():
    code = Latent(torch.tensor([[2.0, 0, 0, 0]]))
    assert conv_model(PICTURE, Code(4), SHAPE).penalty(code, torch.Generator()) is None
    model = conv_model(PICTURE, Code(4), SHAPE, regularizer=Sparsity(0.5))
    assert model.penalty(code, torch.Generator()).item() == pytest.approx(0.5)


def test_a_step_head_is_for_sequences():
    line = conv_model(Spec(5, (16,), "categorical"), Code(4), SHAPE, Steps(gru_width=8))
    assert line.params(torch.zeros(2, 4), torch.zeros(2, 5, 16)).shape == (2, 5, 16)
    with pytest.raises(MusicaeError, match="gru_width needs sequences"):
        conv_model(PICTURE, Code(4), SHAPE, Steps(gru_width=8))


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


LINE, PATCH = Spec(5, (16,), "categorical"), PatchShape(4, 16, 1, 2)


def along_model():
    """Return a model of lines with a condition of 3 channels that runs along."""
    torch.manual_seed(0)
    return patch_model(LINE, Code(4, variational=True, along=3), PATCH, Steps())


def test_what_runs_along_reaches_encoder_and_decoder_at_its_place():
    model, x, cond = along_model().eval(), torch.rand(2, 5, 16), torch.rand(2, 3, 16)
    assert model.condition == ConditionSpec(3, along=True, optional=True, dropout=0.5)
    later = cond.clone()
    later[0, :, 12:] += 1
    with torch.no_grad():
        codes = [model.encode(x, one).mean for one in (None, cond, later)]
        params = [model.params(codes[0], None, one) for one in (None, cond, later)]
    for values in (codes, params):
        assert not torch.allclose(values[0], values[1])
        assert not torch.allclose(values[1][0], values[2][0])
        torch.testing.assert_close(values[1][1], values[2][1])
    changed = (params[1][0] - params[2][0]).abs().mean(0)
    assert changed[12:].mean() > changed[:12].mean()


def test_nothing_that_runs_along_is_the_same_as_zeros():
    model, x = along_model().eval(), torch.rand(2, 5, 16)
    with torch.no_grad():
        assert torch.equal(model.encode(x).mean, model.encode(x, torch.zeros(2, 3, 16)).mean)
        values = model.decode(torch.zeros(2, 4), lambda params: params, torch.ones(2, 3, 16))
        assert not torch.equal(values, model.decode(torch.zeros(2, 4), lambda params: params))


def test_a_model_has_one_kind_of_condition():
    with pytest.raises(MusicaeError, match="classes or a condition that runs along, not both"):
        patch_model(LINE, Code(4, classes=3, along=3), PATCH, Steps())
