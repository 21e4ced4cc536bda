"""A package that is written to begin with: it installs, passes its own tests, and is found."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from musicae.errors import MusicaeError
from musicae.ops.new_plugin import KINDS, new_plugin

PIP = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target"]


def python(words: list[str], cwd: Path, *more: Path) -> str:
    """Run Python with folders on its path, as if what they hold were installed, and return what it prints."""
    path = os.pathsep.join(map(str, [*more, *filter(None, [os.environ.get("PYTHONPATH")])]))
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *words], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_they_install_and_pass_their_own_tests(tmp_path: Path) -> None:
    names = [f"my-{kind}" for kind in KINDS]
    for name, kind in zip(names, KINDS, strict=True):
        assert all(path.is_file() for path in new_plugin(name, kind, tmp_path / name))
    python([*PIP, str(tmp_path / "installed"), *(f"./{name}" for name in names)], tmp_path)
    for name in names:
        out = python(["-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path / name, tmp_path / "installed")
        assert " passed" in out
        assert "failed" not in out
    listed = python(["-m", "musicae", "presets"], tmp_path, tmp_path / "installed")
    assert {(name, name) for name in names} <= {tuple(line.split()[:2]) for line in listed.splitlines()}


def test_what_is_written_is_in_order(tmp_path: Path) -> None:
    for kind in KINDS:
        files = new_plugin(f"odd-9-{kind}", kind, tmp_path / kind)
        assert not any("$" in path.read_text() for path in files if path.suffix != ".yml")
        project = tomllib.loads((tmp_path / kind / "pyproject.toml").read_text())
        assert project["project"]["name"] == f"odd-9-{kind}"
        assert "${{ matrix.python }}" in (tmp_path / kind / ".github" / "workflows" / "test.yml").read_text()
    config = Path(__file__).resolve().parents[2] / "pyproject.toml"
    select = ["--config", str(config), "--select", "E,F,UP,B,SIM,RUF,PT", str(tmp_path)]
    python(["-m", "ruff", "check", "--no-cache", *select], tmp_path)
    python(["-m", "ruff", "format", "--no-cache", "--check", "--config", str(config), str(tmp_path)], tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *[(name, "is no name for a package; take small letters") for name in
          ("", "My-Plugin", "my plugin", "my_plugin", "../x", "-x", "x-", "x--y", "9lives", "a" * 51, "x\ny")],
        ("json", "'json' is the name of a part of Python or of musicae; choose another, as my-json"),
        ("class", "is the name of a part of Python"),
        ("musicae", "is the name of a part of Python or of musicae"),
        ("vae", "musicae has a part that is called 'vae'; choose another name, as my-vae"),
    ],
)  # fmt: skip
def test_bad_names_are_refused_in_a_line(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(MusicaeError, match=message) as caught:
        new_plugin(name, "model", tmp_path / "made")
    assert "\n" not in str(caught.value) or name == "x\ny"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("mine", "file", "link"):
        with pytest.raises(MusicaeError, match=f"{name} exists already; name another folder with -o"):
            new_plugin("my-thing", "model", tmp_path / name)
    assert list((tmp_path / "mine").iterdir()) == []
    with pytest.raises(MusicaeError, match=r"cannot write in .*file"):
        new_plugin("my-thing", "model", tmp_path / "file" / "made")
