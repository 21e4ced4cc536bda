"""The corners of walks and pads: one length, and their codes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops.corners import Corner, encoded


def draw(codec: Codec, seed: int, label: int | None = None) -> Corner:
    cond = None if label is None else codec.label_conditions(torch.tensor([label]))
    code = codec.draw(1, seed, cond=cond)
    return Corner(Sample(codec.decode(code, cond=cond)[0], codec.adapter.blank()), f"draw {seed}", label, code)


def test_a_file_is_encoded_and_a_draw_has_its_own_code(tiny: Codec) -> None:
    one, other = draw(tiny, 1), draw(tiny, 2)
    file = Corner(other.sample, "tune.mid")
    made = encoded(tiny, [one, file])
    assert one.code is not None
    assert torch.equal(made.codes[0], one.code)
    assert torch.equal(made.codes[1], tiny.encode(other.sample.tensor[None], refine=True).mean)
    assert made.notices == []
    assert made.conds == []


def test_a_draw_is_looped_beside_a_longer_file(tiny: Codec) -> None:
    one, two = draw(tiny, 1), draw(tiny, 2)
    long = Corner(tiny.adapter.concat([two.sample] * 3), "tune.mid")
    made = encoded(tiny, [one, long])
    assert one.code is not None
    assert torch.equal(made.codes[0], one.code.expand(3, -1))
    assert [sample.tensor.shape[-1] for sample in made.samples] == [96, 96]
    assert made.notices == ["draw 1 has 2 bars, not 6; it was looped"]
    padded = encoded(tiny, [one, long], align="pad")
    assert padded.codes.shape == (2, 3, 8)
    assert not torch.equal(padded.codes[0, 1], one.code[0])
    with pytest.raises(MusicaeError, match="align must be"):
        encoded(tiny, [one, long], align="stretch")


def test_conditions_come_with_labels(classes: Codec) -> None:
    made = encoded(classes, [draw(classes, 1, 3), draw(classes, 2, 7)])
    assert [cond.argmax().item() for cond in made.conds] == [3, 7]
    with pytest.raises(MusicaeError, match="choose a label"):
        encoded(classes, [draw(classes, 1, 3), Corner(draw(classes, 2, 7).sample, "seven.png")])


def test_a_waltz_beside_a_march_is_counted_in_bars_of_each(tiny: Codec) -> None:
    tune = draw(tiny, 1).sample
    waltz = Sample(tune.tensor[:, :24], {**tune.meta, "meters": [[0, 3, 4]]}, 24)
    made = encoded(tiny, [Corner(tune, "march.mid"), Corner(waltz, "waltz.mid")])
    windows = "the inputs have different bars; all are cut into windows of 2 bars of 4/4"
    assert made.notices == [windows, "waltz.mid has 2 bars of 3/4, not 2 of 4/4; it was looped"]
    odd = Sample(tune.tensor[:, :28], {**tune.meta, "meters": [[0, 3, 4], [12, 4, 4]]}, 32)
    made = encoded(tiny, [Corner(tune, "march.mid"), Corner(odd, "odd.mid")])
    assert made.notices == ["odd.mid has 7 beats, not 8; it was looped"]


def test_nothing_is_said_of_what_is_there_to_be_repeated(tiny: Codec) -> None:
    one, two = draw(tiny, 1), draw(tiny, 2)
    long = Corner(tiny.adapter.concat([two.sample] * 3), "tune.mid")
    assert encoded(tiny, [replace(one, repeats=True), long]).notices == []
