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
    checkpoint.write(path, TENSORS, {}, weights="float16")
    assert checkpoint.shapes(path) == {"a": (3, 4), "b": (2,), "big": (1,)}
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(MusicaeError, match="complete safetensors"):
        checkpoint.shapes(path)


def test_half_precision_halves_what_fits_and_keeps_what_does_not(tmp_path):
    checkpoint.write(tmp_path / "x", TENSORS, {}, weights="float16")
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


WEIGHTS = {"a.weight": torch.randn(64, 600), "b.weight": torch.randn(16, 256, 3, 3), "a.bias": torch.randn(2000)}


def test_matrices_and_kernels_can_be_stored_in_8_bits(tmp_path):
    path, half = tmp_path / "x", tmp_path / "half"
    checkpoint.write(path, {**WEIGHTS, **TENSORS}, {"step": 3}, weights="int8")
    checkpoint.write(half, {**WEIGHTS, **TENSORS}, {"step": 3}, weights="float16")
    header, tensors = checkpoint.read(path)
    assert header == checkpoint.read_header(path) == checkpoint.read_header(half)
    assert checkpoint.shapes(path) == checkpoint.shapes(half)
    assert checkpoint.fits(tensors, {**WEIGHTS, **TENSORS})
    for name in ("a.weight", "b.weight"):
        error = tensors[name] - WEIGHTS[name]
        assert 0 < error.square().mean().sqrt() < 0.01
    assert torch.equal(tensors["a.bias"], WEIGHTS["a.bias"].half().float())
    assert torch.equal(tensors["a"], TENSORS["a"].half().float())
    assert tensors["b"].dtype == torch.int64
    assert path.stat().st_size < half.stat().st_size - 40_000


def test_patterns_keep_tensors_in_16_bits(tmp_path):
    checkpoint.write(tmp_path / "x", WEIGHTS, {}, weights="int8", keep=["b.*", "*.bias"])
    tensors = checkpoint.read(tmp_path / "x")[1]
    assert torch.equal(tensors["b.weight"], WEIGHTS["b.weight"].half().float())
    assert not torch.equal(tensors["a.weight"], WEIGHTS["a.weight"].half().float())
    with pytest.raises(MusicaeError, match=r"no tensor's name matches 'c\.\*'; they are called a\.weight, b"):
        checkpoint.write(tmp_path / "y", WEIGHTS, {}, weights="int8", keep=["c.*"])
    with pytest.raises(MusicaeError, match="weights must be float32, float16 or int8, not 'int4'"):
        checkpoint.write(tmp_path / "y", WEIGHTS, {}, weights="int4")
    assert not (tmp_path / "y").exists()


def test_only_a_file_with_8_bits_has_the_newest_format(tmp_path):
    for weights, version in (("float32", 2), ("float16", 2), ("int8", 3)):
        checkpoint.write(tmp_path / "x", WEIGHTS, {}, weights=weights)
        assert f'\\"format\\": {version}'.encode() in (tmp_path / "x").read_bytes()


def _in_8_bits(**changes):
    integers, scales = torch.ones(64, 40, dtype=torch.int8), torch.ones(64)
    return {"a": integers, "a.scale": scales, "n": torch.zeros(2, dtype=torch.int8), **changes}


@pytest.mark.parametrize(
    ("changes", "listed"),
    [
        ({"a.scale": None}, ["a"]),
        ({"a": None}, ["a"]),
        ({"a.scale": torch.ones(63)}, ["a"]),
        ({"a.scale": torch.ones(64, 1)}, ["a"]),
        ({"a.scale": torch.ones(64).half()}, ["a"]),
        ({"a.scale": torch.ones(64, dtype=torch.int8)}, ["a"]),
        ({"a": torch.ones(64, 40)}, ["a"]),
        ({"a": torch.ones(64, dtype=torch.int8)}, ["a"]),
        ({"a": torch.ones((), dtype=torch.int8), "a.scale": torch.ones(())}, ["a"]),
        ({}, ["a", "b"]),
        ({}, ["a.scale"]),
        *(({}, listed) for listed in ("a", {"a": 1}, None, 3, [1], [["a"]], ["a", "a"])),
        *(
            ({"a.scale": torch.ones(64).index_fill(0, torch.tensor([5]), wrong)}, ["a"])
            for wrong in (0.0, -1.0, float("nan"), float("inf"), 3e38)
        ),
    ],
)
def test_damaged_scales_are_refused(tmp_path, changes, listed):
    path = tmp_path / "x"
    tensors = {name: tensor for name, tensor in _in_8_bits(**changes).items() if tensor is not None}
    path.write_bytes(save(tensors, {"musicae": json.dumps({"format": 3, "int8": listed})}))
    with pytest.raises(MusicaeError, match=r"^[^\n]+ is damaged: [^\n]+; copy or train it again$"):
        checkpoint.read(path)


def test_integers_of_8_bits_without_scales_are_integers(tmp_path):
    (tmp_path / "x").write_bytes(save(_in_8_bits(), {"musicae": json.dumps({"format": 3, "int8": ["a"]})}))
    found = checkpoint.read(tmp_path / "x")[1]
    assert found.keys() == {"a", "n"}
    assert found["a"].dtype == torch.float32
    assert found["n"].dtype == torch.int8
    assert checkpoint.shapes(tmp_path / "x") == {"a": (64, 40), "n": (2,)}
    assert not checkpoint.fits(found, {"a": torch.zeros(64, 40), "n": torch.zeros(2)})
