import json
import pickle
import struct

import pytest
import torch
from safetensors.torch import save

from musicae import checkpoint
from musicae.errors import MusicaeError

TENSORS = {"a": torch.randn(3, 4), "b": torch.tensor([1, 2]), "big": torch.tensor([1e6])}


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "x.safetensors"
    checkpoint.write(path, TENSORS, {"step": 3})
    header, tensors = checkpoint.read(path)
    assert header["step"] == 3
    assert header["format"] == checkpoint.FORMAT
    assert checkpoint.read_header(path) == header
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in TENSORS.items())
    assert [p.name for p in path.parent.iterdir()] == ["x.safetensors"]


def test_shapes_are_those_of_what_is_read(tmp_path):
    path = tmp_path / "x"
    checkpoint.write(path, TENSORS, {}, half=True)
    assert checkpoint.shapes(path) == {"a": (3, 4), "b": (2,), "big": (1,)}
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(MusicaeError, match="complete safetensors"):
        checkpoint.shapes(path)


def test_half_precision_halves_what_fits_and_keeps_what_does_not(tmp_path):
    checkpoint.write(tmp_path / "x", TENSORS, {}, half=True)
    _, tensors = checkpoint.read(tmp_path / "x")
    assert torch.equal(tensors["a"], TENSORS["a"].half().float())
    assert torch.equal(tensors["big"], TENSORS["big"])
    assert tensors["b"].dtype == torch.int64


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "x"
    checkpoint.write(path, TENSORS, {"step": 1})

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MusicaeError, match="No space left"):
        checkpoint.write(path, TENSORS, {"step": 2})
    assert checkpoint.read_header(path)["step"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_every_cut_is_refused(tmp_path):
    path = tmp_path / "x"
    checkpoint.write(path, TENSORS, {})
    whole = path.read_bytes()
    for length in (0, 4, 8, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(MusicaeError, match="complete safetensors"):
            checkpoint.read(path)


def _with_header(path, **metadata):
    path.write_bytes(save(TENSORS, metadata))


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(MusicaeError, match="no checkpoint"):
        checkpoint.read(path)
    _with_header(path, other="1")
    with pytest.raises(MusicaeError, match="not a musicae checkpoint"):
        checkpoint.read(path)
    for text in ("{", "[]", '{"format": null}', '{"format": "1"}', '{"format": 1.5}', "{}", "3"):
        _with_header(path, musicae=text)
        for look in (checkpoint.read, checkpoint.read_header, checkpoint.shapes):
            with pytest.raises(MusicaeError, match="header is missing or damaged"):
                look(path)
    _with_header(path, musicae=json.dumps({"format": checkpoint.FORMAT + 1}))
    for look in (checkpoint.read, checkpoint.read_header, checkpoint.shapes):
        with pytest.raises(MusicaeError, match="newer"):
            look(path)


OLD = {
    "description": "a small one",
    "model": {"name": "dual-path", "hop": 32, "usual": [5]},
    "prior": {"name": "flow", "numbers": 2},
}


def test_a_file_of_format_1_is_read_with_the_names_of_today(tmp_path):
    path, tensors = tmp_path / "x", {"model.merge.enter.bias": torch.ones(3), "prior.leave.bias": torch.zeros(2)}
    path.write_bytes(save(tensors, {"musicae": json.dumps({"format": 1, "preset": OLD, "step": 4})}))
    header, found = checkpoint.read(path)
    assert header == checkpoint.read_header(path)
    assert header["preset"]["model"] == {"name": "dual-path", "hop_length": 32, "background_frames": [5]}
    assert header["preset"]["prior"] == {"name": "flow", "active_size": 2}
    assert (header["format"], header["step"]) == (checkpoint.FORMAT, 4)
    assert found.keys() == {"model.merge.expand.bias", "prior.project_out.bias"}
    assert checkpoint.shapes(path) == {"model.merge.expand.bias": (3,), "prior.project_out.bias": (2,)}


def test_a_file_of_today_keeps_its_names(tmp_path):
    path, tensors = tmp_path / "x", {"model.merge.enter.bias": torch.ones(3)}
    checkpoint.write(path, tensors, {"preset": OLD})
    header, found = checkpoint.read(path)
    assert header["preset"] == OLD
    assert found.keys() == tensors.keys()


def test_a_file_of_format_1_without_a_preset_is_read_too(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(save({"model.enter.bias": torch.ones(3)}, {"musicae": '{"format": 1}'}))
    assert checkpoint.read(path)[1].keys() == {"model.enter.bias"}


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("code of the file ran",))


def test_a_pickle_is_refused_and_not_run(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(MusicaeError, match="complete safetensors"):
        checkpoint.read(path)
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}")
    with pytest.raises(MusicaeError, match="complete safetensors"):
        checkpoint.read(path)


def test_tensors_that_share_memory_are_stored_each(tmp_path):
    one = torch.arange(6.0)
    checkpoint.write(tmp_path / "a.safetensors", {"a": one, "b": one, "part": one[2:4]}, {})
    found = checkpoint.read(tmp_path / "a.safetensors")[1]
    assert found["a"].tolist() == found["b"].tolist() == one.tolist()
    assert found["part"].tolist() == [2, 3]
