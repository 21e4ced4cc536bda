"""Put a trained preset into a repository of the Hugging Face hub, where ``hf:user/name`` finds it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from musicae import codec as codecs
from musicae import hub, preset, remote
from musicae.codec import Codec
from musicae.core import Source
from musicae.errors import MusicaeError
from musicae.formats.temporary import temporary_folder
from musicae.ops import attributes
from musicae.ops.defaults import factor
from musicae.ops.drawing import draw, sound
from musicae.ops.model_card import EXAMPLE_PICTURE, EXAMPLE_SOUND, CardOptions, card
from musicae.ops.restore import restore
from musicae.ops.sample import sample
from musicae.ops.suffixes import suffixes_written
from musicae.remote import Repository

__all__ = ["CARD", "Pushed", "bundle", "check_target", "load_trained", "push", "target"]

CARD = "README.md"
_EXAMPLES = 4  # Draws in the picture, unless the model has classes.
_DEEPEST = 2  # How many models may lie under a stack.


class Pushed(NamedTuple):
    """What is at the hub now: its name as a preset, pinned to its commit, and the address of its page."""

    name: str
    address: str


def push(
    trained: Codec | str,
    repository: str,
    options: CardOptions | None = None,
    *,
    example: Source | None = None,
    private: bool = False,
    message: str = "",
    new_version: bool = False,
) -> Pushed:
    """Put a trained preset into the repository `repository`, ``user/name``, as one commit.

    Parameters
    ----------
    trained : a codec that was loaded, the folder of a training, a ``.safetensors`` file, or a preset's name.
    options : what the card says beside what the model knows of itself: its figures, the licence of the weights.
    example : for a model that restores, a recording or a picture that is shown before and after.
    private : let only those see a new repository who may.
    message : what is new, for the list of commits.
    new_version : add one to a repository that exists.

    Raises
    ------
    MusicaeError : nobody is logged in, a repository that exists, a hub that refuses or is away, a missing file.
    """
    repo = target(repository)
    check_target(repo, new_version)
    codec = load_trained(trained) if isinstance(trained, str) else trained
    with temporary_folder() as folder:
        return _upload(repo, bundle(codec, repo, folder, options or CardOptions(), example), private, message)


def load_trained(name: str) -> Codec:
    """Load what is to be pushed: a folder of `musicae train`, a ``.safetensors`` file, or a preset's name."""
    path = Path(name)
    if path.is_dir():
        if not (path / "model.safetensors").is_file():
            raise MusicaeError(f"{path} has no model.safetensors; name the folder of a training that is done")
        name = str(path / "model.safetensors")
    return codecs.load(name)


def target(name: str) -> Repository:
    """Return the repository ``user/name``. Raise MusicaeError for another form, or one with a revision."""
    found = remote.repository(name if remote.is_remote(name) else f"{remote.PREFIX}{name}")
    if "@" in name:
        raise MusicaeError(f"{name:.200}: a preset is pushed as a new commit; leave out what follows the @")
    return found


def bundle(
    codec: Codec, repo: Repository, folder: Path, options: CardOptions, example: Source | None = None
) -> list[Path]:
    """Write all that a repository gets into `folder`, and return the files.

    These are the weights, the TOML, attributes that are fitted, for a stack the weights that it lies over, a picture
    and the sound of what the model makes up or, if it restores, of an `example` before and after, and the card. Raise
    MusicaeError for a codec without a file, and an example that cannot be restored.
    """
    if codec.path is None:
        raise MusicaeError("only a trained preset can be pushed; save it first")
    weights = folder / remote.WEIGHTS
    shutil.copyfile(codec.path, weights)
    if attributes.has(codec):
        attributes.load(codec)  # Those of other weights are refused.
        shutil.copyfile(hub.attributes_of(codec.path), hub.attributes_of(weights))
    _copy_lower(codec, weights)
    (folder / remote.PRESET).write_text(preset.as_toml(_recipe(codec)), encoding="utf-8")
    if example is None:
        _made_up(codec, folder)
    else:
        _restored(codec, example, folder)
    files = [path.name for path in folder.iterdir()]
    text = card(codec, repo.name, files, f"{remote.endpoint()}/{repo.name}/resolve/main", options)
    (folder / CARD).write_text(text, encoding="utf-8")
    return sorted(folder.iterdir())


def _copy_lower(codec: Codec, weights: Path) -> None:
    """Copy what a stack lies over, and what that lies over, beside its weights."""
    assert codec.path is not None
    above, recipe = codec.path, codec.preset
    for _ in range(_DEEPEST):
        if (part := recipe.part("lower")) is None:
            return
        above, weights = hub.lower_weights(part[0], above), hub.lower_of(weights)
        shutil.copyfile(above, weights)
        recipe = codecs.load(str(above)).preset
    if recipe.part("lower") is not None:
        raise MusicaeError(f"'{codec.preset.name}' is a stack over a stack over a stack, which cannot be pushed")


def _recipe(codec: Codec) -> preset.Preset:
    """Return the preset of a codec, in which no path of this machine stands."""
    part = codec.preset.part("lower")
    if part is None or preset.is_name(part[0]):
        return codec.preset
    stem = Path(part[0]).stem
    lower = {**codec.preset.sections["lower"], "name": stem if preset.is_name(stem) else "lower"}
    return replace(codec.preset, sections={**codec.preset.sections, "lower": lower})


def _made_up(codec: Codec, folder: Path) -> None:
    """Draw some of what a model makes up, and write the sound of the first; what it cannot do is left out."""
    if not codec.model.latent_size:
        return
    condition = codec.model.condition
    try:
        samples = sample(codec, condition.channels if condition and condition.classes else _EXAMPLES)
        draw(codec.adapter, samples, folder / EXAMPLE_PICTURE)
        sound(codec.adapter, samples[:1], folder / EXAMPLE_SOUND)
    except MusicaeError:  # It has no sound, or needs a condition that only a file has.
        return


def _restored(codec: Codec, example: Source, folder: Path) -> None:
    """Draw an example before and after, and write its sound after."""
    if not codec.model.restores:
        raise MusicaeError(f"--example: '{codec.preset.name}' restores nothing; leave it out")
    done = restore(example, preset=codec, verb="denoise" if factor(codec.preset) == 1 else "upscale")
    assert done.sample is not None
    before = done.sample if done.given is None else done.given
    draw(codec.adapter, [before, done.sample], folder / EXAMPLE_PICTURE, ["before", "after"], columns=2)
    if ".wav" in suffixes_written(codec.adapter):
        sound(codec.adapter, [replace(done.sample, metadata=None)], folder / EXAMPLE_SOUND)


# --- the hub -------------------------------------------------------------------------------------------------------


def check_target(repo: Repository, replaces: bool) -> None:
    """Raise MusicaeError where nobody is logged in, or, unless it `replaces` that, for a repository that exists."""
    api = remote.api()
    from huggingface_hub import get_token

    if not get_token():
        raise MusicaeError("nobody is logged in at the hub; run: hf auth login, or set HF_TOKEN to a token that writes")
    if remote.asked(repo, partial(api.repo_exists, repo.name)) and not replaces:
        raise MusicaeError(f"{repo.title} exists at the hub already; -f adds a new version, or choose another name")


def _upload(repo: Repository, files: Sequence[Path], private: bool, message: str) -> Pushed:
    """Put files into a repository as one commit, which is made if need be; files of an older preset are deleted.

    Raise MusicaeError, one line, for what the hub refuses, or where it is away.
    """
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    api, names = remote.api(), [path.name for path in files]
    remote.asked(repo, partial(api.create_repo, repo.name, private=private or None, exist_ok=True))
    before = [one.rfilename for one in remote.asked(repo, partial(api.model_info, repo.name)).siblings or []]
    ours = {*remote.FILES, EXAMPLE_PICTURE, EXAMPLE_SOUND}
    stale = [name for name in before if name in ours and name not in names]
    commit = partial(
        api.create_commit,
        repo.name,
        [
            *(CommitOperationAdd(path.name, str(path)) for path in files),
            *(CommitOperationDelete(name) for name in stale),
        ],
        commit_message=message or "A preset of musicae",
    )
    done = remote.asked(repo, commit)
    return Pushed(f"{repo.title}@{done.oid}", f"{remote.endpoint()}/{repo.name}")
