"""Codes as arrays and as files."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import musicae
from musicae import codec as codecs
from musicae import preset
from musicae.adapters.audio import Audio
from musicae.adapters.melody import Melody
from musicae.codec import Codec
from musicae.core import Sample
from musicae.errors import MusicaeError
from musicae.ops import codes


@pytest.fixture(scope="session")
def tiny(tiny_melody: Path) -> Codec:
    return codecs.load(str(tiny_melody))


@pytest.fixture
def files(repository: Path) -> list[Path]:
    return [repository / "data" / f"{name}.mid" for name in ("twinkle", "greensleeves")]


def test_codes_have_a_row_for_each_window(tiny: Codec, files: list[Path]) -> None:
    found = codes.encode(*files, preset=tiny)
    assert found["mean"].shape == found["logvar"].shape == (4 + 5, 8)
    assert found["mean"].dtype == np.float32
    assert found["counts"].tolist() == [4, 5]
    assert found["lengths"].tolist() == [128, 108]
    assert found["hops"].tolist() == [32, 24]
    assert found["names"].tolist() == ["twinkle.mid", "greensleeves.mid"]
    assert str(found["preset"]) == "tiny-melody"


def test_decoding_a_file_of_codes_gives_what_reconstruct_gives(tiny: Codec, files: list[Path], tmp_path: Path) -> None:
    codes.save(codes.encode(*files, preset=tiny), tmp_path / "c.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]
    for made, file in zip(codes.decode(tmp_path / "c.npz", preset=tiny), files, strict=True):
        wanted = musicae.reconstruct(file, preset=tiny).sample
        assert torch.equal(made.tensor, wanted.tensor)
        assert made.meta == wanted.meta
        assert made.hop == wanted.hop


def test_recordings_become_codes_and_recordings_again(tmp_path: Path) -> None:
    sections = {
        "adapter": {"name": "audio", "sample_rate": 8000, "size": 1024},
        "model": {"name": "mdct-vae", "latent": 32, "hop_length": 32, "width": 8, "blocks": 1},
    }
    codec = codecs.build(preset.Preset("made", sections))
    x = 0.1 * np.random.default_rng(0).standard_normal((3000, 2))
    soundfile.write(tmp_path / "a.flac", x, 8000, "PCM_24")
    codes.save(codes.encode(tmp_path / "a.flac", preset=codec), tmp_path / "c.npz")
    (again,) = codes.decode(tmp_path / "c.npz", preset=codec)
    codec.adapter.write(again, tmp_path / "b.flac")
    found = soundfile.info(tmp_path / "b.flac")
    assert (found.frames, found.samplerate, found.channels, found.subtype) == (3000, 8000, 2, "PCM_24")
    np.testing.assert_allclose(soundfile.read(tmp_path / "b.flac")[0][:, 0], x.mean(1), atol=1e-3)


@pytest.mark.parametrize("kind", [{"x": 1}, {"rate": "8000", "channels": 1}, {"rate": 8000, "channels": 0}])
def test_codes_of_no_kind_of_sound_are_one_line(tmp_path: Path, kind: dict[str, Any]) -> None:
    with pytest.raises(MusicaeError, match="is not a kind of sound file"):
        Audio(8000).write(Sample(torch.zeros(1, 10), {"kind": kind}), tmp_path / "a.wav")
    assert not (tmp_path / "a.wav").exists()


def test_the_codes_name_their_preset(tiny_melody: Path, files: list[Path]) -> None:
    found = codes.encode(files[0], preset=str(tiny_melody))
    with pytest.raises(MusicaeError, match=r"made with the file .*tiny-melody.safetensors; .* --preset"):
        codes.decode(found)
    assert len(codes.decode(found, preset=str(tiny_melody))) == 1
    with pytest.raises(MusicaeError, match="no preset named 'tiny-melody'"):
        codes.decode({**found, "preset": np.array("tiny-melody")})


def test_the_file_needs_no_pickle(tiny: Codec, files: list[Path], tmp_path: Path) -> None:
    codes.save(codes.encode(*files, preset=tiny), tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_a_changed_code_gives_other_music(tiny: Codec, files: list[Path]) -> None:
    found = codes.encode(files[0], preset=tiny)
    changed = {**found, "mean": found["mean"] + 5}
    assert not torch.equal(codes.decode(changed, preset=tiny)[0].tensor, codes.decode(found, preset=tiny)[0].tensor)


def test_a_bad_place_is_one_line_and_leaves_nothing(tiny: Codec, files: list[Path], tmp_path: Path) -> None:
    found = codes.encode(files[0], preset=tiny)
    with pytest.raises(MusicaeError, match="there is no folder"):
        codes.save(found, tmp_path / "no" / "c.npz")
    (tmp_path / "full.npz").mkdir()
    with pytest.raises(MusicaeError, match="cannot be written"):
        codes.save(found, tmp_path / "full.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["full.npz"]


class Trap:
    """Runs code when it is unpickled."""

    sprung = False

    def __reduce__(self) -> Any:
        return setattr, (Trap, "sprung", True)


@pytest.mark.parametrize("content", [b"hello", b"PK\x03\x04 cut short", b"\x93NUMPY"])
def test_a_file_that_holds_no_codes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.npz").write_bytes(content)
    with pytest.raises(MusicaeError, match=r"is not a whole \.npz file of codes"):
        codes.load(tmp_path / "c.npz")


def test_a_file_that_is_cut_short(tiny: Codec, files: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "c.npz"
    codes.save(codes.encode(files[0], preset=tiny), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(MusicaeError, match=r"is not a whole \.npz file of codes"):
        codes.load(path)
    path.write_bytes(b"")
    with pytest.raises(MusicaeError, match=r"is empty \(0 bytes\)"):
        codes.load(path)
    with pytest.raises(MusicaeError, match="there is no file"):
        codes.load(tmp_path / "no.npz")


def test_no_code_of_a_file_runs(tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", mean=np.array([Trap()], dtype=object))
    with pytest.raises(MusicaeError, match=r"is not a whole \.npz file of codes"):
        codes.load(tmp_path / "c.npz")
    assert not Trap.sprung


@pytest.mark.parametrize(
    "change",
    [
        {"mean": np.zeros(3)},
        {"counts": np.array([3])},
        {"counts": np.array([5, -1])},
        {"lengths": np.array([128, 3])},
        {"hops": np.array([0])},
        {"metas": np.array(["{"])},
        {"metas": np.array(["[]"])},
        {"names": None},
        {"shape": None},
        {"preset": np.array(["a", "b"])},
    ],
    ids=str,
)
def test_arrays_that_do_not_fit_together(
    tiny: Codec, files: list[Path], tmp_path: Path, change: dict[str, Any]
) -> None:
    found = {**codes.encode(files[0], preset=tiny), **change}
    np.savez(tmp_path / "c.npz", **{name: array for name, array in found.items() if array is not None})
    with pytest.raises(MusicaeError, match="does not hold codes of musicae"):
        codes.load(tmp_path / "c.npz")


def test_codes_that_are_no_numbers_or_of_another_size(tiny: Codec, files: list[Path], tmp_path: Path) -> None:
    found = codes.encode(files[0], preset=tiny)
    np.savez(tmp_path / "c.npz", **{**found, "mean": np.full_like(found["mean"], np.nan)})
    with pytest.raises(MusicaeError, match="not finite numbers"):
        codes.load(tmp_path / "c.npz")
    with pytest.raises(
        MusicaeError, match="the codes are 9 numbers for 90x32 values, those of 'tiny-melody' 8 numbers"
    ):
        codes.decode({**found, "mean": np.zeros((4, 9))}, preset=tiny)


def test_streams_and_samples_have_codes_too(tiny: Codec, data: Path) -> None:
    path = data / "twinkle.mid"
    sources = (path, io.BytesIO(path.read_bytes()), tiny.adapter.read(path))
    found = codes.encode(*sources, preset=tiny)
    one, other, third = torch.split(torch.from_numpy(found["mean"]), found["counts"].tolist())
    assert torch.equal(one, other)
    assert torch.equal(one, third)
    assert found["names"].tolist() == ["twinkle.mid", "the stream", "the sample"]


def test_an_array_is_the_codes_of_windows(tiny: Codec) -> None:
    z = torch.randn(3, 8)
    made = codes.decode(z, preset=tiny)
    assert torch.equal(torch.stack([one.tensor for one in made]), tiny.decode(z))
    assert torch.equal(codes.decode(z.numpy(), preset=tiny)[1].tensor, made[1].tensor)
    assert made[0].meta == tiny.adapter.blank()
    with pytest.raises(MusicaeError, match="does not say which preset it is of"):
        codes.decode(z)
    for wrong in (torch.randn(3, 7), torch.randn(8), torch.full((1, 8), torch.nan)):
        with pytest.raises(MusicaeError, match=r"are finite numbers of shape \(N, 8\), not an array of shape"):
            codes.decode(wrong, preset=tiny)


def test_a_mapping_that_lacks_something_is_one_line(tiny: Codec, files: list[Path]) -> None:
    found = codes.encode(*files, preset=tiny)
    for name in ("mean", "counts", "shape", "names", "metas", "preset"):
        with pytest.raises(MusicaeError, match="the mapping does not hold codes of musicae"):
            codes.decode({key: value for key, value in found.items() if key != name}, preset=tiny)


def test_any_damage_of_a_file_is_one_error(tiny: Codec, files: list[Path], tmp_path: Path) -> None:
    codes.save(codes.encode(*files, preset=tiny), tmp_path / "c.npz")
    content = (tmp_path / "c.npz").read_bytes()
    rng, refused = np.random.default_rng(0), 0
    for _ in range(300):  # zipfile, zlib and NumPy raise errors of nine kinds for these.
        broken = bytearray(content)
        for place in rng.integers(len(content), size=3):
            broken[place] = rng.integers(256)
        (tmp_path / "d.npz").write_bytes(broken)
        try:
            codes.load(tmp_path / "d.npz")
        except MusicaeError:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("counts", lambda array: array.astype(float)),
        ("lengths", lambda array: array.astype(float)),
        ("names", lambda array: np.array([1, 2])),
        ("names", lambda array: np.array(["a\0b", "c"])),
        ("mean", torch.from_numpy),
    ],
)
def test_arrays_of_the_wrong_kind(tiny: Codec, files: list[Path], name: str, change: Any) -> None:
    found = codes.encode(*files, preset=tiny)
    with pytest.raises(MusicaeError, match="the mapping does not hold codes of musicae"):
        codes.decode({**found, name: change(found[name])}, preset=tiny)


def test_what_metas_leave_out_is_that_of_something_new(tiny: Codec, files: list[Path]) -> None:
    found = codes.encode(files[0], preset=tiny)
    (made,) = codes.decode({**found, "metas": np.array(['{"track": "Flute"}'])}, preset=tiny)
    assert made.meta == {**tiny.adapter.blank(), "track": "Flute"}
    tiny.adapter.write(made, io.BytesIO())


@pytest.mark.parametrize("name", ["melody-2bar", "drums-2bar", "mnist-vae", "drum-sounds"])
def test_every_adapter_takes_what_it_wrote_and_refuses_a_damaged_meta(name: str, repository: Path) -> None:
    adapter = codecs.build(preset.load(name)).adapter
    for meta in (adapter.blank(), adapter.mix([adapter.blank()] * 2, [0.5, 0.5]), {}):
        assert adapter.check_meta(json.loads(json.dumps(meta))) == {**adapter.blank(), **meta}
    for key in adapter.blank():
        with pytest.raises(MusicaeError, match="its meta is damaged"):
            adapter.check_meta({key: {"a": {}} if key != "kind" else 3})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["tempos", "meters", "programs", "keys", "track", "source", "velocities"]), JSON)
def test_whatever_passes_for_meta_can_be_written(key: str, value: Any) -> None:
    adapter = Melody()
    tensor = torch.eye(adapter.spec.channels)[:32].T
    try:
        meta = adapter.check_meta({key: value})
    except MusicaeError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either way is right.
        return
    sample = Sample(tensor, meta)
    for one in (sample, adapter.concat([sample, sample]), Sample(tensor, adapter.mix([meta, meta], [0.5, 0.5]))):
        adapter.write(one, io.BytesIO())


@pytest.mark.parametrize(
    "change",
    [
        {"hops": np.array([33])},
        {"lengths": np.array([10**15])},
        {"lengths": np.array([1])},
        {"shape": np.array([], int)},
        {"shape": np.array([2**62, 2**62])},
        {"shape": np.arange(1, 100)},
        {"mean": np.zeros((0, 8)), "counts": np.array([0])},
        {"logvar": np.zeros(3)},
        {"metas": np.array(["[" * 2000])},
        {"metas": np.array(["9" * 5000])},
        {"names": np.array([0x110000], np.uint32).view("U1")},
        {"preset": np.array("a\0b")},
        {"cond": np.zeros((1, 3))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_numbers_out_of_range_are_refused(tiny: Codec, files: list[Path], change: dict[str, Any]) -> None:
    with pytest.raises(MusicaeError, match="does not hold codes of musicae"):
        codes.decode({**codes.encode(files[0], preset=tiny), **change}, preset=tiny)


def test_codes_that_stand_for_too_much_or_for_nothing_are_refused(
    tiny: Codec, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = codes.encode(files[0], preset=tiny)
    for number in (1e30, np.inf):
        with pytest.raises(MusicaeError, match="not finite numbers"):
            codes.decode({**found, "mean": np.full((4, 8), number)}, preset=tiny)
    monkeypatch.setenv("MUSICAE_MEMORY", "100K")
    with pytest.raises(MusicaeError, match="4 codes stand for takes 184 KB of memory"):
        codes.decode(found, preset=tiny)


@pytest.mark.parametrize("name", ["../escaped/evil", "evil.safetensors", "./evil.TOML", "/etc/passwd", "", "a\nb"])
def test_codes_open_no_file_that_they_name(tiny: Codec, files: list[Path], name: str) -> None:
    found = {**codes.encode(files[0], preset=tiny), "preset": np.array(name)}
    with pytest.raises(MusicaeError, match="if you trust it, say so with --preset"):
        codes.decode(found)
