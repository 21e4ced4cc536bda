from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import musicae
from musicae import errors


@pytest.mark.parametrize("name", musicae.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(musicae, name).__doc__
    assert name in dir(musicae)


def test_public_names_are_those_of_their_homes() -> None:
    from musicae import codec
    from musicae.evaluations import run
    from musicae.ops import restore
    from musicae.training import loop

    assert musicae.load is codec.load
    assert musicae.train is loop.train
    assert musicae.evaluate is run.evaluate
    assert musicae.denoise is restore.denoise
    assert musicae.MusicaeError is errors.MusicaeError


@pytest.mark.parametrize("name", musicae.__all__)
def test_no_module_hides_a_verb(name: str) -> None:
    """Whatever was imported before: the name is the function or class, in a fresh process."""
    code = (
        "import importlib, pkgutil, types, musicae\n"
        "for found in pkgutil.iter_modules(musicae.__path__):\n"
        "    found.name == '__main__' or importlib.import_module(f'musicae.{found.name}')\n"
        f"assert type(musicae.{name}) is not types.ModuleType"
    )
    if name in ("train", "evaluate", "restore"):  # A process for each name that was a module would take a minute.
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert not (Path(musicae.__file__).parent / f"{name}.py").exists()
    assert not (Path(musicae.__file__).parent / name).exists()


def test_idle_threads_wait_without_spinning() -> None:
    code = "import musicae, os; print(os.environ['OMP_WAIT_POLICY'])"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_", "KMP_"))}
    for wanted, extra in (("PASSIVE", {}), ("active", {"OMP_WAIT_POLICY": "active"})):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env={**environment, **extra}, check=True
        )
        assert done.stdout.strip() == wanted


def test_the_version_is_the_installed_packages() -> None:
    assert musicae.__version__ == metadata.version("musicae")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'musicae' has no attribute 'interpolat'"):
        _ = musicae.interpolat
