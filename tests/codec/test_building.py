import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

from musicae import checkpoint, codec, registry
from musicae.codec import building
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.tensors import allocation


def line(n):
    tokens = torch.randint(2, 90, (n,), generator=torch.Generator().manual_seed(n))
    return torch.nn.functional.one_hot(tokens, 90).T.float()


def test_a_saved_codec_gives_the_same_codes(tmp_path, tiny):
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


def test_a_stack_is_saved_without_the_weights_below_and_knows_them_again(tmp_path, tiny):
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
    with pytest.raises(MusicaeError, match=r"no checkpoint at .*below\.safetensors"):
        codec.load(str(path))


def test_a_stack_over_what_does_not_fit(tmp_path, tiny):
    below = tmp_path / "below.safetensors"
    tiny(adapter={"name": "drums"}).save(below)
    with pytest.raises(MusicaeError, match="has the adapter 'drums', not 'melody'"):
        codec.build(stacked(below))
    codec.build(Preset("lm", {"adapter": {"name": "melody"}, "model": {"name": "lm", "width": 8}})).save(below)
    with pytest.raises(MusicaeError, match="must name a preset with a code"):
        codec.build(stacked(below))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"bars": 8, "steps_per_beat": 2}, "steps_per_beat must be 4, as in [lower], not 2"),
        ({"low": 22}, "low must be 21, as in [lower], not 22"),
        ({"low": 20, "high": 107}, "low must be 21, as in [lower], not 20"),
    ],
)
def test_the_steps_of_a_stack_are_those_of_the_codec_below(tmp_path, tiny, settings, said):
    below = tmp_path / "below.safetensors"
    tiny().save(below)
    with pytest.raises(MusicaeError, match=f"^{re.escape('[adapter] ' + said)}$"):
        codec.build(stacked(below, **settings))
    for same in ({"steps_per_beat": 4}, {"bars": 6, "low": 21}):
        assert codec.build(stacked(below, **same)).spec.channels == 90


@pytest.mark.parametrize("name", registry.names("adapters"))
def test_settings_that_a_stack_is_free_in_leave_a_step_as_it_is(name):
    free, takes = registry.lookup("adapters", name).free_settings, registry.signature("adapters", name)
    assert set(free) < set(takes)
    plain = registry.build("adapters", name).spec
    longer = registry.build("adapters", name, **{free[0]: 2 * takes[free[0]].default}).spec
    assert longer.shape == (*plain.shape[:-1], 2 * plain.shape[-1])
    assert longer.groups == plain.groups


def test_a_stack_whose_header_names_no_digest_is_damaged(tmp_path, tiny):
    below, path = tmp_path / "below.safetensors", tmp_path / "stack.safetensors"
    tiny().save(below)
    stack = codec.build(stacked(below))
    stack.preset.sections["lower"]["digest"] = ""
    stack.save(path)
    with pytest.raises(MusicaeError, match="names no digest"):
        codec.load(str(path))


@pytest.fixture
def two(tmp_path, tiny):
    """A stack's checkpoint and the larger one that it is built over, with the bytes that loading each alone takes."""
    below, path = tmp_path / "below.safetensors", tmp_path / "stack.safetensors"
    tiny(model={"name": "patch-vae", "latent": 8, "width": 64, "depth": 2, "heads": 2}).save(below, weights="float32")
    codec.build(stacked(below)).save(path, weights="float32")
    return below, path, *(2 * one.stat().st_size for one in (below, path))


def test_a_stack_is_loaded_over_a_codec_many_times_as_large(two, monkeypatch):
    _, path, large, small = two
    assert large > 10 * small
    monkeypatch.setattr(building, "_EXTRA_NUMBERS", small // 8)
    below = codec.load(str(path)).model.lower.model
    assert sum(weight.numel() for weight in below.parameters()) > small


def test_the_memory_of_a_stack_is_that_of_both_its_files(two, monkeypatch):
    below, path, large, small = two
    monkeypatch.setenv("MUSICAE_MEMORY", str(large + small - 1))
    codec.load(str(below))
    said = r"stack\.safetensors over .*below\.safetensors takes .* of memory, the limit is .*; set MUSICAE_MEMORY"
    with pytest.raises(MusicaeError, match=said):
        codec.load(str(path))
    monkeypatch.setenv("MUSICAE_MEMORY", str(large + small))
    codec.load(str(path))


def test_a_stack_is_built_in_the_memory_that_the_codec_below_leaves(two, monkeypatch):
    below, _, large, _ = two
    recipe = stacked(below)
    recipe.sections["model"].update(latent=256, width=128)
    monkeypatch.setenv("MUSICAE_MEMORY", str(large - 1))
    with pytest.raises(MusicaeError, match=r"below\.safetensors takes .* of memory"):
        codec.build(recipe)
    monkeypatch.setenv("MUSICAE_MEMORY", str(large))
    with pytest.raises(MusicaeError, match=r"'stacked' takes more than .*, half of the memory that \[lower\] leaves"):
        codec.build(recipe)
    monkeypatch.setenv("MUSICAE_MEMORY", str(4 * large))
    codec.build(recipe)


@pytest.mark.parametrize("name", ["{self}", "\0.safetensors", "n" * 300 + ".safetensors", "/dev/zero", "."])
def test_a_header_may_name_anything_to_be_built_over(tmp_path, tiny, name):
    below, path = tmp_path / "below.safetensors", tmp_path / "stack.safetensors"
    tiny().save(below)
    stack = codec.build(stacked(below))
    stack.preset.sections["lower"]["name"] = name.format(self=path)
    stack.save(path)
    with pytest.raises(MusicaeError, match=r"^[^\n]+$"):
        codec.load(str(path))


@pytest.fixture
def damaged(tmp_path, tiny):
    """Return a function that writes a checkpoint with its header or its tensors changed."""

    def write(header=None, tensors=None):
        path = tmp_path / "x.safetensors"
        tiny().save(path)
        old, kept = checkpoint.read(path)
        old.pop("format")
        checkpoint.write(path, kept if tensors is None else tensors(kept), old if header is None else header(old))
        return str(path)

    return write


def test_tensors_that_do_not_fit_are_refused(damaged):
    for change in (
        lambda t: {**t, "model.to_code.bias": t["model.to_code.bias"][:-1]},
        lambda t: {k: v for k, v in t.items() if k != "model.to_code.bias"},
        lambda t: {**t, "model.extra": torch.zeros(1)},
    ):
        with pytest.raises(MusicaeError, match="does not fit"):
            codec.load(damaged(tensors=change))


def test_headers_that_name_what_is_not_there_are_refused(damaged):
    def model(name):
        return lambda h: {**h, "preset": {**h["preset"], "model": {**h["preset"]["model"], "name": name}}}

    with pytest.raises(MusicaeError, match="no model named 'os:system'"):
        codec.load(damaged(header=model("os:system")))
    with pytest.raises(MusicaeError, match="header is damaged"):
        codec.load(damaged(header=lambda h: {"preset": h["preset"]}))
    for wrong in ([], "text", {"adapter": 3}, {"model": {"name": 4}}):
        with pytest.raises(MusicaeError):
            codec.load(damaged(header=lambda h, wrong=wrong: {**h, "preset": wrong}))


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
def test_a_header_that_names_a_giant_takes_no_memory(damaged, key, value, said):
    def giant(header):
        model = {**header["preset"]["model"], key: value}
        return {**header, "preset": {**header["preset"], "model": model}}

    with pytest.raises(MusicaeError, match=said):
        codec.load(damaged(header=giant))


@pytest.mark.parametrize(
    "name", ["../escaped/evil", "/etc/x", "a\\b", "\x1b[31mred", "x.safetensors", ".", "n" * 300, 7]
)
def test_a_name_in_a_header_is_a_name(damaged, name):
    def named(header):
        return {**header, "preset": {**header["preset"], "name": name}}

    with pytest.raises(MusicaeError, match="is no name of a preset"):
        codec.load(damaged(header=named))


@pytest.mark.parametrize("step", [-1, 1e400, float("nan"), 10**400, "9" * 5000, None, [], True])
def test_a_step_in_a_header_is_a_number(damaged, step):
    with pytest.raises(MusicaeError, match=r"header is .*damaged"):
        codec.load(damaged(header=lambda h: {**h, "step": step}))


def test_a_preset_of_a_giant_is_refused_before_memory_is_taken(monkeypatch, tiny):
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


def test_integers_in_the_place_of_weights_are_refused(damaged):
    with pytest.raises(MusicaeError, match="does not fit"):
        codec.load(damaged(tensors=lambda t: {name: tensor.to(torch.int8) for name, tensor in t.items()}))


def test_settings_that_do_not_go_together_are_one_line():
    sections = {"adapter": {"name": "image", "height": 4, "width": 4}, "model": {"name": "unet", "depth": 90}}
    with pytest.raises(MusicaeError, match=r"^[^\n]+$"):
        codec.build(Preset("odd", sections))


def test_a_preset_without_weights_says_how_to_get_them(tmp_path):
    (tmp_path / "new.toml").write_text("[adapter]\nname = 'melody'\n[model]\nname = 'patch-vae'\n")
    with pytest.raises(MusicaeError, match="musicae train"):
        codec.load(str(tmp_path / "new.toml"))


def test_a_prior_is_conditional_on_what_the_model_is(tiny):
    with pytest.raises(MusicaeError, match=r"\[prior\] cond_channels must be 0, or the model's 0, not 3"):
        tiny(prior={"name": "flow", "width": 16, "depth": 1, "cond_channels": 3})


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
