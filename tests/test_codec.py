import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

from musicae import checkpoint, codec, registry
from musicae.core import ConditionSpec, Group, Model, Sample, Spec
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.tensors import allocation, tiling
from musicae.tensors.likelihoods.gaussian import Gaussian

TINY = {
    "adapter": {"name": "melody"},
    "model": {"name": "patch-vae", "latent": 8, "width": 12, "depth": 1, "heads": 2, "gru_width": 8},
    "prior": {"name": "flow", "width": 16, "depth": 1},
}


def tiny(**sections):
    torch.manual_seed(0)
    parts = codec.build(Preset("tiny", {**{k: dict(v) for k, v in TINY.items()}, **sections}))
    parts.networks().eval()
    return parts


def line(n):
    tokens = torch.randint(2, 90, (n,), generator=torch.Generator().manual_seed(n))
    return torch.nn.functional.one_hot(tokens, 90).T.float()


def test_a_saved_codec_gives_the_same_codes(tmp_path):
    parts = tiny()
    parts.step = 7
    parts.save(tmp_path / "x.safetensors", weights="float32")
    again = codec.load(str(tmp_path / "x.safetensors"))
    assert again.step == 7
    assert again.preset.as_dict() == parts.preset.as_dict()
    x = parts.split(Sample(line(70)))
    assert torch.equal(parts.encode(x).mean, again.encode(x).mean)
    z = parts.draw(3, seed=1)
    assert torch.equal(z, again.draw(3, seed=1))
    assert torch.equal(parts.decode(z, 1.0, seed=2), again.decode(z, 1.0, seed=2))
    assert not torch.equal(parts.decode(z, 1.0, seed=2), parts.decode(z, 1.0, seed=3))


def stacked(lower, **adapter):
    return Preset("stacked", {
        "adapter": {"name": "melody", "bars": 4, **adapter},
        "lower": {"name": str(lower)},
        "model": {"name": "stack", "latent": 6, "width": 12, "depth": 1, "heads": 2},
    })  # fmt: skip


def test_a_stack_is_saved_without_the_weights_below_and_knows_them_again(tmp_path):
    below = tmp_path / "below.safetensors"
    tiny().save(below)
    stack = codec.build(stacked(below))
    stack.networks().eval()
    assert stack.preset.sections["lower"]["digest"] == checkpoint.digest(below)
    path = tmp_path / "stack.safetensors"
    stack.save(path, weights="float32")
    assert not any("lower" in name for name in checkpoint.shapes(path))
    again = codec.load(str(path))
    x = again.split(Sample(line(100)))
    assert x.shape == (2, 90, 64)
    assert torch.equal(again.encode(x).mean, stack.encode(x).mean)
    z = again.draw(2, seed=0)
    made, cost = again.decode_with_nll(z)
    assert torch.equal(made, again.decode(z))
    assert made.shape == (2, 90, 64)
    assert torch.allclose(cost, again.nll(z, made), rtol=1e-3)
    tiny(prior={"name": "flow", "width": 20, "depth": 1}).save(below)
    with pytest.raises(MusicaeError, match="train it again over these"):
        codec.load(str(path))
    below.unlink()
    with pytest.raises(MusicaeError, match=r"below\.safetensors"):
        codec.load(str(path))


def test_a_stack_over_what_does_not_fit(tmp_path):
    below = tmp_path / "below.safetensors"
    tiny(adapter={"name": "drums"}).save(below)
    with pytest.raises(MusicaeError, match="is for other tensors than"):
        codec.build(stacked(below))
    codec.build(Preset("lm", {"adapter": {"name": "melody"}, "model": {"name": "lm", "width": 8}})).save(below)
    with pytest.raises(MusicaeError, match="must name a preset with a code"):
        codec.build(stacked(below))


def test_a_stack_whose_header_names_no_digest_is_damaged(tmp_path):
    below, path = tmp_path / "below.safetensors", tmp_path / "stack.safetensors"
    tiny().save(below)
    stack = codec.build(stacked(below))
    stack.preset.sections["lower"]["digest"] = ""
    stack.save(path)
    with pytest.raises(MusicaeError, match="names no digest"):
        codec.load(str(path))


def test_split_pads_with_rests_and_join_cuts_them_off():
    parts = tiny()
    x = parts.split(Sample(line(40)))
    assert x.shape == (2, 90, 32)
    assert (x[1, :, 8:].argmax(0) == 0).all()
    assert torch.equal(parts.join(x, None, 40), line(40))


def test_batches_do_not_change_the_result():
    parts = tiny()
    x = parts.split(Sample(line(32 * 5)))
    torch.testing.assert_close(parts.encode(x, batch=2).mean, parts.encode(x).mean)
    z = parts.encode(x).mean
    torch.testing.assert_close(parts.decode(z, batch=2), parts.decode(z))
    assert parts.decode(z[:0]).shape == (0, 90, 32)


def test_what_a_code_stands_for_is_more_probable_than_anything_else():
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


def test_noise_and_codes_go_over_into_each_other():
    parts = tiny()
    z = parts.from_noise(parts.noise(5, seed=0))
    torch.testing.assert_close(parts.from_noise(parts.to_noise(z)), z, atol=1e-2, rtol=1e-2)
    torch.testing.assert_close(z, parts.draw(5, seed=0))


def test_without_a_prior_draws_are_normal():
    parts = tiny()
    parts.prior = None
    z = parts.draw(2000, seed=0, temperature=2.0)
    assert abs(z.std().item() - 2) < 0.05


def _damage(tmp_path, header=None, tensors=None):
    path = tmp_path / "x.safetensors"
    tiny().save(path)
    old, kept = checkpoint.read(path)
    old.pop("format")
    checkpoint.write(path, kept if tensors is None else tensors(kept), old if header is None else header(old))
    return str(path)


def test_tensors_that_do_not_fit_are_refused(tmp_path):
    for change in (
        lambda t: {**t, "model.to_code.bias": t["model.to_code.bias"][:-1]},
        lambda t: {k: v for k, v in t.items() if k != "model.to_code.bias"},
        lambda t: {**t, "model.extra": torch.zeros(1)},
    ):
        with pytest.raises(MusicaeError, match="does not fit"):
            codec.load(_damage(tmp_path, tensors=change))


def test_headers_that_name_what_is_not_there_are_refused(tmp_path):
    def model(name):
        return lambda h: {**h, "preset": {**h["preset"], "model": {**h["preset"]["model"], "name": name}}}

    with pytest.raises(MusicaeError, match="no model named 'os:system'"):
        codec.load(_damage(tmp_path, header=model("os:system")))
    with pytest.raises(MusicaeError, match="header is damaged"):
        codec.load(_damage(tmp_path, header=lambda h: {"preset": h["preset"]}))
    for wrong in ([], "text", {"adapter": 3}, {"model": {"name": 4}}):
        with pytest.raises(MusicaeError):
            codec.load(_damage(tmp_path, header=lambda h, wrong=wrong: {**h, "preset": wrong}))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        *((key, 10**8, f"{key} must be . to ") for key in ("latent", "width", "depth", "gru_width")),
        ("latent", 65_536, "does not fit the model its header names"),
        ("width", 65_536, "does not fit the model its header names"),
        ("depth", 100, "does not fit the model its header names"),
        ("gru_width", 65_536, "does not fit the model its header names"),
        ("heads", 0, "heads must be 1 to "),
        ("heads", None, "heads must be a number"),
        ("step_dropout", float("nan"), "step_dropout must be 0 to 1"),
    ],
)
def test_a_header_that_names_a_giant_takes_no_memory(tmp_path, key, value, said):
    def giant(header):
        model = {**header["preset"]["model"], key: value}
        return {**header, "preset": {**header["preset"], "model": model}}

    with pytest.raises(MusicaeError, match=said):
        codec.load(_damage(tmp_path, header=giant))


@pytest.mark.parametrize(
    "name", ["../escaped/evil", "/etc/x", "a\\b", "\x1b[31mred", "x.safetensors", ".", "n" * 300, 7]
)
def test_a_name_in_a_header_is_a_name(tmp_path, name):
    def named(header):
        return {**header, "preset": {**header["preset"], "name": name}}

    with pytest.raises(MusicaeError, match="is no name of a preset"):
        codec.load(_damage(tmp_path, header=named))


@pytest.mark.parametrize("step", [-1, 1e400, float("nan"), 10**400, "9" * 5000, None, [], True])
def test_a_step_in_a_header_is_a_number(tmp_path, step):
    with pytest.raises(MusicaeError, match=r"header is .*damaged"):
        codec.load(_damage(tmp_path, header=lambda h: {**h, "step": step}))


def test_a_preset_of_a_giant_is_refused_before_memory_is_taken(monkeypatch):
    sections = {"adapter": {"name": "melody"}, "model": {"name": "patch-vae", "width": 65_536, "heads": 1}}
    with pytest.raises(MusicaeError, match=r"'giant' takes more than 500 MB, half of .*; set MUSICAE_MEMORY"):
        codec.build(Preset("giant", sections))
    monkeypatch.setenv("MUSICAE_MEMORY", "1K")
    with pytest.raises(MusicaeError, match="takes more than 500 B, half of the memory allowed"):
        tiny()


def test_weights_of_8_bits_count_as_the_memory_they_take(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    sections = {"adapter": {"name": "melody"}, "model": {"name": "patch-vae", "width": 128, "depth": 1, "heads": 2}}
    codec.build(Preset("small", sections)).save(path, weights="int8")
    monkeypatch.setenv("MUSICAE_MEMORY", str(6 * path.stat().st_size))
    with pytest.raises(MusicaeError, match=r"x\.safetensors takes .* of memory, the limit is "):
        codec.load(str(path))
    monkeypatch.setenv("MUSICAE_MEMORY", str(9 * path.stat().st_size))
    assert codec.load(str(path)).preset.name == "small"


def test_only_what_is_trained_is_stored_in_8_bits(tmp_path):
    sections = {"adapter": {"name": "audio", "size": 2048}, "model": {"name": "mdct-vae", "latent": 192}}
    whole = codec.build(Preset("small", sections))
    whole.save(tmp_path / "x.safetensors", weights="int8")
    found = checkpoint.read(tmp_path / "x.safetensors")[1]
    trained = dict(whole.model.named_parameters())
    assert torch.equal(found["model.components"], whole.model.components)
    assert whole.model.components.numel() > 2**15
    assert any(not torch.equal(found[f"model.{name}"], tensor.half().float()) for name, tensor in trained.items())


def test_integers_in_the_place_of_weights_are_refused(tmp_path):
    with pytest.raises(MusicaeError, match="does not fit"):
        codec.load(_damage(tmp_path, tensors=lambda t: {name: tensor.to(torch.int8) for name, tensor in t.items()}))


def test_settings_that_do_not_go_together_are_one_line():
    sections = {"adapter": {"name": "image", "height": 4, "width": 4}, "model": {"name": "unet", "depth": 90}}
    with pytest.raises(MusicaeError, match=r"^[^\n]+$"):
        codec.build(Preset("odd", sections))


def test_a_header_is_plain_json(tmp_path):
    tiny().save(tmp_path / "x.safetensors")
    assert json.loads(json.dumps(checkpoint.read_header(tmp_path / "x.safetensors")))["preset"]["name"] == "tiny"


def test_a_preset_without_weights_says_how_to_get_them(tmp_path):
    (tmp_path / "new.toml").write_text("[adapter]\nname = 'melody'\n[model]\nname = 'patch-vae'\n")
    with pytest.raises(MusicaeError, match="musicae train"):
        codec.load(str(tmp_path / "new.toml"))


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


def test_codes_of_another_size_are_refused():
    for wrong in (torch.zeros(2, 7), torch.zeros(8)):
        with pytest.raises(MusicaeError, match=r"codes of 'tiny' are of shape \(N, 8\), not \("):
            tiny().decode(wrong)


def test_a_prior_is_conditional_on_what_the_model_is():
    with pytest.raises(MusicaeError, match=r"\[prior\] cond_channels must be 0, or the model's 0, not 3"):
        tiny(prior={"name": "flow", "width": 16, "depth": 1, "cond_channels": 3})


def test_a_condition_of_another_length_than_its_sample_is_refused():
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


def test_codecs_are_loaded_by_several_threads_at_once(tiny_melody: Path) -> None:
    names = ("kaiming_uniform_", "uniform_", "normal_", "zeros_", "ones_")
    before = {name: vars(nn.init)[name] for name in names}
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(codec.load, [str(tiny_melody)] * 12))
    finally:
        sys.setswitchinterval(interval)
    assert {name: vars(nn.init)[name] for name in names} == before
    first, *others = ([one.clone() for one in codec.networks().parameters()] for codec in made)
    assert all(torch.equal(a, b) for other in others for a, b in zip(first, other, strict=True))


def test_other_threads_draw_their_weights_while_one_loads() -> None:
    with allocation.skip_initialisation(), ThreadPoolExecutor(1) as pool:
        layer = pool.submit(nn.Linear, 3, 3).result()
        assert layer.weight.abs().max() < 1
        kept = torch.full((2,), 5.0)
        assert torch.equal(nn.init.zeros_(kept), torch.full((2,), 5.0))
        assert torch.equal(pool.submit(nn.init.zeros_, kept).result(), torch.zeros(2))
