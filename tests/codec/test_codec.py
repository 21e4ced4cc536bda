import json

import pytest
import torch

from musicae import checkpoint, codec, registry
from musicae.core import ConditionSpec, Group, Model, Sample, Spec
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.tensors import tiling
from musicae.tensors.likelihoods.gaussian import Gaussian


def line(n):
    tokens = torch.randint(2, 90, (n,), generator=torch.Generator().manual_seed(n))
    return torch.nn.functional.one_hot(tokens, 90).T.float()


def test_split_pads_with_rests_and_join_cuts_them_off(tiny):
    parts = tiny()
    x = parts.split(Sample(line(40)))
    assert x.shape == (2, 90, 32)
    assert (x[1, :, 8:].argmax(0) == 0).all()
    assert torch.equal(parts.join(x, None, 40), line(40))


def test_batches_do_not_change_the_result(tiny):
    parts = tiny()
    x = parts.split(Sample(line(32 * 5)))
    torch.testing.assert_close(parts.encode(x, batch=2).mean, parts.encode(x).mean)
    z = parts.encode(x).mean
    torch.testing.assert_close(parts.decode(z, batch=2), parts.decode(z))
    assert parts.decode(z[:0]).shape == (0, 90, 32)


def test_what_a_code_stands_for_is_more_probable_than_anything_else(tiny):
    parts = tiny()
    z = parts.draw(4, seed=0)
    values = parts.decode(z)
    others = parts.decode(z, temperature=5.0, seed=1)
    assert parts.nll(z, values).shape == (4,)
    assert (parts.nll(z, values) < parts.nll(z, others)).all()
    torch.testing.assert_close(parts.nll(z, values, batch=3), parts.nll(z, values))
    for batch in (3, 100):
        most_probable, nll = parts.decode_with_nll(z, batch=batch)
        assert torch.equal(most_probable, parts.decode(z))
        torch.testing.assert_close(nll, parts.nll(z, most_probable))
    assert [len(part) for part in parts.decode_with_nll(z[:0])] == [0, 0]


def test_noise_and_codes_go_over_into_each_other(tiny):
    parts = tiny()
    z = parts.from_noise(parts.noise(5, seed=0))
    torch.testing.assert_close(parts.from_noise(parts.to_noise(z)), z, atol=1e-2, rtol=1e-2)
    torch.testing.assert_close(z, parts.draw(5, seed=0))


BAND = {
    "adapter": {"name": "band", "bars": 1},
    "model": {"name": "patch-vae", "latent": 6, "width": 16, "depth": 1, "heads": 2, "along": 24},
    "likelihood": {"name": "joint"},
    "corruption": {"name": "hide-parts"},
    "prior": {"name": "flow", "width": 16, "depth": 1, "cond_channels": 24, "given": True},
}


def test_the_prior_is_given_the_code_of_what_is_known():
    torch.manual_seed(0)
    parts = codec.build(Preset("made", BAND))
    x = (torch.rand(3, *parts.spec.full_shape) < 0.2).float()
    melody = parts.spec.parts["melody"]
    known = parts.encode_known(x, melody)
    assert torch.equal(known, parts.encode_known(torch.where(melody.view(-1, 1), x, torch.rand_like(x)), melody))
    assert not torch.allclose(known, parts.encode(x).mean)
    noise = parts.noise(3)
    assert not torch.equal(parts.from_noise(noise, given=known), parts.from_noise(noise))
    z = parts.from_noise(noise, given=known)
    torch.testing.assert_close(parts.to_noise(z, given=known), noise, atol=0.05, rtol=0.05)
    # Without chords, which may be left out.
    assert torch.equal(parts.from_noise(noise), parts.from_noise(noise, torch.zeros(3, 24, 16)))


def test_codes_are_moved_to_other_conditions_by_the_prior():
    torch.manual_seed(0)
    parts = codec.build(Preset("made", BAND))
    z, own, asked = torch.randn(3, 6), torch.rand(3, 24, 16), torch.rand(3, 24, 16)
    torch.testing.assert_close(parts.under(z, own, own), z)
    moved = parts.under(z, own, asked)
    assert (moved - z).norm() > 0.01
    torch.testing.assert_close(parts.under(moved, asked, own), z, atol=0.01, rtol=0.01)
    parts.prior = None
    assert parts.under(z, own, asked) is z


def test_a_prior_that_takes_nothing_is_given_nothing(tiny):
    parts = tiny()
    assert parts.under(z := torch.zeros(2, 4), None, None) is z
    assert parts.encode_known(torch.zeros(2, 90, 32), torch.ones(90, dtype=torch.bool)) is None


def test_without_a_prior_draws_are_normal(tiny):
    parts = tiny()
    parts.prior = None
    z = parts.draw(2000, seed=0, temperature=2.0)
    assert abs(z.std().item() - 2) < 0.05


def test_only_what_is_trained_is_stored_in_8_bits(tmp_path):
    sections = {"adapter": {"name": "audio", "size": 2048}, "model": {"name": "mdct-vae", "latent": 192}}
    whole = codec.build(Preset("small", sections))
    whole.save(tmp_path / "x.safetensors", weights="int8")
    found = checkpoint.read(tmp_path / "x.safetensors")[1]
    trained = dict(whole.model.named_parameters())
    assert torch.equal(found["model.components"], whole.model.components)
    assert whole.model.components.numel() > 2**15
    assert any(not torch.equal(found[f"model.{name}"], tensor.half().float()) for name, tensor in trained.items())


def test_a_header_is_plain_json(tmp_path, tiny):
    tiny().save(tmp_path / "x.safetensors")
    assert json.loads(json.dumps(checkpoint.read_header(tmp_path / "x.safetensors")))["preset"]["name"] == "tiny"


def unet():
    class Plain:
        spec = Spec(1, (16, 16), "gaussian")

    torch.manual_seed(0)
    model = registry.build("models", "unet", Plain.spec, width=4, depth=1)
    return codec.Codec(Preset("tiny"), Plain(), model.eval(), Gaussian())


@pytest.mark.parametrize("size", [(1, 1), (40, 40), (33, 71)])
def test_tiles_give_what_the_whole_gives(monkeypatch, size):
    parts, x = unet(), torch.rand(1, *size)
    monkeypatch.setattr(tiling, "_TILE", 16)
    monkeypatch.setattr(tiling, "_CONTEXT", 16)
    told = []
    tiled = parts.restore_any_size(x, report=lambda done, of: told.append((done, of)))
    own = x.clone()
    assert parts.restore_any_size(own, in_place=True) is own
    assert torch.equal(own, tiled)
    # Mirrored at its edge where that is not a whole block: noise drawn out to lines is no noise.
    mode = "replicate" if size == (1, 1) else "reflect"
    padded = torch.nn.functional.pad(x[None], (0, -size[1] % 2, 0, -size[0] % 2), mode=mode)
    torch.testing.assert_close(tiled, parts.restore(padded)[0, :, : size[0], : size[1]])
    assert told[-1][0] == told[-1][1] == -(-size[0] // 16) * -(-size[1] // 16)


def test_restoring_is_for_models_that_can(tiny_melody):
    melody = codec.load(str(tiny_melody))
    assert melody.restore(melody.split(Sample(line(64)))).shape == (2, 90, 32)
    with pytest.raises(MusicaeError, match="code of fixed size"):
        melody.restore_any_size(line(64))
    with pytest.raises(MusicaeError, match="takes no label"):
        melody.label_conditions(torch.tensor([1]))


def test_labels_are_one_hot_and_checked():
    parts = unet()
    parts.model.condition = ConditionSpec(3, classes=True)
    assert parts.label_conditions(torch.tensor([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    for wrong in (-1, 3):
        with pytest.raises(MusicaeError, match="0 to 2"):
            parts.label_conditions(torch.tensor([wrong]))


def test_codes_of_another_size_are_refused(tiny):
    for wrong in (torch.zeros(2, 7), torch.zeros(8)):
        with pytest.raises(MusicaeError, match=r"codes of 'tiny' are of shape \(N, 8\), not \("):
            tiny().decode(wrong)


def test_a_condition_of_another_length_than_its_sample_is_refused(tiny):
    with pytest.raises(MusicaeError, match="the sample's `cond` has 30 steps, its tensor 40"):
        tiny().split_cond(Sample(line(40), cond=torch.zeros(2, 30)))


def test_real_groups_are_averaged_where_windows_overlap_and_discrete_ones_are_not():
    class Plain:
        spec = Spec.joint((4,), (Group("drums", 1, "bernoulli"), Group("velocity", 1, "gaussian")))

    likelihood = registry.build("likelihoods", "joint").bind(Plain.spec)
    parts = codec.Codec(Preset("tiny"), Plain(), Model(), likelihood)
    windows = torch.stack([torch.zeros(2, 4), torch.ones(2, 4)])
    joined = parts.join(windows, 2, 6)
    assert joined[0].tolist() == [0, 0, 1, 1, 1, 1]
    assert joined[1].tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 1, 1])
