"""What people write: presets, settings and commands."""

from __future__ import annotations

import os
import random
import re
import shlex
import shutil
import sys
import tempfile
import tomllib
import webbrowser
from pathlib import Path

import click
import numpy as np
import soundfile
import uvicorn
from music_targets import TUNES
from mutations import ODD_NUMBERS, ODD_WORDS, damaged, damaged_text
from stored_targets import save_codes
from target import DATA, Target

import musicae
from musicae import codec as codecs
from musicae import preset as presets
from musicae.cli import main
from musicae.errors import MusicaeError
from musicae.exports.run import export

__all__ = ["CommandLine", "Preset"]

_QUICK = "drums-lm"  # To export.

_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


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
        (folder / "tune.abc").write_text(TUNES[0])
        (folder / "empty.mid").write_bytes(b"")
        (folder / "sub").mkdir(exist_ok=True)
        shutil.copy(folder / "tone.wav", folder / "sub")
        self.files = [path.name for path in sorted(folder.iterdir())]
        self.presets = [*presets.listed(), "own.toml", "nothing", "melody", "three.png"]
        # What ends at Ctrl-C ends at once, nothing is pushed, and PyTorch's exporter, which takes seconds, is loaded.
        uvicorn.Server.run = webbrowser.open = lambda *_, **__: False  # type: ignore[method-assign]
        os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
        with tempfile.TemporaryDirectory() as made:
            export(_QUICK, Path(made) / "out")

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
        if name == "export":  # The others take ten seconds.
            words = [_QUICK if word in presets.listed() else word for word in words]
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
