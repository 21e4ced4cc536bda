"""Grooves of MIDI files."""

import io

import numpy as np
import pytest
import torch
from groove_model import beat, written

from musicae import registry
from musicae.adapters.drums import Drums
from musicae.adapters.groove import Groove
from musicae.adapters.shared.origin import Rewritten
from musicae.core import Adapter, Sample, Windows
from musicae.datasets.shared import scores
from musicae.errors import MusicaeError
from musicae.tensors import groove as grooves
from musicae.tensors.groove import DRUMS, HITS, OFFSETS, VELOCITIES
from musicae.testing import check_adapter


@pytest.fixture
def groove() -> Groove:
    return Groove()


def kit(notes, **more):
    return {"notes": notes, "channel": 9, **more}


def drawn(length: int, seed: int = 0) -> torch.Tensor:
    """Return a random groove with hits on its first and last bar, as exact as a file is."""
    rng = torch.Generator().manual_seed(seed)
    hits = (torch.rand(DRUMS, length, generator=rng) < 0.15).float()
    hits[0, 0] = hits[1, -4] = 1.0
    loud = torch.randint(1, 128, hits.shape, generator=rng) / 127 * hits
    offset = torch.randint(-58, 59, hits.shape, generator=rng) / 120 * hits
    offset[:, 0] = offset[:, 0].clamp_min(0)  # A file cannot begin before its start.
    return torch.cat([hits, loud, offset])


def test_it_is_an_adapter(groove):
    assert isinstance(groove, Adapter)
    assert (groove.spec.full_shape, groove.spec.likelihood) == ((27, 32), "joint")
    assert list(groove.spec.parts) == ["drums"]
    assert groove.spec.parts["drums"].all()
    with pytest.raises(MusicaeError, match=r"\[adapter\]"):
        Groove(bars=0)


def test_it_keeps_the_contract(groove, tmp_path):
    check_adapter(groove, written(tmp_path / "a.mid", drawn(64)))


def test_timing_and_loudness_are_read(groove, make_midi):
    late, early = 1 + 0.3 / 4, 2 - 0.2 / 4
    file = make_midi(kit([(0, 0.1, 36, 127), (late, 0.1, 38, 90), (early, 0.1, 42, 64), (3, 0.1, 36, 100)]))
    x = groove.read(file).tensor
    assert x.shape == (27, 16)
    assert x[HITS].nonzero().tolist() == [[0, 0], [0, 12], [1, 4], [2, 8]]
    assert (127 * x[VELOCITIES])[x[HITS] > 0].tolist() == pytest.approx([127, 100, 90, 64])
    assert x[OFFSETS][x[HITS] > 0].tolist() == pytest.approx([0, 0, 0.3, -0.2], abs=1e-6)
    assert not x[VELOCITIES][x[HITS] == 0].any()


def test_what_swings_is_in_the_offsets(groove, make_midi):
    x = groove.read(make_midi(kit([(i + part, 0.1, 42) for i in range(16) for part in (0, 2 / 3)]))).tensor
    assert x[OFFSETS][2, 3::4].tolist() == pytest.approx([-1 / 3] * 16, abs=5e-3)


def test_of_hits_on_one_step_the_loudest_is_kept(groove, make_midi):
    sample = groove.read(make_midi(kit([(0, 0.1, 36, 50), (1, 0.1, 38, 40), (1.05, 0.1, 40, 90), (2, 0.1, 36)])))
    assert sample.tensor[OFFSETS][1, 4].item() == pytest.approx(0.2, abs=5e-3)
    assert sample.tensor[VELOCITIES][1, 4].item() == pytest.approx(90 / 127)
    assert any("the louder one was kept" in remark for remark in sample.remarks)


@pytest.mark.parametrize("length", [16, 32, 64, 48])
def test_what_is_written_is_read_back(groove, tmp_path, length):
    x = drawn(length, length)
    again = groove.read(written(tmp_path / "a.mid", x)).tensor
    assert again.shape == x.shape
    assert again[HITS].equal(x[HITS])
    assert torch.allclose(again, x, atol=1e-6)


def test_a_hit_before_the_start_is_written_at_it(groove, tmp_path):
    again = groove.read(written(tmp_path / "a.mid", beat((0, 0, 1.0, -0.4), (8, 1, 0.5, -0.4)))).tensor
    assert (again[OFFSETS][0, 0].item(), again[OFFSETS][1, 8].item()) == pytest.approx((0.0, -0.4), abs=1e-6)


def test_a_file_that_it_was_put_into_is_written_as_it_is(groove):
    out = io.BytesIO()
    groove.write(Sample(beat((0, 0, 1, 0)), groove.blank(), metadata=Rewritten(b"all of it")), out)
    assert out.getvalue() == b"all of it"


def test_training_keeps_timing_loudness_and_tempo(groove, tmp_path, make_midi):
    x = drawn(64)
    file = written(tmp_path / "a.mid", x)
    packed = groove.read_packed(file)
    assert torch.allclose(grooves.unpack(torch.from_numpy(packed.data)[None])[0], x, atol=1 / 254)
    played = make_midi(kit([(i / 2, 0.1, 36 + 6 * (i % 2)) for i in range(32)]), tempos=[(0, 600_000), (8, 300_000)])
    lengths = grooves.durations(torch.from_numpy(groove.read_packed(played).data)[None])[0, 0]
    assert lengths.tolist() == pytest.approx([150.0] * 32 + [75.0] * 32)


def test_windows_of_a_data_set_are_grooves_with_the_length_of_their_steps(groove, tmp_path):
    piece = scores.read_piece(groove, "a", written(tmp_path / "a.mid", drawn(64)))
    assert len(piece.starts) == 3
    data = np.stack([piece.data[:, at : at + 32] for at in piece.starts])
    windows = groove.unpacked(Windows(torch.from_numpy(data), torch.zeros(3), 0))
    assert windows.batch(torch.arange(2)).shape == (2, 27, 32)
    assert windows.cond[torch.arange(3)].flatten().tolist() == pytest.approx([125.0] * 96)
    assert groove.canonical(torch.from_numpy(data)).shape == (3, 18, 32)


def test_drum_files_stay_with_the_adapter_for_hits(groove, make_midi):
    beats, song = kit([(0, 0.1, 36), (1, 0.1, 38)]), {"notes": [(i, 1, 60) for i in range(9)]}
    for tracks in ([beats], [beats, song]):
        file = make_midi(*tracks)
        head = file.read_bytes()
        assert 0 < Groove.sniff(head, file) < Drums.sniff(head, file)
    assert Groove.sniff(b"RIFF", file.with_suffix(".wav")) == 0


def test_rolls_have_timing_and_loudness(groove):
    (roll,) = groove.rolls(Sample(beat((0, 0, 0.5, 0.0), (4, 1, 0.25, -0.2)), groove.blank()))
    assert [tuple(note) for note in roll.notes] == [(0, 1, 0), (pytest.approx(3.8), 1, 1)]
    assert list(roll.loudness) == [0.5, 0.25]


def test_attributes_are_measured_of_hits_loudness_and_timing(groove):
    swung = beat(*((4 * i, 2, 0.5, 0.1) for i in range(8)), *((4 * i + 3, 2, 0.3, -0.2) for i in range(8)))
    found = {name: groove.measure(registry.build("attributes", name), swung[None]).item() for name in groove.attributes}
    assert found["density"] == 8
    assert found["hihat"] == 1
    assert found["loudness"] == pytest.approx(127 * 0.4)
    assert found["swing"] == pytest.approx(100 * (2.8 - 0.1) / 4)


def test_training_varies_grooves(groove):
    x = torch.stack([drawn(32, i) for i in range(64)])
    y = groove.augment(x, torch.Generator().manual_seed(0))
    assert y.shape == x.shape
    assert not y[:, VELOCITIES][y[:, HITS] == 0].any()
    assert (y[:, HITS].sum((1, 2)) > 1).all()
    assert y.equal(groove.augment(x, torch.Generator().manual_seed(0)))


def test_files_without_drums_are_refused(groove, make_midi):
    with pytest.raises(MusicaeError, match="it has no drums"):
        groove.read(make_midi({"notes": [(0, 1, 60), (1, 1, 62)]}))
    with pytest.raises(MusicaeError, match=r"bars '2' have no drums|out of range"):
        groove.read(make_midi(kit([(0, 0.1, 36)])), bars="2")
