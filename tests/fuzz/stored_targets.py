"""What musicae writes itself: codes and checkpoints."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from mutations import ODD_NUMBERS, ODD_WORDS, damaged, damaged_text, damaged_tree
from target import DATA, Target

import musicae
from musicae import codec as codecs
from musicae import preset as presets

__all__ = ["Checkpoint", "Codes", "save_codes"]


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
        large = presets.load("mnist-vae", ["model.latent=16", "model.width=32"])  # Has matrices worth 8 bits.
        codecs.build(large).save(path, weights="int8")
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
