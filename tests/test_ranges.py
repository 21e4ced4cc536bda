"""The ranges of settings."""

from __future__ import annotations

import inspect
import typing

import pytest
from msgspec import Meta, ValidationError, convert

from musicae import ranges, registry
from musicae.training.options import TrainingOptions

GROUPS = ("adapters", "models", "priors", "datasets", "corruptions", "likelihoods", "evaluations")


def settings() -> dict[str, inspect.Parameter]:
    found = {f"training {key}": one for key, one in registry.declared(TrainingOptions).items()}
    for group in GROUPS:
        for name in registry.names(group):
            if registry.owner(group, name) == "musicae":
                found |= {f"{group} {name} {key}": one for key, one in registry.signature(group, name).items()}
    return found


def test_every_number_of_our_parts_has_a_range() -> None:
    found = settings()
    assert len(found) > 150
    for where, parameter in found.items():
        assert not isinstance(parameter.annotation, str), where
        if isinstance(parameter.default, int | float) and not isinstance(parameter.default, bool):
            (limits,) = (one for one in typing.get_args(parameter.annotation)[1:] if isinstance(one, Meta))
            assert limits.le is not None, where
            assert (limits.ge is None) != (limits.gt is None), where
        convert(parameter.default, parameter.annotation)


@pytest.mark.parametrize("name", sorted(set(ranges.__all__) - {"PartName"}))
def test_no_range_takes_what_is_no_number(name: str) -> None:
    for value in (float("nan"), float("inf"), -(10**30), 10**30, "1", None, True, [1]):
        with pytest.raises(ValidationError):
            convert(value, vars(ranges)[name])
