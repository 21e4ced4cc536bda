"""What an evaluation is given: the splits, the folders and the number that it asks for."""

import pytest
import torch

import musicae
from musicae import codec, registry, splits
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.evaluations.run import evaluate


@pytest.fixture
def tunes(tmp_path, tiny_melody):
    """A small melody codec whose data set is a folder of 40 tunes."""
    parts = codec.load(str(tiny_melody))
    (tmp_path / "tunes").mkdir()
    for i in range(40):
        rng = torch.Generator().manual_seed(i)
        line = torch.nn.functional.one_hot(2 + torch.randint(30, (32,), generator=rng), parts.spec.channels)
        parts.adapter.write(Sample(line.T.float(), parts.adapter.blank()), tmp_path / "tunes" / f"{i}.mid")
    parts.preset.sections["dataset"] = {"name": "midi-files", "test": 0.5, "validation": 0.1}
    return parts, tmp_path / "tunes"


def found(suite, lookup):
    """Return a registry's `lookup` that knows `suite` as the evaluation 'asked'."""
    return lambda group, name: suite if (group, name) == ("evaluations", "asked") else lookup(group, name)


def test_evaluate_takes_the_test_split_and_the_number_asked_for(tunes):
    parts, folder = tunes
    with pytest.raises(MusicaeError, match=r"no \[evaluation\]"):
        evaluate(parts, {"": folder})
    parts.preset.sections["evaluation"] = {"name": "sequence", "pairs": 4}
    test = splits.load(parts.preset, parts.adapter, "test", {"": folder})
    whole = evaluate(parts, {"": folder})
    assert whole["windows"] == len(test)
    assert whole["seconds"] >= 0
    assert evaluate(parts, {"": folder}, limit=9)["windows"] == 9


def test_the_settings_of_an_evaluation_may_be_changed(tunes, monkeypatch):
    parts, folder = tunes
    monkeypatch.setattr(registry, "lookup", found(lambda codec, *, more=1: {"more": more}, registry.lookup))
    parts.preset.sections["evaluation"] = {"name": "asked", "more": 2}
    assert evaluate(parts, {"": folder})["more"] == 2
    assert evaluate(parts, {"": folder}, changes=["evaluation.more=5"])["more"] == 5
    assert evaluate(parts, {"": folder})["more"] == 2
    with pytest.raises(MusicaeError, match="a trained model stays as it is"):
        evaluate(parts, {"": folder}, changes=["model.latent=3"])
    with pytest.raises(MusicaeError, match=r"no setting 'mor'; did you mean 'more'\?"):
        evaluate(parts, {"": folder}, changes=["evaluation.mor=3"])


def test_a_codec_may_be_named(tunes, tmp_path):
    parts, folder = tunes
    parts.preset.sections["evaluation"] = {"name": "sequence", "pairs": 4}
    parts.save(tmp_path / "named.safetensors", weights="float32")
    named, given = (musicae.evaluate(one, {"": folder}) for one in (str(tmp_path / "named.safetensors"), parts))
    del named["seconds"], given["seconds"]
    assert named == given


def test_a_suite_gets_what_its_parameters_name(tunes, monkeypatch):
    parts, folder = tunes
    seen = {}

    def asks(codec, folders, test, *, other="", more=1):
        seen.update(codec=codec, folders=folders, n=len(test), other=other, more=more)
        return {"figure": 1.0}

    monkeypatch.setattr(registry, "lookup", found(asks, registry.lookup))
    parts.preset.sections["evaluation"] = {"name": "asked", "other": "elsewhere"}
    given = {"midi-files": folder, "elsewhere": folder.parent}
    figures = evaluate(parts, given, limit=5)
    assert seen == {"codec": parts, "folders": given, "n": 5, "other": "elsewhere", "more": 1}
    assert figures["figure"] == 1
    assert figures["windows"] == 5
    with pytest.raises(MusicaeError, match="no data set 'nowhere'"):
        evaluate(parts, {"midi-files": folder, "nowhere": folder})


def test_a_suite_without_splits_needs_no_data_of_the_preset(tunes, monkeypatch):
    parts, folder = tunes

    def alone(codec, folders, limit):
        return {"limit": limit or 0, "folders": len(folders)}

    monkeypatch.setattr(registry, "lookup", found(alone, registry.lookup))
    parts.preset.sections["evaluation"] = {"name": "asked"}
    parts.preset.sections["dataset"] = {"name": "a set that there is not"}
    figures = evaluate(parts, {"photos": folder}, limit=3)
    assert (figures["limit"], figures["folders"]) == (3, 1)
    assert "windows" not in figures


def test_a_suite_that_asks_for_something_else_is_told_what_there_is(tunes, monkeypatch):
    parts, _ = tunes
    monkeypatch.setattr(registry, "lookup", found(lambda codec, weather: {}, registry.lookup))
    parts.preset.sections["evaluation"] = {"name": "asked"}
    with pytest.raises(MusicaeError, match="needs 'weather'; it can get codec, train"):
        evaluate(parts)
