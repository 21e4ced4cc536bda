"""Corruptions one after another."""

import pytest
import torch

from musicae import registry
from musicae.core import Windows
from musicae.corruptions.chain import Chain
from musicae.errors import MusicaeError
from musicae.preset import load


def test_each_part_is_for_its_share_of_the_examples(rng):
    made = Chain(
        [{"name": "noise", "std": 0.0, "mean": 1.0, "share": 0.25}, {"name": "noise", "std": 0.0, "mean": 4.0}]
    )
    batch = made(torch.zeros(400, 1, 3), rng())
    assert set(batch.flatten().tolist()) == {4.0, 5.0}
    assert 60 < (batch[:, 0, 0] == 5).sum() < 140
    assert torch.equal(batch, made(torch.zeros(400, 1, 3), rng()))


def test_parts_that_take_data_get_them(rng):
    noise = Windows(torch.full((4, 1, 200), 3000, dtype=torch.int16), torch.arange(4), 1, levels=32_767)
    shares = {"recorded": 1.0, "coloured": 1e-9, "babble": 0.0, "hum": 0.0, "crackle": 0.0}
    made = Chain(
        [
            {"name": "clip"},
            {
                "name": "mix-noise",
                "sample_rate": 8000,
                "min_snr_db": 0.0,
                "max_snr_db": 0.0,
                "clean_share": 0.0,
                **shares,
            },
        ]
    )
    made.feed(noise, noise)
    mixed = made.parts[1][1]
    assert mixed._noises is noise
    assert not torch.equal(made(torch.ones(3, 1, 200), rng()), torch.ones(3, 1, 200))


def test_a_preset_names_them(tmp_path):
    path = tmp_path / "both.toml"
    path.write_text(
        '[adapter]\nname = "audio"\n[model]\nname = "dual-path"\n[corruption]\nname = "chain"\n'
        'parts = [{name = "reverberate", share = 0.3}, {name = "clip", min_db = 6.0}]\n'
    )
    name, settings = load(str(path)).part("corruption")
    assert [type(part).__name__ for _, part in registry.build("corruptions", name, **settings).parts] == [
        "Reverberate", "Clip"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "match"),
    [
        ([], "needs parts"),
        ([{"share": 0.5}], "needs a name"),
        (["clip"], "needs a name"),
        ([{"name": "clip", "share": 2}], "must be 0 to 1"),
        ([{"name": "clop"}], "did you mean 'clip'"),
        ([{"name": "clip", "lo": 2}], "lo"),
    ],
)
def test_wrong_parts_are_one_line(parts, match):
    with pytest.raises(MusicaeError, match=match) as caught:
        Chain(parts)
    assert "\n" not in str(caught.value)
