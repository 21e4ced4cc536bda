"""The values that all parts share."""

from __future__ import annotations

import pytest
import torch

from musicae.core import Group, Latent, Spec, Windows
from musicae.errors import MusicaeError


def test_a_spec_has_one_group_or_several() -> None:
    one = Spec(3, (8,), "gaussian")
    assert one.groups == (Group("", 3, "gaussian"),)
    assert one.slices == {"": slice(0, 3)}
    parts = (Group("melody", 5, "categorical"), Group("drums", 9, "bernoulli"))
    joint = Spec.joint((32,), parts)
    assert (joint.channels, joint.likelihood, joint.full_shape) == (14, "joint", (14, 32))
    assert joint.slices == {"melody": slice(0, 5), "drums": slice(5, 14)}
    assert joint == Spec(14, (32,), "joint", parts)


def test_a_part_has_its_group_and_its_velocities() -> None:
    groups = (Group("tune", 2, "categorical"), Group("beat", 1, "bernoulli"), Group("tune_velocity", 1, "gaussian"))
    parts = Spec.joint((8,), groups).parts
    assert {name: channels.int().tolist() for name, channels in parts.items()} == {
        "tune": [1, 1, 0, 1],
        "beat": [0, 0, 1, 0],
    }
    assert Spec(3, (8,), "gaussian").parts == {}


def test_groups_that_do_not_fit() -> None:
    for channels, groups in ((3, (Group("a", 2, "gaussian"),)), (2, (Group("a", 1, "gaussian"),) * 2)):
        with pytest.raises(MusicaeError, match="a spec's groups must have different names and"):
            Spec(channels, (8,), "joint", groups)


def test_a_code_of_nothing() -> None:
    latent = Latent.none(torch.zeros(3, 2, 5))
    assert latent.mean.shape == (3, 0)
    assert latent.kl().shape == (3, 0)
    assert latent.sample().shape == (3, 0)


def test_windows_keep_labels_and_conditions_together() -> None:
    windows = Windows(
        torch.arange(4), torch.arange(4), 9, ["a", "b", "c", "d"], torch.tensor([5, 6, 7, 8]), cond=torch.rand(4, 2)
    )
    part = windows.subset(torch.tensor([3, 1]))
    assert part.labels is not None
    assert part.labels.tolist() == [8, 6]
    assert torch.equal(part.cond, windows.cond[[3, 1]])  # type: ignore[arg-type, index]
    assert part.batch(torch.tensor([0])).argmax(1).tolist() == [3]
