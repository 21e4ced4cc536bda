"""Fine-tuning starts from the weights of a trained preset."""

from dataclasses import replace

import pytest
from tiny import recipe, same, tensors

from musicae import checkpoint
from musicae.errors import MusicaeError
from musicae.training.loop import train

FIXED = {"lr": 0.0, "weight_decay": 0.0, "steps": 2, "log_every": 2, "checkpoint_every": 2}


def _changed(preset, section, **settings):
    return replace(preset, sections={**preset.sections, section: {**preset.sections[section], **settings}})


@pytest.fixture
def trained(folder, tmp_path):
    return train(recipe(steps=8, lr=1e-2), tmp_path / "first", {"": folder}, cpu=True)


def test_a_training_starts_from_the_weights_of_another(folder, tmp_path, trained):
    path = train(recipe(seed=5, **FIXED), tmp_path / "on", {"": folder}, start=str(trained), cpu=True)
    learned = [name for name in tensors(path) if name not in ("prior.mean", "prior.scale")]  # Those follow the codes.
    assert len(learned) > 20
    assert same(*({name: tensors(one)[name] for name in learned} for one in (path, trained)))
    anew = train(recipe(seed=5, **FIXED), tmp_path / "anew", {"": folder}, cpu=True)
    assert not same(tensors(anew), tensors(trained))


def test_a_prior_with_other_settings_starts_anew(folder, tmp_path, trained):
    other = _changed(recipe(**FIXED), "prior", width=8)
    path = train(other, tmp_path / "on", {"": folder}, start=str(trained), cpu=True)
    kept = {name: value for name, value in tensors(trained).items() if name.startswith("model.")}
    assert same(kept, {name: tensors(path)[name] for name in kept})
    assert tensors(path)["prior.project_in.weight"].shape == (8, 4)


def test_what_was_started_so_resumes(folder, tmp_path, trained):
    settings = {"steps": 4, "log_every": 2, "checkpoint_every": 2, "seed": 3}
    whole = train(recipe(**settings), tmp_path / "whole", {"": folder}, start=str(trained), cpu=True)
    asked = iter([True])
    with pytest.raises(KeyboardInterrupt):
        train(recipe(**settings), tmp_path / "part", {"": folder}, start=str(trained), cpu=True, stop=asked.__next__)
    part = train(recipe(**settings), tmp_path / "part", {"": folder}, resume=True, cpu=True)
    assert same(tensors(whole), tensors(part))
    assert checkpoint.read_header(part)["step"] == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"latent": 6},
            r"do not fit the model of 'tiny': .* is of shape \(96, 4\) there, and of shape \(96, 6\) here",
        ),
        ({"depth": 2}, r"is missing there, and of shape .* here; start from a preset with the same \[model\]"),
    ],
)
def test_another_model_is_refused(folder, tmp_path, trained, change, said):
    with pytest.raises(MusicaeError, match=said):
        train(_changed(recipe(), "model", **change), tmp_path / "on", {"": folder}, start=str(trained), cpu=True)
    assert not (tmp_path / "on" / "model.safetensors").exists()


def test_weights_that_are_missing_are_one_line(folder, tmp_path):
    with pytest.raises(MusicaeError, match="check the path"):
        train(recipe(), tmp_path / "on", {"": folder}, start=str(tmp_path / "no.safetensors"), cpu=True)
