"""What the adapters for notes share, seen through one that reads the lowest note of each beat."""

import io
import wave
from pathlib import Path

import pytest
import torch

from musicae.adapters.drums import Drums
from musicae.adapters.melody import Melody
from musicae.adapters.shared.score import ScoreAdapter, tracks_in
from musicae.core import Adapter, Candidate, Sample
from musicae.errors import MusicaeError

DATA = Path(__file__).parents[3] / "data"


def test_one_that_does_not_say_how_it_reads_cannot_be_built():
    class Half(ScoreAdapter):
        suffixes = (".mid",)

    with pytest.raises(TypeError, match="from_score"):
        Half(1, "bernoulli", 1, 4)
    assert issubclass(ScoreAdapter, Adapter)


@pytest.mark.parametrize(("bars", "steps"), [(0, 4), (2, 0)])
def test_a_window_has_a_bar_and_a_beat_a_step(bars, steps):
    for kind in (Melody, Drums):
        with pytest.raises(MusicaeError, match=r"\[adapter\] bars and steps_per_beat must be at least 1"):
            kind(bars=bars, steps_per_beat=steps)
        assert kind(bars=3, steps_per_beat=5).spec.shape == (60,)


@pytest.mark.parametrize("adapter", [Melody(), Drums()])
def test_a_stream_is_read_and_written_as_a_file_is(adapter, tmp_path):
    path = DATA / ("rock.mid" if isinstance(adapter, Drums) else "band.mid")
    named, streamed = adapter.read(path, bars="2"), adapter.read(io.BytesIO(path.read_bytes()), bars="2")
    assert torch.equal(named.tensor, streamed.tensor)
    assert (named.remarks, named.hop) == (streamed.remarks, streamed.hop)
    assert named.meta == streamed.meta | {"source": path.name}
    stream = io.BytesIO()
    adapter.write(named, stream)
    adapter.write(named, tmp_path / "out.mid")
    assert stream.getvalue() == (tmp_path / "out.mid").read_bytes()


def test_a_stream_that_cannot_be_read_is_one_line():
    with pytest.raises(MusicaeError, match=r"^the stream: it has only drums"):
        Melody().read(io.BytesIO((DATA / "rock.mid").read_bytes()))
    with pytest.raises(MusicaeError, match=r"^the stream is empty"):
        Melody().read(io.BytesIO())


@pytest.mark.parametrize("adapter", [Melody(), Drums()])
def test_samples_are_joined_with_their_remarks(adapter):
    one = Sample(torch.ones(adapter.spec.channels, 16), adapter.blank(), 16, ["a"])
    two = Sample(torch.zeros(adapter.spec.channels, 16), adapter.blank(), 8, ["b"])
    joined = adapter.concat([one, two])
    assert torch.equal(joined.tensor, torch.cat([one.tensor, two.tensor], 1))
    assert (joined.hop, joined.remarks, joined.meta["meters"]) == (16, ["a", "b"], [[0, 4, 4]])
    assert adapter.mix([one.meta, two.meta | {"track": "B"}], [0.2, 0.8])["track"] == "B"


def test_conditions_are_joined_where_they_run_along():
    adapter = Drums()

    def part(length, cond):
        return Sample(torch.zeros(9, length), adapter.blank(), cond=cond)

    along, label = torch.rand(3, 16), torch.eye(4)[2]
    assert torch.equal(adapter.concat([part(16, along), part(16, along)]).cond, torch.cat([along, along], 1))
    assert torch.equal(adapter.concat([part(16, label), part(16, label)]).cond, label)
    assert adapter.concat([part(16, along), part(16, None)]).cond is None


@pytest.mark.parametrize("adapter", [Melody(), Drums()])
def test_a_sample_is_rendered_to_a_wav_file(adapter, tmp_path):
    pytest.importorskip("pretty_midi")
    sample = adapter.read(DATA / ("rock.mid" if isinstance(adapter, Drums) else "twinkle.mid"), bars="1")
    assert adapter.render(sample, tmp_path / "out.wav").startswith("the sound is ")
    stream = io.BytesIO()
    adapter.render(sample, stream)
    assert stream.getvalue() == (tmp_path / "out.wav").read_bytes()
    with wave.open(str(tmp_path / "out.wav")) as sound:
        assert sound.getnframes() / sound.getframerate() > 1.5
    silent = Sample(torch.zeros(adapter.spec.channels, 16), adapter.blank())
    with pytest.raises(MusicaeError, match=r"^the result has no notes; there is nothing to play"):
        adapter.render(silent, tmp_path / "silent.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["out.wav"]


def test_the_tracks_of_what_is_midi(make_midi):
    path = make_midi({"notes": [(0, 1, 36), (1, 1, 36), (2, 1, 36)], "channel": 9}, {"notes": [(0, 1, 60)]})
    head = path.read_bytes()
    stream = io.BytesIO(head)
    stream.seek(2)
    for file in (path, stream):
        assert [len(track) for track in tracks_in(head, file).tracks] == [3, 1]
    assert stream.tell() == 2
    assert tracks_in(head[:40], io.BytesIO(head[:40])).tracks == []
    assert tracks_in(b"RIFFxxxxWAVE", io.BytesIO()) is None


def candidate(bars):
    return Candidate(f"of-{bars}", {"bars": bars}, "", lambda samples, rate: 0.0)


@pytest.mark.parametrize(("bars", "name"), [(1, "of-2"), (2, "of-2"), (15, "of-2"), (16, "of-16"), (40, "of-16")])
def test_of_several_presets_the_longest_windows_that_the_music_fills_are_selected(make_midi, bars, name):
    path = make_midi({"notes": [(32, 4, 60), (32 + 4 * bars - 1, 1, 62)]})  # Eight empty bars come first.
    stream = io.BytesIO(path.read_bytes())
    assert Melody.select(path, [candidate(16), candidate(2)]).name == name
    assert Melody.select(stream, [candidate(2), candidate(16)]).name == name
    assert stream.tell() == 0


def test_of_one_preset_that_is_selected_and_nothing_read(tmp_path):
    assert Melody.select(tmp_path / "none.mid", [candidate(16)]).name == "of-16"
