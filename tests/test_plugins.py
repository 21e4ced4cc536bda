"""Another package adds an adapter, a model, a data set and a preset by entry points only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package under tests/plugin installed in it."""
    target = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--target", str(target), str(Path(__file__).with_name("plugin"))], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return target


def run(command: list[str], folders: list[Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python with `folders` on its path, as if what they hold were installed."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    return subprocess.run(
        [sys.executable, *command], env=env, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


LIBRARY = """
import io
from pathlib import Path
import musicae
from musicae import preset
from musicae.ops.choose import preset_for

assert preset_for(Path("in.toy")) == "toy-beat"
recipe = preset.load("toy-beat", ["training.steps=2", "training.batch=8", "training.warmup=1"])
path = musicae.train(recipe, Path("run"), cpu=True)
codec = musicae.load(str(path))
sample = codec.adapter.read(Path("in.toy"))
code = codec.encode(codec.split(sample))
sample.tensor = codec.join(codec.decode(code.mean), sample.hop, sample.tensor.shape[-1])
codec.adapter.write(sample, Path("out.toy"))
stream = io.BytesIO()
codec.adapter.write(sample, stream)
assert stream.getvalue() == Path("out.toy").read_bytes()
stream.seek(0)
assert musicae.reconstruct(stream, preset=codec).sample.tensor.shape == sample.tensor.shape
print(codec.step, type(codec.adapter).__module__, type(codec.model).__module__, tuple(code.mean.shape))
"""


def test_it_trains_two_steps_and_goes_from_file_to_file(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "in.toy").write_text("1000100010001000" * 2)
    done = run(["-c", LIBRARY], [installed], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[-2] == "2 musicae_toy.adapter musicae_toy.model (2, 4)"
    assert len((tmp_path / "out.toy").read_text().strip()) == 32


def test_the_command_line_lists_and_trains_it(installed: Path, tmp_path: Path) -> None:
    done = run(["-m", "musicae", "presets"], [installed], tmp_path)
    assert done.returncode == 0, done.stderr
    assert any("toy-beat" in line and "musicae-toy" in line for line in done.stdout.splitlines()), done.stdout
    command = ["-m", "musicae", "train", "toy-beat", "--set", "training.steps=2", "--set", "training.batch=8"]
    done = run([*command, "-o", "run"], [installed], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "model.safetensors").is_file()


def test_it_keeps_its_promises(installed: Path, tmp_path: Path) -> None:
    code = (
        "from musicae_toy.adapter import Toy; from musicae_toy.model import Linear; from musicae import testing; "
        "testing.check_adapter(Toy()); testing.check_model(Linear, Toy().spec)"
    )
    done = run(["-c", code], [installed], tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("group", "name"), [("models", "toy-linear"), ("presets", "toy-beat"), ("models", "vae")])
def test_two_owners_of_one_name_are_both_named(installed: Path, tmp_path: Path, group: str, name: str) -> None:
    info = tmp_path / "other" / "other_toys-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-toys\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[musicae.{group}]\n{name} = other_toys:Thing\n")
    code = (
        "import sys\nfrom musicae import MusicaeError, registry\n"
        f"try:\n    registry.names({group!r})\nexcept MusicaeError as error:\n    sys.exit(str(error))"
    )
    done = run(["-c", code], [installed, info.parent], tmp_path)
    assert done.returncode == 1
    first = "musicae" if name == "vae" else "musicae-toy"
    assert done.stderr.strip() in (
        f"two packages own the name '{name}' in {group}: {first} and other-toys; uninstall one of them",
        f"two packages own the name '{name}' in {group}: other-toys and {first}; uninstall one of them",
    )


def test_without_it_its_preset_is_unknown(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom musicae import MusicaeError, preset\n"
        "try:\n    preset.load('toy-beat')\nexcept MusicaeError as error:\n    sys.exit(str(error))"
    )
    done = run(["-c", code], [], tmp_path)
    assert done.stderr.startswith("no preset named 'toy-beat'")
