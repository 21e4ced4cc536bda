"""Today's names of what older formats call by others: presets, parts and their settings, tensors of checkpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["PARTS", "PRESETS", "SETTINGS", "TENSORS", "preset_tree", "tensor_name"]

PRESETS: Mapping[str, str] = {"mnist-vq": "mnist-fsq"}
"""Presets of format 1, by their old names."""

PARTS: Mapping[tuple[str, str], str] = {
    ("dataset", "files"): "pictures",
    ("corruption", "several"): "chain",
}
"""Parts of format 1: (section, old name) -> new name."""

_GRU = {"recurrent": "gru_width"}

SETTINGS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("adapter", "audio"): {
        "rate": "sample_rate",
        "speed": "speed_change",
        "tilt": "eq_tilt_db",
        "bumps": "eq_bumps_db",
        "quietest": "min_level_db",
        "loudest": "max_level_db",
    },
    ("adapter", "image"): {"greys": "grey_share"},
    ("adapter", "mel"): {
        "rate": "sample_rate",
        "hop": "hop_length",
        "mels": "n_mels",
        "rounds": "griffin_lim_steps",
        "louder": "gain_db",
        "shift": "shift_bands",
    },
    ("dataset", "recordings"): {
        "by": "split_by",
        "most": "max_windows",
        "each": "max_per_piece",
        "low_cut": "high_pass_hz",
        "lively": "min_dynamic_range_db",
    },
    ("dataset", "one-shots"): {"by": "split_by", "longest": "max_length"},
    ("dataset", "pictures"): {"most": "max_windows", "size": "crop_size"},
    ("model", "aae"): {"adversary": "discriminator_width", "weight": "adversarial_weight"},
    ("model", "ae"): _GRU,
    ("model", "vae"): _GRU,
    ("model", "patch-ae"): _GRU,
    ("model", "patch-vae"): _GRU,
    ("model", "band-extension"): {"hop": "hop_length", "ahead": "lookahead"},
    ("model", "dual-path"): {
        "hop": "hop_length",
        "frames": "context_frames",
        "level": "level_frames",
        "usual": "background_frames",
        "relative": "relative_phase",
        "hum": "hum_sample_rate",
    },
    ("model", "mdct-vae"): {"hop": "hop_length"},
    ("model", "unet"): {"mirrors": "self_ensemble"},
    ("prior", "flow"): {"steps": "ode_steps", "classes": "cond_channels", "numbers": "active_size"},
    ("corruption", "mix-noise"): {
        "rate": "sample_rate",
        "low": "min_snr_db",
        "high": "max_snr_db",
        "clean": "clean_share",
        "second": "second_share",
    },
    ("corruption", "band-limit"): {"low": "min_edge", "high": "max_edge", "beyond": "max_stop"},
    ("corruption", "low-pass"): {"rate": "sample_rate", "low": "min_hz", "high": "max_hz"},
    ("corruption", "clip"): {"low": "min_db", "high": "max_db"},
    ("corruption", "blind-noise"): {"low": "min_sigma", "high": "max_sigma"},
    ("corruption", "reverberate"): {
        "rate": "sample_rate",
        "shortest": "min_rt60",
        "longest": "max_rt60",
        "near": "max_drr_db",
        "far": "min_drr_db",
    },
    ("likelihood", "spectral"): {
        "hop": "hop_length",
        "magnitude": "magnitude_weight",
        "phase": "complex_weight",
        "ratio": "snr_weight",
        "words": "stoi_weight",
        "rate": "sample_rate",
    },
    ("likelihood", "log-spectral"): {"ratio": "snr_weight", "sizes": "n_fft_sizes"},
    ("evaluation", "recordings"): {"ratios": "snrs_db"},
}
"""Settings of format 1, under the part's new name: old setting -> new setting."""

Renames = Mapping[str, str]
"""Regular expressions for how tensors' names begin -> what replaces that; the first match counts."""

_CODE: Renames = {r"penalty\.": "regularizer.", r"code\.": "to_code.", r"decoder\.spread\.": "decoder.project_in."}

TENSORS: Mapping[tuple[str, str], Renames] = {
    **{("model", name): _CODE for name in ("aae", "ae", "fsq-ae", "patch-ae", "patch-vae", "sparse-ae", "vae")},
    ("model", "band-extension"): {r"enter\.": "project_in.", r"leave\.": "project_out.", r"time\.": "lstm."},
    ("model", "column-vae"): {
        "axes$": "components",
        "centre$": "mean",
        "kept$": "selected",
        "turn$": "rotation",
        r"mend\.": "refiner.",
    },
    ("model", "dual-path"): {
        r"merge\.enter\.": "merge.expand.",
        r"take\.enter\.": "hum_decoder.expand.",
        r"take\.": "hum_decoder.",
        r"hear\.": "hum_encoder.",
        r"blocks\.(\d+)\.project\.": r"blocks.\1.project_bands.",
        r"blocks\.(\d+)\.time\.": r"blocks.\1.lstm.",
        r"blocks\.(\d+)\.leave\.": r"blocks.\1.project_time.",
    },
    ("model", "mdct-vae"): {"axes$": "components", "centre$": "mean"},
    ("model", "unet"): {
        r"enter\.": "conv_in.",
        r"leave\.": "conv_out.",
        r"downs\.(\d+)\.(\d+)\.enter\.": r"down_blocks.\1.\2.conv_in.",
        r"downs\.(\d+)\.(\d+)\.leave\.": r"down_blocks.\1.\2.conv_out.",
        r"ups\.(\d+)\.(\d+)\.enter\.": r"up_blocks.\1.\2.conv_in.",
        r"ups\.(\d+)\.(\d+)\.leave\.": r"up_blocks.\1.\2.conv_out.",
        r"bottom\.(\d+)\.enter\.": r"bottleneck.\1.conv_in.",
        r"bottom\.(\d+)\.leave\.": r"bottleneck.\1.conv_out.",
        r"shrink\.": "downsample.",
        r"grow\.": "upsample.",
    },
    ("prior", "flow"): {
        r"enter\.": "project_in.",
        r"leave\.": "project_out.",
        r"classes\.": "condition.",
        r"layers\.(\d+)\.time\.": r"layers.\1.modulation.",
    },
}
"""Tensors of format 1, under the part's name today: without the section and the dot in front."""

_KINDS = {"noise": "dataset"}  # Sections whose parts are registered as another kind.


def preset_tree(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return a preset's tree of format 1 with today's names."""
    return {
        key: _section(key, value) if isinstance(value, Mapping) else _renamed(key, value) for key, value in tree.items()
    }


def _renamed(key: str, value: Any) -> Any:
    return PRESETS.get(value, value) if key in ("name", "extends") and isinstance(value, str) else value


def _section(section: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    kind = _KINDS.get(section, section)
    old = str(keys.get("name", ""))
    name = "+".join(PARTS.get((kind, part), part) for part in old.split("+"))
    renamed: dict[str, str] = {}
    for part in name.split("+"):
        renamed |= SETTINGS.get((kind, part), {})
    tree = {renamed.get(key, key): value for key, value in keys.items()}
    if isinstance(tree.get("name"), str):
        tree["name"] = name
    if kind == "corruption" and isinstance(tree.get("parts"), list):
        tree["parts"] = [_section(section, part) if isinstance(part, Mapping) else part for part in tree["parts"]]
    return tree


_TENSOR = re.compile(r"(?P<kind>(?:[a-z_]+\.)?)(?P<section>model|prior)\.(?P<rest>.+)")
"""Of networks, and of a training's state, where a prefix says which: ``networks.``, ``ema.``, ``exp_avg.`` ..."""


def tensor_name(name: str, tree: Mapping[str, Any]) -> str:
    """Return today's name of a tensor of format 1; `tree` is its checkpoint's preset, with today's names."""
    match = _TENSOR.fullmatch(name)
    if match is None:
        return name
    kind, section, rest = match["kind"], match["section"], match["rest"]
    part = tree.get(section)
    renames = TENSORS.get((section, str(part.get("name", ""))), {}) if isinstance(part, Mapping) else {}
    for old, new in renames.items():
        changed, count = re.subn(f"^{old}", new, rest)
        if count:
            return f"{kind}{section}.{changed}"
    return name
