"""The settings of a training check themselves."""

import dataclasses
import inspect

import pytest

from musicae import preset
from musicae.errors import MusicaeError
from musicae.preset import Preset
from musicae.training.options import Run, TrainingOptions


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ({"steps": 0}, "1 or more, not 0"),
        ({"steps": -1}, "1 or more, not -1"),
        ({"prior_steps": -1}, "1 or more"),
        ({"batch": 0}, "batch, log_every and"),
        ({"log_every": 0}, "log_every and checkpoint_every must be 1 or more"),
        ({"checkpoint_every": 0}, "checkpoint_every must be 1 or more"),
        ({"schedule": "cosy"}, "schedule must be 'cosine', 'one-cycle', 'wsd' or 'constant', not 'cosy'"),
        ({"kl_schedule": "x"}, "kl_schedule must be 'linear' or 'cyclical', not 'x'"),
        ({"precision": "fp8"}, "precision must be 'bf16', 'fp16' or 'no', not 'fp8'"),
        ({"optimizer": "adam"}, "optimizer must be 'adamw' or 'muon', not 'adam'"),
        ({"precision": "fp16", "optimizer": "muon"}, "does not go with"),
    ],
)
def test_a_value_that_cannot_be_is_one_line(setting, match):
    with pytest.raises(MusicaeError, match=match) as error:
        TrainingOptions(**setting)
    assert "\n" not in str(error.value)


def test_a_prior_may_be_trained_alone():
    assert TrainingOptions(steps=0, prior_steps=5).total_steps == 5
    assert TrainingOptions(steps=7, prior_steps=5).total_steps == 12


def test_its_fields_are_the_schema_of_the_section():
    empty = Preset(
        "tiny", {"adapter": {"name": "melody"}, "model": {"name": "lm"}, "training": {"lr": 0.5, "steps": 3.0}}
    )
    filled = preset.resolve(empty, TrainingOptions).sections["training"]
    assert list(filled) == [field.name for field in dataclasses.fields(TrainingOptions)]
    assert TrainingOptions(**filled) == TrainingOptions(lr=0.5, steps=3)
    empty.sections["training"]["stepps"] = 3
    with pytest.raises(MusicaeError, match="did you mean 'steps'"):
        preset.resolve(empty, TrainingOptions)


def test_neither_can_be_changed_or_given_by_place():
    for options in (TrainingOptions(), Run()):
        name = dataclasses.fields(options)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(options, name, 1)
        parameters = inspect.signature(type(options)).parameters.values()
        assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)


@pytest.mark.parametrize("name", preset.listed())
def test_every_preset_has_a_training_that_can_be(name):
    filled = preset.resolve(preset.load(name), TrainingOptions)
    assert TrainingOptions(**filled.sections["training"]).total_steps > 0
