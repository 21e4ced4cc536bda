"""Codes that a few steps of gradient descent make better."""

import torch

import musicae
from musicae import codec as codecs
from musicae.codec.refining import refined
from musicae.preset import Preset


def windows(codec, count=6):
    """Return drawn windows of a codec: each value as likely as the others, so that no code gives them exactly."""
    shape = (count, *codec.spec.full_shape)
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    return codec.likelihood.mode(noise.log() - (-noise).log1p())


def cost(codec, x, latent):
    return codec.nll(latent.mean, x) + 0.15 * latent.mean.square().sum(1)


def test_a_refined_code_costs_less_and_does_not_depend_on_other_windows(tiny):
    codec = tiny()
    x = windows(codec)
    before, after = codec.encode(x), codec.encode(x, refine=True)
    assert (cost(codec, x, after) < cost(codec, x, before)).all()
    assert torch.equal(after.logvar, before.logvar)
    for batch in (1, 4):
        torch.testing.assert_close(codec.encode(x, batch=batch, refine=True).mean, after.mean, atol=1e-5, rtol=1e-5)
    assert not any(parameter.grad is not None for parameter in codec.model.parameters())


def test_what_comes_back_exactly_stays(tiny):
    codec = tiny()
    x = codec.decode(codec.draw(4, seed=0))
    latent = codec.encode(x)
    made = codec.decode(latent.mean)
    exact = codec.likelihood.distance(x, made) == 0
    mean = refined(codec.model, codec.likelihood, made, latent, None)
    assert torch.equal(mean, latent.mean)
    moved = (codec.encode(x, refine=True).mean != latent.mean).any(1)
    assert torch.equal(moved, ~exact)


def test_models_refine_as_often_as_they_are_set_to(tiny):
    settings = {"name": "patch-vae", "latent": 4, "width": 12, "depth": 1, "heads": 2}
    none, many = (
        codecs.build(Preset("x", {"adapter": {"name": "melody"}, "model": {**settings, "refine_steps": steps}}))
        for steps in (0, 3)
    )
    x = windows(none)
    assert torch.equal(none.encode(x, refine=True).mean, none.encode(x).mean)
    assert not torch.equal(many.encode(x, refine=True).mean, many.encode(x).mean)


def test_a_song_comes_back_better(repository):
    codec = musicae.load("band-2bar")
    x = codec.split(codec.adapter.read(repository / "data" / "band.mid"))
    rough, fine = (codec.decode(codec.encode(x, refine=refine).mean) for refine in (False, True))
    assert codec.likelihood.distance(x, rough).mean() > 0.01
    assert codec.likelihood.distance(x, fine).mean() < 0.005
