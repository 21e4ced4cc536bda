"""The names of format 1, and every shipped file in both formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from musicae import checkpoint, codec, registry, upgrade
from musicae.core import Lower

SHIPPED = [
    path
    for path in sorted((Path(__file__).resolve().parent.parent / "presets").glob("*.safetensors"))
    if not path.stem.endswith(".attributes")
]


def test_a_preset_of_format_1_gets_the_names_of_today() -> None:
    old = {
        "name": "mnist-vq",
        "extends": "mnist-vq",
        "description": "rate",
        "adapter": {"name": "audio", "rate": 8000, "size": 64},
        "noise": {"name": "recordings", "by": "folder", "most": 5},
        "dataset": {"name": "files+pop909", "most": 3},
        "corruption": {"name": "several", "parts": [{"name": "clip", "low": -3.0, "share": 0.5}, 7]},
        "training": {"steps": 3},
    }
    assert upgrade.preset_tree(old) == {
        "name": "mnist-fsq",
        "extends": "mnist-fsq",
        "description": "rate",
        "adapter": {"name": "audio", "sample_rate": 8000, "size": 64},
        "noise": {"name": "recordings", "split_by": "folder", "max_windows": 5},
        "dataset": {"name": "pictures+pop909", "max_windows": 3},
        "corruption": {"name": "chain", "parts": [{"name": "clip", "min_db": -3.0, "share": 0.5}, 7]},
        "training": {"steps": 3},
    }


@pytest.mark.parametrize(("section", "name"), upgrade.SETTINGS, ids=" ".join)
def test_new_settings_are_those_of_the_parts(section: str, name: str) -> None:
    takes = registry.signature(f"{section}s", name)
    renamed = upgrade.SETTINGS[section, name]
    assert set(renamed.values()) <= set(takes)
    assert not set(renamed) & set(takes)


@pytest.mark.parametrize(("section", "new"), [(section, new) for (section, _), new in upgrade.PARTS.items()])
def test_new_names_are_those_of_parts(section: str, new: str) -> None:
    assert new in registry.names(f"{section}s")


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("model:patch-vae", "code.weight", "to_code.weight"),
        ("model:patch-vae", "decoder.spread.bias", "decoder.project_in.bias"),
        ("model:ae", "decoder.spread.4.bias", "decoder.project_in.4.bias"),
        ("model:aae", "penalty.net.0.bias", "regularizer.net.0.bias"),
        ("model:dual-path", "take.enter.weight", "hum_decoder.expand.weight"),
        ("model:dual-path", "take.weights.0", "hum_decoder.weights.0"),
        ("model:dual-path", "hear.bias", "hum_encoder.bias"),
        ("model:dual-path", "blocks.11.time.weight_ih_l0", "blocks.11.lstm.weight_ih_l0"),
        ("model:dual-path", "blocks.0.norm_time.bias", "blocks.0.norm_time.bias"),
        ("model:unet", "enter.bias", "conv_in.bias"),
        ("model:unet", "downs.0.1.leave.bias", "down_blocks.0.1.conv_out.bias"),
        ("model:unet", "shrink.0.bias", "downsample.0.bias"),
        ("model:column-vae", "mend.1.bias", "refiner.1.bias"),
        ("model:column-vae", "turn", "rotation"),
        ("model:lm", "head.gru.bias_hh_l0", "head.gru.bias_hh_l0"),
        ("prior:flow", "layers.2.time.bias", "layers.2.modulation.bias"),
        ("prior:flow", "time.0.bias", "time.0.bias"),
        ("prior:of-someone-else", "enter.bias", "enter.bias"),
    ],
)
@pytest.mark.parametrize("kind", ["", "networks.", "ema.", "exp_avg.", "exp_avg_sq.", "momentum_buffer."])
def test_tensors_of_networks_and_of_trainings_are_renamed(kind: str, part: str, old: str, new: str) -> None:
    section, name = part.split(":")
    tree = {section: {"name": name}}
    assert upgrade.tensor_name(f"{kind}{section}.{old}", tree) == f"{kind}{section}.{new}"


def test_other_tensors_keep_their_names() -> None:
    for name in ("first.weight", "model", "networks.model"):
        assert upgrade.tensor_name(name, {"model": {"name": "unet"}, "prior": None}) == name
    assert upgrade.tensor_name("model.enter.bias", {}) == "model.enter.bias"


def _rewritten(path: Path, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    header, tensors = checkpoint.read(path)
    checkpoint.write(folder / path.name, tensors, header)
    again, same = checkpoint.read(folder / path.name)
    assert again == header
    assert list(same) == sorted(tensors)
    assert all(torch.equal(same[name], tensor) for name, tensor in tensors.items())
    return header["preset"], tensors


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_is_read_in_both_formats(path: Path, tmp_path: Path) -> None:
    tree, tensors = _rewritten(path, tmp_path)
    for section in ("adapter", "model", "prior", "corruption", "likelihood", "dataset", "noise"):
        group = "datasets" if section == "noise" else f"{section}s"
        settings = dict(tree.get(section) or {})
        for one in str(settings.pop("name", "")).split("+"):
            if one:
                assert one in registry.names(group)
    kind, settings = tree["adapter"]["name"], {key: value for key, value in tree["adapter"].items() if key != "name"}
    adapter = registry.build("adapters", kind, **settings)
    below = _lower(tree)
    with torch.device("meta"):
        model = _part(tree, "model", adapter.spec, *below)
        networks = torch.nn.ModuleDict({"model": model})
        if tree.get("prior"):
            networks["prior"] = _part(tree, "prior", model.latent_size)
    expected = {name: tuple(tensor.shape) for name, tensor in networks.state_dict().items()}
    assert expected == checkpoint.shapes(path) == checkpoint.shapes(tmp_path / path.name)
    assert expected == {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _part(tree: dict[str, Any], section: str, *given: Any) -> Any:
    settings = dict(tree[section])
    return registry.build(f"{section}s", settings.pop("name"), *given, **settings)


def _lower(tree: dict[str, Any]) -> list[Lower]:
    """Return what a stack is built over."""
    if "lower" not in tree:
        return []
    below = codec.load(tree["lower"]["name"])
    return [Lower(below.model, below.spec)]


def test_there_are_shipped_files() -> None:
    assert len(SHIPPED) > 20


def test_shipped_files_are_small() -> None:
    """All fit a wheel, and those of before the bands and the stacks stay as small as they are."""
    sizes = {path.stem: path.stat().st_size for path in SHIPPED}
    assert sum(sizes.values()) <= 100_000_000
    later = {name for name in sizes if name.startswith("band-") or name.endswith("-16bar")}
    assert sum(size for name, size in sizes.items() if name not in later) <= 60_000_000
