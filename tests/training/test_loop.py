"""Training: it learns, whatever the data, the model and the precision."""

import json
import struct

import numpy as np
import pytest
import soundfile
import torch
from tiny import SETTINGS, recipe, same, tensors

from musicae import codec, splits
from musicae.core import Windows
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.shared_batch import Share
from musicae.tensors import precision as processor
from musicae.training.loop import fit, train
from musicae.training.objective import Objective
from musicae.training.options import Run, TrainingOptions


def test_it_learns_and_reports(folder, tmp_path):
    seen = []
    path = train(
        recipe(steps=60, lr=1e-2, log_every=10, checkpoint_every=30, beta=0.01), tmp_path / "run", {"": folder},
        report=seen.append, cpu=True,
    )  # fmt: skip
    steps = [values for values in seen if "nll" in values]
    assert [values["step"] for values in steps] == [10, 20, 30, 40, 50, 60]
    assert steps[-1]["nll"] < 0.7 * steps[0]["nll"]
    assert steps[-1]["examples_per_second"] > 0
    assert [v["step"] for v in seen if "validation_nll" in v] == [30, 60]
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(text) for text in lines] == seen
    assert codec.load(str(path)).step == 60


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_either_optimizer_learns_and_resumes_to_the_bit(sounds, tmp_path, kind):
    seen = []
    settings = {"optimizer": kind, "steps": 12, "log_every": 4, "checkpoint_every": 6, "lr": 1e-2}
    train(voice(**settings), tmp_path / "whole", sounds, report=seen.append, cpu=True)
    losses = [values["nll"] for values in seen if "nll" in values]
    assert losses[-1] < losses[0]
    asked = iter([False] * 6 + [True])
    with pytest.raises(KeyboardInterrupt):
        train(voice(**settings), tmp_path / "part", sounds, cpu=True, stop=lambda: next(asked))
    train(voice(**settings), tmp_path / "part", sounds, resume=True, cpu=True)
    assert same(*(tensors(tmp_path / run / "state.safetensors") for run in ("whole", "part")))
    other = {**settings, "optimizer": "adamw" if kind == "muon" else "muon"}
    with pytest.raises(MusicaeError, match="another preset"):
        train(voice(**other), tmp_path / "part", sounds, resume=True, cpu=True)


@pytest.mark.parametrize("corruption", [{"name": "hide-parts", "share": 0.0}, {"name": "drop-notes"}, None])
def test_a_prior_is_trained_on_what_is_hidden(tmp_path, corruption):
    sections = {
        "adapter": {"name": "band", "bars": 1},
        "model": {"name": "patch-vae", "latent": 4, "width": 8, "depth": 1, "heads": 2},
        "likelihood": {"name": "joint"},
        "prior": {"name": "flow", "width": 8, "depth": 1, "given": True, "linear": True},
        **({"corruption": corruption} if corruption else {}),
    }
    made = codec.build(Preset("made", sections))
    windows = Windows(torch.rand(24, *made.spec.full_shape).round(), torch.arange(24), None)
    parts = (made, windows, windows, tmp_path, made.corruption() if corruption else None)
    options = TrainingOptions(**{**SETTINGS, "steps": 1, "prior_steps": 3})
    if corruption is None or corruption["name"] != "hide-parts":
        with pytest.raises(MusicaeError, match=r"given = true needs .* use 'hide-parts'"):
            fit(*parts, options, Run(cpu=True))
        return
    learned = tensors(fit(*parts, options, Run(cpu=True)))
    assert learned["prior.linear_given.weight"].abs().sum() > 0


def test_noise_that_is_silent_is_one_line(sounds, tmp_path):
    for path in sounds["noise"].rglob("*.wav"):
        soundfile.write(path, np.full(3000, 1e-5), 8000)
    with pytest.raises(MusicaeError, match="1 silent"):
        train(voice(), tmp_path / "run", sounds, cpu=True)


def test_what_is_not_trained_and_what_counts_go_through_a_training(sounds, tmp_path):
    made = voice(steps=4, checkpoint_every=2)

    def parts():
        found = codec.build(made)
        found.model.counts = torch.nn.BatchNorm1d(3)  # Never used: its weights get no gradient.
        found.model.split.bias.requires_grad_(False)
        return found

    adapter = parts().adapter
    windows = [splits.load(made, adapter, split, sounds) for split in ("train", "validation")]
    options = TrainingOptions(steps=4, batch=4, checkpoint_every=2, precision="no")
    torch.manual_seed(0)
    fit(first := parts(), *windows, tmp_path / "whole", None, options, Run(cpu=True))
    torch.manual_seed(0)
    asked = iter([False, True])
    with pytest.raises(KeyboardInterrupt):
        fit(parts(), *windows, tmp_path / "part", None, options, Run(cpu=True, stop=lambda: next(asked)))
    fit(parts(), *windows, tmp_path / "part", None, options, Run(cpu=True, resume=True))
    assert same(*(tensors(tmp_path / run / "state.safetensors") for run in ("whole", "part")))
    before = parts()
    assert torch.equal(first.model.split.bias, before.model.split.bias)


def test_the_prior_is_trained_on_when_the_codes_are_finished(folder, tmp_path):
    seen = []
    train(recipe(), tmp_path / "first", {"": folder}, cpu=True)
    both = recipe(prior_steps=8)
    train(both, tmp_path / "both", {"": folder}, report=seen.append, cpu=True)
    first, second = (tensors(tmp_path / run / "model.safetensors") for run in ("first", "both"))
    assert all(torch.equal(first[name], second[name]) for name in first if name.startswith("model."))
    assert any(not torch.equal(first[name], second[name]) for name in first if name.startswith("prior."))
    steps = [values for values in seen if "lr" in values]
    assert [values["step"] for values in steps] == [4, 8, 12, 16, 20]
    assert ["nll" in values for values in steps] == [True, True, True, False, False]
    (tmp_path / "resumed").mkdir()
    state = (tmp_path / "first" / "state.safetensors").read_bytes()
    (tmp_path / "resumed" / "state.safetensors").write_bytes(state)
    train(both, tmp_path / "resumed", {"": folder}, resume=True, cpu=True)
    assert same(tensors(tmp_path / "both" / "state.safetensors"), tensors(tmp_path / "resumed" / "state.safetensors"))
    both.sections.pop("prior")
    with pytest.raises(MusicaeError, match=r"\[prior\]"):
        train(both, tmp_path / "none", {"": folder}, cpu=True)


PICTURES = {
    "unet": ({"model": {"name": "unet", "width": 4}, "corruption": {"name": "noise"}}, {"nll"}),
    "aae": ({"model": {"name": "aae", "latent": 2, "width": 4, "discriminator_width": 8}}, {"nll", "penalty"}),
    "cvae": ({"model": {"name": "vae", "latent": 2, "width": 4, "classes": 10}}, {"nll", "kl"}),
    "cvae-prior": (
        {
            "model": {"name": "vae", "latent": 2, "width": 4, "classes": 10},
            "prior": {"name": "flow", "width": 8, "depth": 1, "cond_channels": 10},
        },
        {"nll", "kl", "prior"},
    ),
}


@pytest.fixture
def digits(tmp_path):
    """The files of a small MNIST: a bright bar whose place is its class."""
    folder = tmp_path / "digits"
    folder.mkdir()
    for part, count in (("train", 60), ("t10k", 10)):
        labels = torch.arange(count) % 10
        pictures = torch.randint(0, 60, (count, 28, 28), generator=torch.Generator().manual_seed(count))
        for picture, label in zip(pictures, labels.tolist(), strict=True):
            picture[2 * label + 4 : 2 * label + 7] = 250
        header = struct.pack(">HBB3I", 0, 8, 3, count, 28, 28)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(header + bytes(pictures.flatten().tolist()))
        header = struct.pack(">HBBI", 0, 8, 1, count)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(header + bytes(labels.tolist()))
    return folder


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_are_trained_on_and_resumed_to_the_bit(digits, tmp_path, kind):
    sections, parts = PICTURES[kind]
    tree = {"adapter": {"name": "image"}, "dataset": {"name": "mnist"}, **sections}
    seen = []
    alone = {"steps": 6, "prior_steps": 2} if "prior" in sections else {"steps": 8}
    whole = Preset("tiny", {**tree, "training": {**SETTINGS, **alone}})
    train(whole, tmp_path / "whole", {"": digits}, report=seen.append, cpu=True)
    assert all(any(part in values for values in seen) for part in parts)
    assert seen[-1]["validation_nll"] > 0
    out = tmp_path / "part"

    def stop(values):
        if values["step"] == 4 and "validation_nll" in values:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(whole, out, {"": digits}, report=stop, cpu=True)
    train(whole, out, {"": digits}, resume=True, cpu=True)
    assert same(tensors(tmp_path / "whole" / "state.safetensors"), tensors(out / "state.safetensors"))


@pytest.fixture
def sounds(tmp_path):
    """Folders of speech, of three speakers, and of noise."""
    rng = np.random.default_rng(0)
    for name in ("speech/a", "speech/b", "speech/c", "noise"):
        (tmp_path / name).mkdir(parents=True)
        for i in range(3):
            soundfile.write(tmp_path / name / f"{i}.wav", 0.1 * rng.standard_normal(3000), 8000)
    return {"": tmp_path / "speech", "noise": tmp_path / "noise"}


def voice(**training):
    return Preset("voice", {
        "adapter": {
            "name": "audio", "sample_rate": 8000, "size": 512, "speed_change": 0.1, "min_level_db": -30.0,
            "max_level_db": -20.0,
        },
        "dataset": {"name": "recordings", "test": 0.0, "validation": 0.0},
        "noise": {"name": "recordings", "test": 0.0, "validation": 0.0},
        "model": {
            "name": "dual-path", "n_fft": 64, "hop_length": 32, "width": 8, "blocks": 1, "bands": [[9, 1], [3, 8]],
        },
        "corruption": {"name": "mix-noise", "sample_rate": 8000, "recorded": 100.0},
        "likelihood": {"name": "spectral"},
        "training": {**SETTINGS, **training},
    })  # fmt: skip


def test_sound_is_trained_on_with_its_noise_and_resumed_to_the_bit(sounds, tmp_path):
    train(voice(), tmp_path / "whole", sounds, cpu=True)
    asked = iter([False, False, False, False, True])
    with pytest.raises(KeyboardInterrupt):
        train(voice(), tmp_path / "part", sounds, cpu=True, stop=lambda: next(asked))
    train(voice(), tmp_path / "part", sounds, resume=True, cpu=True)
    for name in ("state.safetensors", "model.safetensors"):
        assert same(tensors(tmp_path / "whole" / name), tensors(tmp_path / "part" / name))
    # Without the folder of noise its corruption makes up its own.
    train(voice(), tmp_path / "without", {"": sounds[""]}, cpu=True)
    models = [tensors(tmp_path / run / "model.safetensors") for run in ("whole", "without")]
    assert not same(*models)


def test_sound_is_learnt(sounds, tmp_path):
    seen = []
    recipe = voice(steps=40, log_every=10, checkpoint_every=40, lr=1e-2)
    train(recipe, tmp_path / "run", sounds, report=seen.append, cpu=True)
    losses = [values["nll"] for values in seen if "nll" in values]
    assert losses[-1] < losses[0]


def test_a_run_is_not_overwritten_and_nothing_is_not_resumed(folder, tmp_path):
    with pytest.raises(MusicaeError, match="nothing to resume"):
        train(recipe(), tmp_path / "run", {"": folder}, resume=True, cpu=True)
    train(recipe(), tmp_path / "run", {"": folder}, cpu=True)
    with pytest.raises(MusicaeError, match="--resume"):
        train(recipe(), tmp_path / "run", {"": folder}, cpu=True)
    other = recipe()
    other.sections["model"]["latent"] = 5
    with pytest.raises(MusicaeError, match="another preset"):
        train(other, tmp_path / "run", {"": folder}, resume=True, cpu=True)


@pytest.mark.parametrize(
    ("setting", "match"), [({"schedule": "cosy"}, "schedule"), ({"stepps": 3}, "did you mean 'steps'")]
)
def test_wrong_settings_are_one_line(folder, tmp_path, setting, match):
    with pytest.raises(MusicaeError, match=match):
        train(recipe(**setting), tmp_path / "run", {"": folder}, cpu=True)
    assert not (tmp_path / "run").exists()


def test_the_callers_preset_stays_as_it_is(folder, tmp_path):
    mine = recipe(steps=1)
    before = json.dumps(mine.as_dict())
    train(mine, str(tmp_path / "run"), {"": folder}, cpu=True)
    assert json.dumps(mine.as_dict()) == before


def test_another_training_in_the_same_process_may_be_of_another_precision(folder, tmp_path):
    for precision in ("bf16", "no"):
        train(recipe(precision=precision, steps=1), tmp_path / precision, {"": folder}, cpu=True)
        assert (tmp_path / precision / "model.safetensors").is_file()


@pytest.mark.parametrize(("native", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_products_are_in_bfloat16_where_the_processor_has_it(folder, tmp_path, monkeypatch, native, expected):
    monkeypatch.setattr(processor, "has_bfloat16", lambda: native)
    kinds, product = set(), torch.nn.functional.linear

    def linear(x, weight, bias=None):
        out = product(x, weight, bias)
        kinds.add(out.dtype)
        return out

    monkeypatch.setattr(torch.nn.functional, "linear", linear)
    train(recipe(precision="bf16", steps=1), tmp_path / "run", {"": folder}, cpu=True)
    assert expected in kinds
    assert native or torch.bfloat16 not in kinds


@pytest.mark.parametrize("corrupted", [True, False])
def test_what_is_not_corrupted_is_given_as_it_is(folder, tmp_path, monkeypatch, corrupted):
    """The same tensor, also in the share that one of several processes has of a batch: a stack encodes it once."""
    seen, forward = [], Objective.forward

    def watched(self, clean, given, *args):
        seen.append(given is clean)
        return forward(self, clean, given, *args)

    monkeypatch.setattr(Objective, "forward", watched)
    monkeypatch.setattr(Share, "of", lambda self, x: x.narrow(0, 0, len(x)))
    sections = dict(recipe(steps=1).sections)
    if not corrupted:
        del sections["corruption"]
    train(Preset("tiny", sections), tmp_path / "run", {"": folder}, cpu=True)
    assert seen[0] is not corrupted


def test_batches_made_ahead_are_the_same(sounds, tmp_path):
    for out, workers in (("here", 0), ("ahead", 2)):
        train(voice(), tmp_path / out, sounds, cpu=True, workers=workers)
    for name in ("state.safetensors", "model.safetensors"):
        assert same(*(tensors(tmp_path / out / name) for out in ("here", "ahead")))
