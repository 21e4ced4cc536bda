from __future__ import annotations

import subprocess
import sys
import types
from importlib import metadata

import pytest

import musicae
from musicae import errors


@pytest.mark.parametrize("name", musicae.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(musicae, name).__doc__
    assert name in dir(musicae)


def test_public_names_are_those_of_their_homes() -> None:
    from musicae import codec, ops, train

    assert musicae.load is codec.load
    assert musicae.interpolate is ops.interpolate
    assert musicae.train_preset is train.train
    assert musicae.MusicaeError is errors.MusicaeError


@pytest.mark.parametrize("name", ["train", "evaluate"])
@pytest.mark.parametrize("first", ["pass", "from musicae import codec, ops"])
def test_a_submodule_is_never_hidden_by_a_function(name: str, first: str) -> None:
    """Whatever was imported before: the attribute is the module, in a fresh process."""
    code = f"import musicae, types; {first}; assert type(musicae.{name}) is types.ModuleType"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_submodules_that_share_no_name_with_a_verb_are_modules() -> None:
    import musicae.train

    assert isinstance(musicae.train, types.ModuleType)
    assert callable(musicae.train_preset)


def test_the_version_is_the_installed_packages() -> None:
    assert musicae.__version__ == metadata.version("musicae")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'musicae' has no attribute 'interpolat'"):
        _ = musicae.interpolat
