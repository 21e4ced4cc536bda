"""What conditional models are told: labels, and conditions that run along with the music."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from mirror_model import chord_codec, exact, line, written

import musicae
from musicae import codec as codecs
from musicae.codec import Codec
from musicae.core import ConditionSpec, Sample, Windows
from musicae.errors import MusicaeError
from musicae.ops.conditions import class_names, condition, label_of, labels_for


def test_a_label_is_a_number_or_a_name(classes: Codec, untrained: object) -> None:
    assert class_names(classes) == list("0123456789")
    assert [label_of(classes, label) for label in (7, "7", " 7 ")] == [7, 7, 7]
    with pytest.raises(MusicaeError, match="'tiny-classes' has no label 'k'; it has 0, 1, 2"):
        label_of(classes, "k")


def test_classes_are_called_what_the_data_set_says(tiny_classes: Path) -> None:
    codec = codecs.load(str(tiny_classes))
    codec.preset.sections["dataset"] = {"name": "fashion-mnist"}
    assert class_names(codec)[:2] == ["t-shirt", "trouser"]
    assert label_of(codec, "Ankle Boot") == 9
    assert label_of(codec, "4") == 4
    codec.preset.sections["dataset"] = {"name": "mnist", "classes": list("abcdefghij")}
    assert label_of(codec, "C") == 2
    codec.preset.sections["dataset"] = {"name": "of-a-package-that-is-gone"}
    assert class_names(codec) == list("0123456789")


def test_a_label_becomes_a_condition(classes: Codec, digits: Codec) -> None:
    assert torch.equal(condition(classes, "2", 3), torch.eye(10)[[2, 2, 2]])  # type: ignore[arg-type]
    assert condition(digits, None, 3) is None
    assert class_names(digits) == []
    for label in (-1, 10, "1.5", ""):
        with pytest.raises(MusicaeError, match="has no label"):
            condition(classes, label, 1)


def test_one_label_is_for_all_inputs_or_each_has_its_own() -> None:
    assert labels_for(None, 2) == [None, None]
    assert labels_for("7", 2) == ["7", "7"]
    assert labels_for([3], 2) == [3, 3]
    assert labels_for([3, "7"], 2) == [3, "7"]
    with pytest.raises(MusicaeError, match="there are 3 labels for 2 inputs; give one, or one for each"):
        labels_for([1, 2, 3], 2)


def test_conditional_verbs_ask_for_a_label(classes: Codec, digits: Codec, data: Path) -> None:
    three = data / "three.png"
    kept = [musicae.reconstruct(three, preset=classes, label=label).psnr for label in (3, 4)]
    assert kept[0] != kept[1]
    assert len(musicae.vary(three, n=2, preset=classes, label="3")) == 2
    for verb in (musicae.reconstruct, musicae.vary):
        with pytest.raises(MusicaeError, match="'tiny-classes' is conditional; choose a label of 0, 1, 2"):
            verb(three, preset=classes)
        with pytest.raises(MusicaeError, match="'tiny-digits' takes no label; use a conditional one"):
            verb(three, preset=digits, label=3)
    with pytest.raises(MusicaeError, match="'tiny-classes' is conditional; choose a label of 0, 1, 2"):
        musicae.interpolate(three, three, preset=classes)
    with pytest.raises(MusicaeError, match="'tiny-classes' has no label '12'; it has 0, 1, 2"):
        musicae.sample(classes, label=12)


def test_a_walk_between_two_classes_begins_and_ends_as_they_are(classes: Codec, data: Path) -> None:
    three, seven = data / "three.png", data / "seven.png"
    made = musicae.interpolate(three, seven, preset=classes, steps=5, label=[3, 7])
    for part, file, label in ((made.parts[0], three, 3), (made.parts[-1], seven, 7)):
        whole = musicae.reconstruct(file, preset=classes, label=label).sample.tensor
        torch.testing.assert_close(part.tensor, whole, atol=1e-4, rtol=0)
    middle = made.parts[2].cond
    assert middle is not None
    assert middle.sum().item() == pytest.approx(1)
    assert min(middle[3].item(), middle[7].item()) > 0.25
    even = 0.5 * (torch.eye(10)[3] + torch.eye(10)[7])
    grid = musicae.interpolate(three, seven, seven, three, preset=classes, steps=3, grid=True, label=[3, 7, 7, 3])
    torch.testing.assert_close(grid.parts[4].cond, even)


def test_codes_of_a_conditional_preset_know_what_it_was_told(classes: Codec, data: Path) -> None:
    codes = musicae.encode(data / "three.png", preset=classes, label=3)
    assert codes["cond"].tolist() == torch.eye(10)[3:4].tolist()
    (made,) = musicae.decode(codes, preset=classes)
    wanted = musicae.reconstruct(data / "three.png", preset=classes, label=3).sample.tensor
    torch.testing.assert_close(made.tensor, wanted)
    del codes["cond"]
    with pytest.raises(MusicaeError, match="the codes have no conditions; encode them again"):
        musicae.decode(codes, preset=classes)


# --- conditions that run along -------------------------------------------------------------------------------------


def chords(*rows: int) -> torch.Tensor:
    """Return a condition ``(2, T)``: at each step the row that is named."""
    return torch.eye(2)[list(rows)].T.contiguous()


def under(length: int, *rows: int) -> Sample:
    """Return a melody of `length` steps under chords that repeat."""
    cond = chords(*rows).repeat(1, -(-length // len(rows)))[:, :length]
    return Sample(line(*[5, 1, 1, 1] * (length // 4)), chord_codec().adapter.blank(), cond=cond)


def played(sample: Sample) -> list[int]:
    return (sample.tensor.argmax(0) - 2).tolist()


def test_a_condition_is_cut_and_joined_with_the_windows() -> None:
    codec = chord_codec()
    one = under(80, 0, 1, 1)
    one.hop = 24
    given, told = codec.split(one), codec.split_cond(one)
    assert told is not None
    assert told.shape == (len(given), 2, 32)
    assert torch.equal(told[1, :, :8], one.cond[:, 24:32])  # type: ignore[index]
    assert torch.equal(codec.join_cond(told, 24, 80), one.cond)  # type: ignore[arg-type]
    flat = Sample(one.tensor, one.meta, 24, cond=torch.tensor([0.25, 0.75]))
    same = codec.split_cond(flat)
    assert same is not None
    assert same.shape == (len(given), 2)
    assert torch.equal(codec.join_cond(same, 24, 80), flat.cond)  # type: ignore[arg-type]


def test_a_walk_under_chords_goes_from_ones_to_the_others() -> None:
    codec = chord_codec()
    a, b = under(64, 0, 1, 1, 1), under(64, 1, 0, 0, 0)
    made = musicae.interpolate(a, b, preset=codec, steps=5)
    assert played(made.parts[0]) == [0, 1, 1, 1] * 16
    assert played(made.parts[-1]) == [1, 0, 0, 0] * 16
    assert torch.equal(made.parts[0].cond, a.cond)  # type: ignore[arg-type]
    # What a part was decoded under is what it keeps, though windows choose moments of their own.
    assert all(played(part) == part.cond.argmax(0).tolist() for part in made.parts)  # type: ignore[union-attr]
    uneven = musicae.interpolate(a, b, preset=codec, steps=5, even=False)
    torch.testing.assert_close(uneven.parts[2].cond, torch.full((2, 64), 0.5))
    warm = musicae.interpolate(a, b, preset=codec, steps=3, temperature=0.01, even=False)
    assert played(warm.parts[0]) == [0, 1, 1, 1] * 16


def test_the_shorter_ones_chords_are_looped_with_it() -> None:
    made = musicae.interpolate(under(32, 0, 1), under(64, 1, 0), preset=chord_codec(), steps=2)
    assert played(made.parts[0]) == [0, 1] * 32
    padded = musicae.interpolate(under(32, 1), under(64, 1), preset=chord_codec(), steps=2, align="pad")
    assert padded.parts[0].cond is not None
    assert padded.parts[0].cond[:, 32:].sum() == 0


def test_every_verb_plays_what_it_is_told() -> None:
    codec, one = chord_codec(), under(40, 1, 0)
    assert played(musicae.reconstruct(one, preset=codec).sample) == [1, 0] * 20
    assert played(musicae.vary(one, preset=codec)[0]) == [1, 0] * 20
    drawn = musicae.sample(codec, 2, cond=chords(*[0, 1] * 16))
    assert [played(one) for one in drawn] == [[0, 1] * 16] * 2


def test_a_condition_that_is_missing_or_of_another_shape() -> None:
    codec, one = chord_codec(), under(32, 1, 0)
    one.cond = None
    with pytest.raises(MusicaeError, match="'mirror' is conditional, and the input has no condition"):
        musicae.reconstruct(one, preset=codec)
    one.cond = torch.zeros(3, 32)
    with pytest.raises(MusicaeError, match=r"conditions of 'mirror' are of shape \(2, 32\) a window, not \(3, 32\)"):
        musicae.reconstruct(one, preset=codec)
    with pytest.raises(MusicaeError, match=r"of shape \(2, 32\) a window, not \(2,\)"):
        musicae.sample(codec, cond=torch.zeros(2))
    with pytest.raises(MusicaeError, match="the preset 'mirror' takes no condition"):
        musicae.sample(exact(), cond=torch.zeros(2))


def test_codes_without_a_condition_that_is_optional_are_decoded() -> None:
    codec, one = exact(), under(40, 1, 0)
    one.cond = None
    codec.model.condition = ConditionSpec(2, along=True, optional=True)
    found = musicae.encode(one, preset=codec)
    assert "cond" not in found
    assert torch.equal(musicae.decode(found, preset=codec)[0].tensor, one.tensor)
    assert len(musicae.decode(found["mean"], preset=codec)) == len(found["mean"])


def test_windows_bring_their_conditions(tmp_path: Path) -> None:
    codec = chord_codec()
    data = torch.zeros(3, 32, dtype=torch.uint8)
    cond = torch.rand(3, 2, 32)
    windows = Windows(data, torch.arange(3), 90, ["a", "b", "c"], cond=cond)
    assert torch.equal(codec.conditions(windows), cond)  # type: ignore[arg-type]
    assert torch.equal(codec.conditions(windows, torch.tensor([2, 0])), cond[[2, 0]])  # type: ignore[arg-type]
    assert torch.equal(windows.subset(torch.tensor([1])).cond, cond[1:2])  # type: ignore[arg-type]
    windows.cond = None
    with pytest.raises(MusicaeError, match="is conditional, and its data set has no conditions"):
        codec.conditions(windows)
    assert exact().conditions(windows) is None


def test_a_stream_or_a_sample_is_as_good_as_a_path(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mid", line(*[5, 1, 1, 1] * 8))
    codec = exact()
    for source in (path, str(path), io.BytesIO(path.read_bytes()), codec.adapter.read(path)):
        made = musicae.reconstruct(source, preset=codec)
        assert torch.equal(made.sample.tensor, line(*[5, 1, 1, 1] * 8))


def test_a_label_may_be_a_number_of_numpy(classes: Codec) -> None:
    assert labels_for(np.int64(3), 2) == [3, 3]  # type: ignore[arg-type]
    assert [label_of(classes, label) for label in labels_for(np.array([3, 7]), 2) if label is not None] == [3, 7]  # type: ignore[arg-type]
