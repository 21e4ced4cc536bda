"""Sounds at the preset's rate: read from and written to every kind of file, chosen, augmented and drawn."""

import io
from dataclasses import asdict

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musicae.adapters.audio import Audio, excerpt, is_short, resample
from musicae.adapters.mel import Mel
from musicae.core import Candidate, Sample
from musicae.errors import MusicaeError
from musicae.formats.sound import files as sound
from musicae.formats.sound import sndfile
from musicae.testing import check_adapter


def tones(frames=4000, channels=1, rate=8000):
    time = np.arange(frames)[:, None] / rate
    return (0.4 * np.sin(2 * np.pi * time * (220 + 110 * np.arange(channels)))).astype(np.float32)


def test_it_keeps_its_promises(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tones(5000, 1), 8000, "FLOAT")
    check_adapter(Audio(sample_rate=8000, size=1024), path)
    check_adapter(Audio(sample_rate=8000, size=1024))


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "subtype", "channels", "rate", "near"),
    [
        ("a.wav", "PCM_16", 1, 8000, 1e-4),
        ("a.wav", "PCM_24", 2, 8000, 1e-4),
        ("a.wav", "FLOAT", 8, 44_100, 0.02),
        ("a.wav", "PCM_U8", 1, 8000, 0.01),
        ("a.flac", "PCM_24", 2, 192_000, 0.02),
        ("a.aiff", "PCM_16", 1, 22_050, 0.02),
        ("a.ogg", "VORBIS", 2, 44_100, 0.1),
        ("a.opus", "OPUS", 1, 48_000, 0.1),
        ("a.mp3", "MPEG_LAYER_III", 2, 44_100, 0.1),
    ],
)
def test_what_is_written_is_as_what_was_read(tmp_path, name, subtype, channels, rate, near):
    source, target = tmp_path / name, tmp_path / f"again-{name}"
    x = np.repeat(tones(rate // 2, 1, rate), channels, axis=1)
    soundfile.write(source, x, rate, subtype, format="OGG" if name.endswith("opus") else None)
    adapter = Audio(sample_rate=8000, size=1024)
    sample = adapter.read(source)
    assert sample.tensor.shape[0] == 1
    adapter.write(sample, target)
    was, made = soundfile.info(source), soundfile.info(target)
    assert (made.samplerate, made.channels, made.subtype, made.format) == (
        was.samplerate, was.channels, was.subtype, was.format,
    )  # fmt: skip
    assert abs(made.frames - was.frames) <= (1200 if name.endswith("mp3") else 0)
    middle = slice(rate // 8, rate // 4)
    if not name.endswith("mp3"):
        assert np.abs(soundfile.read(target, always_2d=True)[0][middle] - x[middle]).max() < near


def test_bad_files_are_one_line(tmp_path):
    (tmp_path / "text.wav").write_text("no sound at all")
    soundfile.write(tmp_path / "none.wav", tones()[:0], 8000)
    for name, match in (("text.wav", "not a sound file"), ("none.wav", "has no samples"), ("gone.wav", "no file")):
        with pytest.raises(MusicaeError, match=match) as caught:
            Audio().read(tmp_path / name)
        assert "\n" not in str(caught.value)
    soundfile.write(tmp_path / "a.wav", tones(), 8000)


def test_wrong_settings_are_one_line():
    for wrong, match in (
        ({"sample_rate": 0}, "sample_rate and size"),
        ({"size": 0}, "sample_rate and size"),
        ({"speed_change": 0.5}, "speed_change"),
        ({"min_level_db": 0.0, "max_level_db": -3.0}, "min_level_db"),
        ({"eq_tilt_db": -1.0}, "eq_tilt_db and eq_bumps_db"),
    ):
        with pytest.raises(MusicaeError, match=match):
            Audio(**wrong)


def test_streams_are_read_and_written(tmp_path):
    adapter = Audio(sample_rate=8000, size=1024)
    soundfile.write(tmp_path / "a.flac", tones(4000, 2), 8000, "PCM_24")
    stream = io.BytesIO((tmp_path / "a.flac").read_bytes())
    sample = adapter.read(stream)
    assert torch.equal(sample.tensor, adapter.read(tmp_path / "a.flac").tensor)
    written = io.BytesIO()
    adapter.write(sample, written)
    adapter.write(sample, tmp_path / "b.flac")
    assert written.getvalue() == (tmp_path / "b.flac").read_bytes()
    drawn = io.BytesIO()
    adapter.write(Sample(torch.zeros(1, 100), adapter.blank()), drawn)
    assert drawn.getvalue()[:4] == b"RIFF"


@given(
    samples=st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=100),
    channels=st.integers(1, 3),
    rate=st.sampled_from([8000, 11_025, 44_100]),
    kind=st.sampled_from([("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_24"), ("AIFF", "PCM_24")]),
)
@settings(max_examples=50, deadline=None)
def test_a_recording_as_it_is_comes_back_to_the_bit(samples, channels, rate, kind):
    x = torch.tensor(samples).float().div(32_768).expand(channels, -1)
    adapter, stream = Audio(sample_rate=16_000), io.BytesIO()
    meta = {"kind": {**asdict(sound.Kind(rate, 1)), "format": kind[0], "subtype": kind[1]}, "as_is": True}
    adapter.write(Sample(x, meta), stream)
    again = adapter.read(stream, as_is=True)
    assert torch.equal(again.tensor, x)
    assert again.meta == {"kind": asdict(sound.Kind(rate, channels, *kind)), "length": len(samples), "as_is": True}
    assert adapter.read(stream).meta.get("as_is") is None


def test_a_recording_as_it_is_is_clipped_not_turned_down(tmp_path):
    x = torch.full((2, 50), 1.5)
    Audio().write(Sample(x, {"kind": asdict(sound.Kind(8000, 2)), "as_is": True}), tmp_path / "a.wav")
    Audio().write(Sample(x / 3, {"kind": asdict(sound.Kind(8000, 2)), "as_is": True}), tmp_path / "b.wav")
    assert soundfile.read(tmp_path / "a.wav")[0].min() > 0.9999
    assert soundfile.read(tmp_path / "b.wav")[0].max() == 0.5


def test_what_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path):
    adapter = Audio(sample_rate=8000)
    sample = Sample(torch.zeros(1, 100), adapter.blank())
    for path, match in ((tmp_path / "no" / "a.wav", "there is no folder"), (tmp_path / "a.txt", "sound is written as")):
        with pytest.raises(MusicaeError, match=match):
            adapter.write(sample, path)
    with pytest.raises(MusicaeError, match="not a kind of sound file"):
        adapter.write(Sample(torch.zeros(1, 100), {"kind": {"rate": -1}}), tmp_path / "a.wav")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050])
def test_blocks_are_the_file_at_the_presets_rate(tmp_path, rate):
    x = tones(200_000, 2, rate)
    soundfile.write(tmp_path / "a.wav", x, rate, "FLOAT")
    adapter = Audio(sample_rate=16_000)
    blocks = list(adapter.blocks(tmp_path / "a.wav"))
    assert len(blocks) > 2
    joined, whole = np.concatenate(blocks), adapter.read(tmp_path / "a.wav").tensor[0].numpy()
    assert abs(len(joined) - len(whole)) <= 1
    middle = slice(5000, len(whole) - 5000)
    assert np.abs(joined[: len(whole)][middle] - whole[middle]).max() < 1e-3


def test_resampling_keeps_the_length_in_seconds():
    x = tones(8000)[:, 0]
    assert resample(x, 8000, 8000) is x
    assert abs(len(resample(x, 8000, 44_100)) - 44_100) <= 1
    assert np.abs(resample(resample(x, 8000, 16_000), 16_000, 8000)[100:-100] - x[100:-100]).max() < 1e-3


# --- what would cancel, and what would be too much -------------------------------------------------------------------


@pytest.mark.parametrize("share", [1, 0.97])
def test_an_inverted_channel_does_not_silence_a_file(tmp_path, share):
    one = tones(24_000)
    soundfile.write(tmp_path / "a.wav", np.hstack([one, -share * one]), 8000)
    sample = Audio(8000, 8000).read(tmp_path / "a.wav")
    streamed = np.concatenate(list(Audio(8000, 8000).blocks(tmp_path / "a.wav")))
    for made in (sample.tensor[0].numpy(), streamed):
        assert np.allclose(made, one[:, 0], atol=1e-4)
    assert any("cancel each other" in remark for remark in sample.remarks)
    soundfile.write(tmp_path / "b.wav", np.hstack([one, one]), 8000)
    assert not any("cancel" in remark for remark in Audio(8000, 8000).read(tmp_path / "b.wav").remarks)


def test_what_takes_too_much_memory_is_refused_by_its_header_and_by_its_content(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICAE_MEMORY", "8M")
    soundfile.write(tmp_path / "a.flac", np.zeros(800_000, np.int16), 16_000)
    decoded = []
    inside = sndfile.SndFile.blocks

    def counted(self, size=65_536):
        for block in inside(self, size):
            decoded.append(len(block))
            yield block

    monkeypatch.setattr(sndfile.SndFile, "blocks", counted)
    for as_is in (False, True):
        with pytest.raises(MusicaeError, match=r"a\.flac takes .* of memory"):
            Audio(16_000).read(tmp_path / "a.flac", as_is=as_is)
    with pytest.raises(MusicaeError, match="of memory"):
        Mel(16_000).read(tmp_path / "a.flac")
    assert not decoded
    inside_init = sndfile.SndFile.__init__

    def unknown(self, *given):
        inside_init(self, *given)
        self.length = None

    monkeypatch.setattr(sndfile.SndFile, "__init__", unknown)
    with pytest.raises(MusicaeError, match="of memory"):
        Audio(16_000).read(tmp_path / "a.flac")
    assert 0 < sum(decoded) < 200_000
    assert sum(map(len, Audio(16_000).blocks(tmp_path / "a.flac"))) == 800_000  # Blocks are no matter of memory.


@pytest.mark.parametrize("rate", [1000, 44_100, 768_000])
def test_a_single_sample_is_a_sound(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", np.full(1, 0.5), rate)
    for adapter in (Audio(16_000), Mel(16_000)):
        sample = adapter.read(tmp_path / "a.wav")
        assert sample.tensor.shape[-1] >= 1
        adapter.write(sample, tmp_path / "b.wav")
        assert soundfile.info(tmp_path / "b.wav").samplerate == rate


# --- which files -----------------------------------------------------------------------------------------------------


def scores(file):
    head = file.getvalue()[:100] if isinstance(file, io.BytesIO) else file.read_bytes()[:100] if file.is_file() else b""
    return Audio.sniff(head, file), Mel.sniff(head, file)


@pytest.mark.parametrize(("frames", "long"), [(100, False), (16_000, False), (16_001, True), (50_000, True)])
def test_what_lasts_more_than_two_seconds_is_no_single_sound(tmp_path, monkeypatch, frames, long):
    soundfile.write(tmp_path / "a.wav", tones(frames), 8000)
    stream = io.BytesIO((tmp_path / "a.wav").read_bytes())
    stream.seek(7)
    inside = sndfile.SndFile.__init__

    def unknown(self, *given):
        inside(self, *given)
        self.length = None

    for _ in range(2):  # Then for files that do not say how long they are.
        for file in (tmp_path / "a.wav", stream):
            audio, mel = scores(file)
            assert (audio > mel) == long
            assert min(audio, mel) > 0
            assert is_short(file) != long
        monkeypatch.setattr(sndfile.SndFile, "__init__", unknown)
    assert stream.tell() == 7


def test_what_cannot_be_read_goes_by_its_suffix_to_where_the_error_is_clear(tmp_path):
    for name in ("a.wav", "b.MP3", "gone.flac"):
        if name != "gone.flac":
            (tmp_path / name).write_text("no sound")
        assert is_short(tmp_path / name) is None
        audio, mel = scores(tmp_path / name)
        assert 0 < mel < audio < 0.6
    (tmp_path / "a.mid").write_bytes(b"MThd" + bytes(20))
    assert scores(tmp_path / "a.mid") == (0, 0)
    assert scores(io.BytesIO(b"no sound")) == (0, 0)


def test_the_content_decides_before_the_suffix(tmp_path):
    soundfile.write(tmp_path / "a.wav", tones(20_000), 8000)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.wav").read_bytes())
    (tmp_path / "a").write_bytes((tmp_path / "a.wav").read_bytes())
    assert scores(tmp_path / "a.png") == scores(tmp_path / "a") == scores(tmp_path / "a.wav")
    assert scores(tmp_path / "a.wav")[0] == 0.9


# --- which preset ----------------------------------------------------------------------------------------------------


def candidate(name, rate, content="", suits=None):
    def unused(samples, rate):
        raise AssertionError("the file was listened to although nothing depends on it")

    return Candidate(name, {"sample_rate": rate}, content, suits or unused)


def write(path, rate, frames=20_000):
    soundfile.write(path, tones(frames, 2, rate), rate, "FLOAT")
    return path


def test_only_one_candidate_is_taken_without_a_look(tmp_path):
    only = candidate("a", 8000)
    assert Audio.select(tmp_path / "gone.wav", [only]) is only


def test_a_file_with_no_more_than_the_band_of_speech_is_taken_for_it(tmp_path):
    both = [candidate("any", 44_100), candidate("speech", 16_000, "speech")]
    assert Audio.select(write(tmp_path / "a.wav", 16_000), both).name == "speech"
    assert Audio.select(io.BytesIO((tmp_path / "a.wav").read_bytes()), both).name == "speech"


@pytest.mark.parametrize(
    ("odds", "name", "doubt"),
    [
        (3, "speech", ""),
        (0.5, "speech", "was taken for speech; if it is music, add --preset any"),
        (-0.5, "any", "was taken for music; if it is speech, add --preset speech"),
        (-3, "any", ""),
    ],
)
def test_the_one_that_suits_a_file_is_taken_and_doubts_are_told(tmp_path, odds, name, doubt):
    given = []

    def suits(samples, rate):
        given.append((len(samples), rate))
        return odds

    both = [candidate("speech", 16_000, "speech", suits), candidate("any", 44_100)]
    chosen = Audio.select(write(tmp_path / "a.wav", 48_000, 96_000), both)
    assert (chosen.name, chosen.doubt) == (name, doubt and f"{tmp_path / 'a.wav'} {doubt}")
    assert given == [(96_000, 48_000)]


def test_silence_is_no_speech(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(50_000), 44_100)
    both = [candidate("speech", 16_000, "speech"), candidate("any", 44_100)]
    assert Audio.select(tmp_path / "a.wav", both).name == "any"


@pytest.mark.parametrize(
    ("rate", "scale", "name"), [(8000, 2, "low"), (22_050, 2, "high"), (16_000, 1, "low"), (11_025, 2, "low")]
)
def test_of_several_the_nearest_in_rate_after_enlarging_is_taken(tmp_path, rate, scale, name):
    both = [candidate("high", 44_100), candidate("low", 16_000)]
    assert Audio.select(write(tmp_path / "a.wav", rate), both, scale=scale).name == name


def test_of_a_damaged_file_the_error_is_that_of_reading(tmp_path):
    (tmp_path / "a.wav").write_text("no sound")
    for both in ([candidate("a", 8000), candidate("b", 16_000)], [candidate("a", 8000), candidate("b", 9, "speech")]):
        with pytest.raises(MusicaeError, match="not a sound file"):
            Audio.select(tmp_path / "a.wav", both)


def test_an_excerpt_passes_over_silence_and_is_of_the_louder_channel(tmp_path):
    silence, loud = np.zeros((12_000, 2), np.float32), tones(20_000, 2) * (0.5, 1)
    soundfile.write(tmp_path / "a.wav", np.concatenate([silence, loud]), 8000, "FLOAT")
    found, rate = excerpt(tmp_path / "a.wav", 1.5)
    assert rate == 8000
    assert np.array_equal(found, loud[:12_000, 1].astype(np.float32))
    soundfile.write(tmp_path / "b.wav", silence, 8000)
    assert len(excerpt(tmp_path / "b.wav", 1.5)[0]) == 0
    soundfile.write(tmp_path / "c.wav", np.concatenate([np.tile(silence, (250, 1)), loud]), 8000)
    assert len(excerpt(tmp_path / "c.wav", 1.5)[0]) == 0  # What is five minutes away is not looked for.


# --- windows and pictures --------------------------------------------------------------------------------------------


def test_augmenting_cuts_and_levels():
    adapter = Audio(sample_rate=8000, size=1000, speed_change=0.1, min_level_db=-30, max_level_db=-20)
    batch = torch.from_numpy(tones(1500)).T[None].repeat(8, 1, 1)
    rng = torch.Generator().manual_seed(0)
    made = adapter.augment(batch, rng)
    assert made.shape == (8, 1, 1000)
    levels = 10 * made.square().mean(-1).log10()
    assert levels.min() > -30.5
    assert levels.max() < -19.5
    assert levels.std() > 1
    assert torch.equal(made, adapter.augment(batch, torch.Generator().manual_seed(0)))
    assert torch.equal(Audio(size=1000).augment(batch[..., :1000], rng), batch[..., :1000])
    with pytest.raises(MusicaeError, match="min_level_db"):
        Audio(min_level_db=0.0, max_level_db=-3.0)


def test_augmenting_filters_each_sound_in_its_own_way_and_keeps_its_level():
    adapter = Audio(sample_rate=8000, size=4000, eq_tilt_db=3.0, eq_bumps_db=3.0)
    batch = 0.1 * torch.randn(1, 1, 4000, generator=torch.Generator().manual_seed(1)).repeat(6, 1, 1)
    made = adapter.augment(batch, torch.Generator().manual_seed(0))
    torch.testing.assert_close(made.square().mean(-1), batch.square().mean(-1), rtol=1e-3, atol=0)
    spectra = torch.fft.rfft(made[:, 0]).abs() / torch.fft.rfft(batch[:, 0]).abs()
    bands = 20 * spectra.unflatten(1, (3, 667)).mean(2).log10()
    assert bands.std(0).min() > 1
    with pytest.raises(MusicaeError, match="eq_tilt_db and eq_bumps_db"):
        Audio(eq_tilt_db=-1.0)


def test_a_picture_shows_when_and_how_high(tmp_path):
    rate = 8000
    x = np.sin(2 * np.pi * 2000 * np.arange(rate) / rate)
    x[: rate // 2] = 0
    picture = Audio(sample_rate=rate).picture(torch.tensor(x, dtype=torch.float32)[None])
    assert picture.shape[:2] == (1, 513)
    assert 0 <= picture.min() < 0.01
    assert picture.max() == 1
    columns = picture.shape[2]
    assert picture[0, :, : columns // 3].max() == 0
    assert abs(int(picture[0, :, 3 * columns // 4].argmax()) - 256) <= 1  # 2,000 of 4,000 Hz: half way up.
    assert Audio(sample_rate=rate).picture(torch.zeros(1, 10)).max() == 0
    assert Audio(sample_rate=rate).picture(torch.zeros(1, 4_000_000)).shape[2] < 1100


def test_what_lies_between_sounds_is_of_the_heaviest():
    adapter = Audio(sample_rate=8000)
    stereo, blank = {"kind": asdict(sound.Kind(44_100, 2)), "length": 5}, adapter.blank()
    assert adapter.mix([stereo, blank], [0.6, 0.4])["kind"] == stereo["kind"]
    assert adapter.mix([stereo, blank], [0.4, 0.6])["kind"] == blank["kind"]
    joined = adapter.concat([Sample(torch.zeros(1, 3), stereo), Sample(torch.ones(1, 2), blank)])
    assert joined.tensor.tolist() == [[0, 0, 0, 1, 1]]
    assert joined.meta == {"kind": stereo["kind"], "length": None}
    with pytest.raises(MusicaeError, match="no sounds to join"):
        adapter.concat([])


def test_its_steps_are_samples():
    assert (Audio(sample_rate=8000).sample_rate, Audio(sample_rate=8000).steps_per_second) == (8000, 8000)


@pytest.mark.parametrize("as_is", [True, False])
def test_a_sample_carries_the_tags_of_its_file(tmp_path, as_is):
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 8000, 1) as file:
        file.title = "Stück"
        file.write(tones())
    sample = Audio(8000, 1000).read(tmp_path / "a.flac", as_is=as_is)
    Audio(8000, 1000).write(sample, tmp_path / "b.flac")
    Audio(8000, 1000).write(sample, tmp_path / "b.wav")
    for name in ("b.flac", "b.wav"):
        with soundfile.SoundFile(tmp_path / name) as file:
            assert file.title == "Stück"
