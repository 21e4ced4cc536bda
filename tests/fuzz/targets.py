"""What is fuzzed: each target makes an input from random numbers, and does with it what a user would."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shlex
import shutil
import struct
import sys
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import PIL.Image
import PIL.ImageCms
import PIL.PngImagePlugin
import soundfile
from mutations import ODD_NUMBERS, ODD_WORDS, damaged, damaged_text, damaged_tree

import musicae
from musicae import codec as codecs
from musicae import preset as presets
from musicae.cli import main
from musicae.codec import Codec
from musicae.errors import MusicaeError
from musicae.formats.pictures import files as pictures
from musicae.ops import choose

__all__ = ["TARGETS"]

_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
DATA = Path(__file__).resolve().parents[2] / "data"
Seeds = list[tuple[str, bytes]]  # A suffix, and the bytes of a valid file.


class Target:
    """One kind of input. `run` works in an empty folder; it raises MusicaeError for an input that is refused."""

    name: str

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.shown = ""  # What the input was, for `--only`.

    def run(self, rng: random.Random) -> None:
        raise NotImplementedError


def write_damaged(rng: random.Random, seeds: Seeds) -> Path:
    """Write one of `seeds` damaged, one time in twenty under another's suffix; return its path."""
    suffix, data = rng.choice(seeds)
    if rng.random() < 0.05:
        suffix = rng.choice(seeds)[0]
    path = Path(f"in{suffix}").absolute()
    path.write_bytes(damaged(rng, data, rng.choice(seeds)[1]) if rng.random() < 0.98 else data)
    return path


def read_and_write(codec: Codec, path: Path, suffix: str) -> None:
    """Read a file by a codec's adapter, write it, and read that, which must be possible."""
    adapter = codec.adapter
    sample = adapter.read(path)
    copy = path.with_name(f"copy{suffix}")
    adapter.write(sample, copy)
    del sample  # Or the memory of two is counted.
    try:
        adapter.read(copy)
    except MusicaeError as error:
        raise AssertionError(f"what was written cannot be read: {error}") from error


# --- files ---------------------------------------------------------------------------------------------------------


class Midi(Target):
    """MIDI files under both adapters; some go on to be varied and interpolated."""

    name, suffix = "midi", ".mid"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seeds = self.make_seeds()
        self.codecs = [musicae.load("melody-2bar"), musicae.load("drums-2bar")]

    def make_seeds(self) -> Seeds:
        return [(".mid", path.read_bytes()) for path in sorted(DATA.glob("*.mid"))]

    def run(self, rng: random.Random) -> None:
        path = write_damaged(rng, self.seeds)
        if rng.random() < 0.5:
            path.write_bytes(other_data_bytes(rng, rng.choice(self.seeds)[1]))
        codec = self.codecs["drums" in choose.adapter_for(path) if rng.random() < 0.8 else rng.randrange(2)]
        read_and_write(codec, path, ".mid")
        if rng.random() < 0.02:
            musicae.vary(path, preset=codec)
            musicae.interpolate(path, DATA / "twinkle.mid", preset=codec, steps=3)


def other_data_bytes(rng: random.Random, data: bytes) -> bytes:
    """Return a MIDI file with other data bytes (times, pitches, values), so that its events are still events."""
    changed = bytearray(data)
    places = [at for at in range(22, len(data)) if data[at] < 0x80]
    for at in rng.sample(places, min(len(places), rng.choice((1, 3, 10, 50)))):
        changed[at] = rng.choice((0, 1, 127, rng.randrange(128), rng.randrange(128)))
    return bytes(changed)


_TUNES = (
    "X:1\nT:One\nM:4/4\nL:1/8\nQ:1/4=120\nK:G\n|:G2AB c2d2|e2d2 B4|(3ABc d2 z4|[G2B2d2] G6:|\n",
    "X:2\nT:Two\nM:6/8\nL:1/8\nK:Ador\nE|A2B c2d|e3 e2d|{g}c2A B2G|A3-A2:|2 z6|Z4|\nw: la la la\n",
    "X:3\nT:Drei\nM:C|\nL:1/4\nK:Bb\nV:1\nB,C D/E/ F|(5FGABc d2|\nV:2\nB,4|F,4|\n",
)
_ABC = (
    *("|:", ":|", "::", "[1", "[2", "Z4", "Z99999999|", "z99999", "(3", "(9:8:7", "(99", "C99999", "C/9999", "C//////"),
    *("{", "}", "[", "]", '"', "!", "+", "V:99", "K:", "K:H", "M:0/4", "M:4/0", "M:999/1", "L:1/99999", "L:0", "Q:0"),
    *(
        "Q:1/4=99999",
        "X:2\n",
        "%%MIDI program 200",
        "%%MIDI channel 99",
        "~",
        "^^^^",
        "''''''''''",
        ",,,,,,",
        ">>>>",
        "-",
    ),
    *(
        "m:",
        "P:AABB",
        "P:(A99)99",
        "U:",
        "I:",
        "%%",
        "\\",
        "$",
        "y9999",
        "x",
        "s:",
        "W:",
        "&",
        "&&&&",
        "...",
        ":::::::|",
    ),
)


class Abc(Midi):
    """ABC tunes, under the adapter for melodies."""

    name = "abc"

    def make_seeds(self) -> Seeds:
        return [(".abc", tune.encode()) for tune in _TUNES]

    def run(self, rng: random.Random) -> None:
        text = damaged_text(rng, rng.choice(_TUNES), (*_ABC, *_ABC, *ODD_WORDS))
        data = text.encode("utf-8", "surrogatepass")
        path = Path("in.abc").absolute()
        path.write_bytes(damaged(rng, data) if rng.random() < 0.2 else data)
        choose.adapter_for(path)
        read_and_write(self.codecs[0], path, ".mid")


class Audio(Target):
    """Sound files of all formats; some go on to be denoised, and reconstructed."""

    name = "audio"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seeds = _sounds()
        self.codecs = [musicae.load(name) for name in ("denoise", "sound")]

    def run(self, rng: random.Random) -> None:
        path = write_damaged(rng, self.seeds)
        choose.adapter_for(path)
        codec = rng.choice(self.codecs)
        if rng.random() < 0.9:
            read_and_write(codec, path, rng.choice((".wav", ".flac", ".ogg", ".mp3")))
        elif codec.model.restores:
            musicae.denoise(path, path.with_name("out.wav"), preset=codec)
        else:
            musicae.reconstruct(path, preset=codec)


def _sounds() -> Seeds:
    rng = np.random.default_rng(0)
    seeds: Seeds = []
    for rate, channels in ((8_000, 1), (44_100, 2), (16_000, 6)):
        tone = 0.3 * np.sin(np.arange(rate // 8) * 440 * 2 * np.pi / rate)[:, None]
        samples = tone + 0.02 * rng.standard_normal((rate // 8, channels))
        for name, subtypes in _FORMATS.items():
            for subtype in subtypes:
                if not soundfile.check_format(name, subtype) or (subtype == "OPUS" and rate == 44_100):
                    continue
                file = io.BytesIO()
                try:
                    soundfile.write(file, samples, rate, format=name, subtype=subtype)
                except soundfile.LibsndfileError:  # It writes no such number of channels.
                    continue
                suffix = {"AIFF": ".aiff", "WAVEX": ".wav"}.get(name, f".{name.lower()}")
                seeds.append((suffix, file.getvalue()))
        seeds += _av_sounds(samples.astype(np.float32), rate) if channels < 3 else []
    return seeds


_FORMATS = {
    "WAV": ("PCM_16", "PCM_U8", "PCM_24", "FLOAT", "DOUBLE", "ULAW", "IMA_ADPCM", "MS_ADPCM"),
    "WAVEX": ("PCM_16", "FLOAT"),
    "FLAC": ("PCM_16", "PCM_24"),
    "OGG": ("VORBIS", "OPUS", "FLAC"),
    "MP3": ("MPEG_LAYER_III",),
    "AIFF": ("PCM_16", "FLOAT", "IMA_ADPCM"),
    "AU": ("PCM_16", "ALAW"),
    "CAF": ("PCM_16", "ALAC_16"),
    "W64": ("PCM_16",),
    "RF64": ("PCM_16",),
}


def _av_sounds(samples: np.ndarray[Any, Any], rate: int) -> Seeds:
    """Return the same sound as PyAV writes it, with tags."""
    import av

    seeds: Seeds = []
    forms = {
        ".m4a": ("mp4", "aac"), ".aac": ("adts", "aac"), ".mka": ("matroska", "flac"), ".webm": ("webm", "libopus"),
        ".wma": ("asf", "wmav2"), ".ac3": ("ac3", "ac3"), ".mp3": ("mp3", "libmp3lame"), ".ogg": ("ogg", "libvorbis"),
    }  # fmt: skip
    for suffix, (form, encoder) in forms.items():
        file = io.BytesIO()
        try:
            with av.open(file, "w", format=form) as container:
                container.metadata.update(title="Title", artist="Artist", date="2020")
                stream = container.add_stream(encoder, rate=48_000 if encoder in ("libopus", "ac3") else rate)
                stream.layout = "mono" if samples.shape[1] == 1 else "stereo"
                frame = av.AudioFrame.from_ndarray(samples.T.copy(), format="fltp", layout=stream.layout.name)
                frame.rate = rate
                resampler = av.AudioResampler(stream.format, stream.layout, stream.rate, stream.frame_size or 1_024)
                for part in [*resampler.resample(frame), None]:
                    container.mux(stream.encode(part))
        except (av.error.FFmpegError, ValueError):  # This build of FFmpeg lacks the encoder, or the rate.
            continue
        seeds.append((suffix, file.getvalue()))
    return seeds


class Picture(Target):
    """Pictures of all formats under the adapters of digits and photos; some go on to be denoised."""

    name = "picture"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seeds = _pictures()
        self.codecs = [musicae.load(name) for name in ("mnist-vae", "photo-denoise")]

    def run(self, rng: random.Random) -> None:
        path = write_damaged(rng, self.seeds)
        choose.adapter_for(path)
        codec = rng.choice(self.codecs)
        suffix = rng.choice(codec.adapter.suffixes)
        read_and_write(codec, path, suffix)
        if rng.random() < 0.03:
            if codec.model.restores:
                musicae.denoise(path, path.with_name(f"out{suffix}"), preset=codec)
            else:
                musicae.reconstruct(path, preset=codec)


def _pictures() -> Seeds:
    rng = np.random.default_rng(0)
    seeds: Seeds = []
    values = (rng.random((23, 31, 4)) * 255).astype(np.uint8)
    whole = PIL.Image.fromarray(values)
    exif = PIL.Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    exif.get_ifd(0x8769)[0x9003], exif.get_ifd(0x8769)[0xA002] = "2024:05:06 07:08:09", 31
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 14.5)
    profile = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
    texts = PIL.PngImagePlugin.PngInfo()
    texts.add_text("Title", "A title", zip=True)
    texts.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    both = {"exif": exif, "icc_profile": profile}
    options = {"PNG": {**both, "pnginfo": texts, "dpi": (300, 300)}, "TIFF": {"exif": exif, "dpi": (300, 300)},
               "JPEG": {**both, "xmp": b"<x/>", "comment": "A comment", "progressive": True}, "AVIF": both,
               "WEBP": {**both, "xmp": b"<x/>"}, "GIF": {"comment": "A comment"}}  # fmt: skip
    for form in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "ICO", "TGA", "JPEG2000"):
        for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "F", "I"):
            file = io.BytesIO()
            picture = whole.convert("L").convert(mode) if mode in ("I;16", "F", "I") else whole.convert(mode)
            try:
                picture.save(file, form, **options.get(form, {}))
            except (OSError, KeyError, ValueError):  # The format has no such mode, or this Pillow no such format.
                continue
            seeds.append((f".{form.lower()}", file.getvalue()))
    deep = pictures.Raster(rng.integers(0, 65536, (23, 31, 3)).astype(np.uint16), profile=profile)
    for form in ("PNG", "TIFF"):
        file = io.BytesIO()
        pictures.save(deep, file, kind=form)
        seeds.append((f".{form.lower()}", file.getvalue()))
    for frames in ("GIF", "WEBP", "TIFF", "PNG", "AVIF"):
        file = io.BytesIO()
        whole.save(file, frames, save_all=True, append_images=[whole.rotate(90), whole.rotate(180)])
        seeds.append((f".{frames.lower()}", file.getvalue()))
    return seeds


# --- what musicae wrote --------------------------------------------------------------------------------------------


class Codes(Target):
    """Files of codes: their bytes, their arrays, the JSON in them; what is read is decoded and written."""

    name = "codes"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        sound = folder / "tone.wav"
        soundfile.write(sound, 0.1 * np.sin(np.arange(12_000) / 9), 16_000)
        self.seeds = []
        self.codecs = {name: musicae.load(name) for name in ("melody-2bar", "drums-2bar", "mnist-vae", "sound")}
        sources = {"melody-2bar": [DATA / "twinkle.mid"], "drums-2bar": [DATA / "rock.mid", DATA / "bossa.mid"],
                   "mnist-vae": [DATA / "three.png", DATA / "scene.png"], "sound": [sound]}  # fmt: skip
        for name, files in sources.items():
            self.seeds.append((name, dict(musicae.encode(*files, preset=name))))

    def run(self, rng: random.Random) -> None:
        name, codes = rng.choice(self.seeds)
        path = Path("in.npz").absolute()
        way = rng.random()
        if way < 0.35:
            codes = self.damaged_metas(rng, codes)
        elif way < 0.75:
            codes = self.damaged_arrays(rng, codes)
        save_codes(rng, codes, path)
        if way > 0.75:
            path.write_bytes(damaged(rng, path.read_bytes()))
        given = {0: None, 1: name, 2: self.codecs[name]}[rng.choice((0, 2, 2, 2, 2, 2, 2, 2, 2, 1))]
        suffix = {"sound": ".wav", "mnist-vae": ".png"}.get(name, ".mid")
        for number, sample in enumerate(musicae.decode(path, preset=given)):
            self.codecs[name].adapter.write(sample, Path(f"out{number}{suffix}").absolute())

    def damaged_metas(self, rng: random.Random, codes: dict[str, Any]) -> dict[str, Any]:
        metas = [json.loads(str(meta)) for meta in codes["metas"]]
        at = rng.randrange(len(metas))
        metas[at] = damaged_tree(rng, metas[at])
        texts = [json.dumps(meta) for meta in metas]
        if rng.random() < 0.1:
            texts[at] = damaged_text(rng, texts[at], ODD_WORDS)
        return {**codes, "metas": np.array([text.rstrip("\0") for text in texts])}

    def damaged_arrays(self, rng: random.Random, codes: dict[str, Any]) -> dict[str, Any]:
        codes = dict(codes)
        for _ in range(rng.choice((1, 1, 2))):
            key = rng.choice(sorted(codes))
            codes[key] = rng.choice(_ARRAY_WAYS)(rng, np.asarray(codes[key]))
            if rng.random() < 0.1:
                del codes[key]
            if rng.random() < 0.05:
                codes[rng.choice(("cond", "extra", "file", "../up"))] = np.zeros((np.size(codes.get("counts", 0)), 10))
        return codes


def save_codes(rng: random.Random, codes: dict[str, Any], path: Path) -> None:
    """Write arrays as ``.npz`` by one of the ways a zip file can hold them."""
    method = rng.choice((zipfile.ZIP_DEFLATED,) * 6 + (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(path, "w", method) as file:
        for name, array in codes.items():
            content = io.BytesIO()
            try:
                np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=True)
            except (ValueError, UserWarning):
                content.write(b"none")
            file.writestr(f"{name}.npy", content.getvalue())


def _numbers(rng: random.Random, array: np.ndarray[Any, Any]) -> Any:
    values = array.astype(object).ravel() if array.size else np.zeros(1, object)
    values[rng.randrange(len(values))] = rng.choice(ODD_NUMBERS)
    for kind in rng.sample((np.float32, np.int64, np.float64, np.uint8, "U20"), 5):
        try:
            with np.errstate(all="ignore"):
                changed = values.astype(kind)
            return changed.reshape(array.shape) if changed.size == array.size else changed
        except (ValueError, OverflowError, TypeError):
            continue
    return values


_ARRAY_WAYS: Sequence[Callable[[random.Random, np.ndarray[Any, Any]], Any]] = (
    _numbers,
    _numbers,
    _numbers,
    lambda rng, a: a[:0] if a.ndim else a,
    lambda rng, a: a[None],
    lambda rng, a: a.ravel()[0] if a.size else a,
    lambda rng, a: np.concatenate([a, a]) if a.ndim else a,
    lambda rng, a: a.T,
    lambda rng, a: np.asfortranarray(a),
    lambda rng, a: a.astype(a.dtype.newbyteorder(">")),
    lambda rng, a: np.array([None, {}], object),
    lambda rng, a: np.zeros((0, 10**6)),
    lambda rng, a: np.array(rng.choice([word for word in ODD_WORDS if word != "\ud800"])),
    lambda rng, a: np.array(rng.choice(("../escaped/evil", "x.safetensors", "x.toml", "nothing", "mnist-ae"))),
    lambda rng, a: np.zeros(1, [("a", "f4"), ("b", "i2")]),
    lambda rng, a: np.zeros(3, "M8[s]"),
    lambda rng, a: np.zeros(3, complex),
)


class Checkpoint(Target):
    """Checkpoints of a small network: the bytes, the header's JSON; what loads has to draw."""

    name = "checkpoint"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        small = {
            "mnist-vae": ["model.latent=2", "model.width=8"],
            "melody-2bar": ["model.latent=8", "model.width=16", "model.depth=1", "model.heads=2", "model.gru_width=8"],
            "denoise": ["model.width=8", "model.blocks=1"],
        }
        self.seeds = []
        for name, settings in small.items():
            path = folder / f"{name}.safetensors"
            codecs.build(presets.load(name, settings)).save(path)
            self.seeds.append(path.read_bytes())

    def run(self, rng: random.Random) -> None:
        data = rng.choice(self.seeds)
        path = Path("in.safetensors").absolute()
        path.write_bytes(self.damaged_header(rng, data) if rng.random() < 0.8 else damaged(rng, data))
        codec = musicae.load(str(path))
        if codec.model.latent_size:
            codec.decode(codec.draw(2))
        else:
            codec.restore_any_size(codec.blank_step().expand(codec.spec.full_shape).contiguous())

    def damaged_header(self, rng: random.Random, data: bytes) -> bytes:
        size = struct.unpack("<Q", data[:8])[0]
        tree = json.loads(data[8 : 8 + size])
        inner = json.loads(tree["__metadata__"]["musicae"])
        if rng.random() < 0.8:
            tree["__metadata__"]["musicae"] = json.dumps(damaged_tree(rng, inner))
        else:
            tree = damaged_tree(rng, tree)
        text = json.dumps(tree)
        if rng.random() < 0.05:
            text = damaged_text(rng, text, ODD_WORDS).encode("utf-8", "replace").decode()
        header = text.encode()
        return struct.pack("<Q", len(header)) + header + data[8 + size :]


# --- what people write ---------------------------------------------------------------------------------------------


class Preset(Target):
    """Presets: their text, their values, and settings given on the command line; what is read is built."""

    name = "preset"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.paths = sorted(path for folder in presets.folders() for path in folder.glob("*.toml"))
        self.trees = [tomllib.loads(path.read_text()) for path in self.paths]
        keys = {f"{name}.{key}" for tree in self.trees for name, part in tree.items() if isinstance(part, dict)
                for key in part}  # fmt: skip
        self.keys = sorted(keys | {"training.seed", "model.bogus", "bogus.key", "model", "", "model.name.name"})

    def run(self, rng: random.Random) -> None:
        path, overrides = Path("in.toml").absolute(), []
        if rng.random() < 0.4:
            text = damaged_text(rng, rng.choice(self.paths).read_text(), (*ODD_WORDS, "=", "[model]", "\n", "name = "))
            path.write_text(text, encoding="utf-8", errors="surrogatepass")
        else:
            at = rng.randrange(len(self.trees))
            path.write_text(self.paths[at].read_text())
            for _ in range(rng.choice((1, 1, 2))):
                value = rng.choice((*ODD_NUMBERS, *ODD_NUMBERS, *ODD_WORDS, "[1, 2]", "{a = 1}", "'x'"))
                overrides.append(f"{rng.choice(self.keys)}={value}")
        self.shown = " ".join(overrides)
        recipe = presets.load(str(path), overrides)
        from musicae.training.options import TrainingOptions

        codec = codecs.build(presets.resolve(recipe, TrainingOptions))
        assert codec.spec.full_shape


class CommandLine(Target):
    """Commands with words drawn at random from their own options, and files good and bad."""

    name = "command-line"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.commands = {name: command for name in main.list_commands(click.Context(main))
                         if (command := main.get_command(click.Context(main), name)) is not None}  # fmt: skip
        for group in [command for command in self.commands.values() if isinstance(command, click.Group)]:
            self.commands |= {f"{group.name} {name}": command for name, command in group.commands.items()}
        for path in DATA.glob("*.[mp][in][dg]"):
            shutil.copy(path, folder)
        soundfile.write(folder / "tone.wav", 0.1 * np.sin(np.arange(8_000) / 9), 8_000)
        (folder / "codes.npz").write_bytes(b"")
        codes = musicae.encode(DATA / "three.png", preset="mnist-vae")
        save_codes(random.Random(0), codes, folder / "codes.npz")
        (folder / "own.toml").write_text('extends = "mnist-ae"\n[model]\nlatent = 4\n')
        (folder / "tune.abc").write_text(_TUNES[0])
        (folder / "empty.mid").write_bytes(b"")
        (folder / "sub").mkdir(exist_ok=True)
        shutil.copy(folder / "tone.wav", folder / "sub")
        self.files = [path.name for path in sorted(folder.iterdir())]
        self.presets = [*presets.listed(), "own.toml", "nothing", "melody", "three.png"]

    def run(self, rng: random.Random) -> None:
        # Some results go beside a folder, ``work-denoised``, but nothing goes further.
        above = Path.cwd()
        outside = {path.name for path in above.parent.iterdir()}
        shutil.copytree(self.folder, "work")
        os.chdir("work")
        if rng.random() < 0.5:
            path = Path(rng.choice(self.files))
            if path.is_file():
                path.write_bytes(damaged(rng, path.read_bytes()))
        words = self.words(rng)
        self.shown = shlex.join(words)
        code = self.call(words)
        sys.stdout.flush()
        sys.stderr.flush()
        text = _read_back(2)
        _read_back(1)
        assert code in (0, 1, 2), f"exit code {code}"
        assert "Traceback" not in text
        assert {path.name for path in above.parent.iterdir()} == outside, "a file outside its folder"
        assert all(path.name.startswith("work") for path in above.iterdir()), "a file outside its folder"
        assert not list(above.rglob(".musicae-*")), "a temporary file is left"
        assert not (wild := _UNPRINTABLE.search(text)), f"{wild[0]!r} on the terminal"
        if code:
            lines = [line for line in text.split("\n") if line.startswith(("musicae: ", "Error: ", "Usage: "))]
            assert lines, f"no line that says what is wrong: {text[-200:]!r}"
            assert len(lines[-1]) <= 2_000, f"a line of {len(lines[-1])} characters"
            raise MusicaeError(lines[-1])

    def call(self, words: list[str]) -> int:
        try:
            main(words, prog_name="musicae")
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 1
        return 0

    def words(self, rng: random.Random) -> list[str]:
        name = rng.choice(sorted(self.commands))
        words = name.split()
        parameters = [one for one in self.commands[name].params if one.name not in ("jobs", "workers", "against")]
        arguments = [one for one in parameters if isinstance(one, click.Argument)]
        for one in arguments:
            count = rng.choice((1, 2, 2, 3)) if one.nargs == -1 else rng.choice((1, 1, 1, 1, 0, 2))
            words += [self.value(rng, one) for _ in range(count)]
        options = [one for one in parameters if isinstance(one, click.Option)]
        for one in rng.sample(options, min(len(options), rng.choice((0, 1, 1, 2, 3, 4)))):
            words.append(rng.choice(one.opts + one.secondary_opts))
            if not one.is_flag and rng.random() < 0.97:
                words.append(self.value(rng, one))
        if name == "train":
            words += ["--steps", "1", "-o", "run"]
        if rng.random() < 0.05:
            words.insert(rng.randrange(len(words) + 1), self.odd(rng))
        return [word.replace("\0", "").encode(errors="replace").decode() for word in words]  # As a shell can say them.

    def odd(self, rng: random.Random) -> str:
        return str(rng.choice((*ODD_WORDS, *ODD_NUMBERS)))

    def value(self, rng: random.Random, parameter: click.Parameter) -> str:
        """Return a word for a parameter, mostly of the kind it wants."""
        kind, name = parameter.type, parameter.name or ""
        if rng.random() < 0.1:
            return self.odd(rng)
        if name == "output":
            return rng.choice(("out.mid", "out.wav", "out.png", "out.npz", "out", "-", "sub", "none/out.mid", "out.x"))
        if "preset" in name:
            return rng.choice(self.presets)
        if isinstance(kind, click.Choice):
            return str(rng.choice(list(kind.choices)))
        if isinstance(kind, click.types.IntParamType):
            return str(rng.choice((0, 1, 2, 3, 4, 5, -1, 10**9)))
        if isinstance(kind, click.types.FloatParamType):
            return str(rng.choice((0, 0.3, 0.7, 1, 2, -1, float("nan"), float("inf"))))
        return rng.choice((*self.files, *self.files, "none.mid", "sub", ".", "1-2", "3", "mnist=sub", "8000:1:s16"))


def _read_back(stream: int) -> str:
    """Return what has been written to a redirected stream, and empty it."""
    size = os.fstat(stream).st_size
    text = os.pread(stream, size, 0).decode("utf-8", "replace")
    os.ftruncate(stream, 0)
    os.lseek(stream, 0, os.SEEK_SET)
    return text


TARGETS: dict[str, Callable[[Path], Target]] = {
    one.name: one for one in (Midi, Abc, Audio, Picture, Codes, Checkpoint, Preset, CommandLine)
}
