"""Presets at the Hugging Face hub: ``hf:user/name`` or, pinned to a branch, a tag or a commit, ``hf:user/name@1.0``.

Of a repository only the files `FILES` are fetched, never code. Sizes are checked before anything is fetched, checksums
before anything is kept; what is kept lies in the cache folder, one folder for each commit, complete or not at all.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote

from musicae.errors import MusicaeError
from musicae.folders import cache_folder
from musicae.formats.temporary import temporary_folder
from musicae.memory import check_memory, in_bytes
from musicae.preset import is_name

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = [
    "FILES",
    "PREFIX",
    "PRESET",
    "WEIGHTS",
    "Repository",
    "api",
    "asked",
    "cached",
    "endpoint",
    "fetch",
    "forget",
    "is_remote",
    "repository",
    "stored_as",
]

PREFIX = "hf:"
"""How the name of a preset at the hub begins."""

PRESET, WEIGHTS = "preset.toml", "model.safetensors"
FILES = (PRESET, WEIGHTS, "model.attributes.safetensors", "model.lower.safetensors", "model.lower.lower.safetensors")
"""The files of a repository that make a preset: the TOML, the weights, what was fitted to them and what they lie over.
"""

_ENDPOINT = "https://huggingface.co"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MAX_PRESET = 2**20  # Bytes of a TOML file, as `musicae.preset` allows.
_MAX_REVISION = 200
_COPIES = 2  # Of weights in memory, while they are loaded.
_WAIT = 10.0  # Seconds for the hub to answer.
_SHOWN = 5  # Files of a repository that a message names.

_T = TypeVar("_T")
_found: dict[tuple[str, ...], Path] = {}  # In this process the hub is asked once for each name.


class Repository(NamedTuple):
    """A repository at the hub, ``user/name``, and which of its revisions."""

    name: str
    revision: str = "main"

    @property
    def folder(self) -> Path:
        """Where its commits are kept."""
        return cache_folder() / "hub" / self.name

    @property
    def title(self) -> str:
        """What it is called in messages."""
        return f"{PREFIX}{self.name}{'' if self.revision == 'main' else f'@{self.revision}'}"


class _File(NamedTuple):
    """A file of a repository as the hub lists it; `checksum` is its SHA-256, or else git's SHA-1 of it."""

    name: str
    size: int
    checksum: str


def is_remote(name: str) -> bool:
    """Tell whether a preset's name is that of a repository at the hub."""
    return name.startswith(PREFIX)


def repository(name: str) -> Repository:
    """Return the repository that ``hf:user/name@revision`` means. Raise MusicaeError for another form."""
    where, at, revision = name.removeprefix(PREFIX).partition("@")
    printable = revision.isprintable() and 0 < len(revision) <= _MAX_REVISION and not set(revision) & set(" \\:?*[~^")
    if not _REPOSITORY.fullmatch(where) or not is_name(where.split("/")[1]) or (at and not printable):
        raise MusicaeError(f"'{name:.200}' is no preset at the hub; write hf:user/name or hf:user/name@revision")
    return Repository(where, revision or "main")


def stored_as(preset: Path, file: str) -> Path:
    """Return where a file of `FILES` lies that belongs to the TOML file `preset`: beside it, named like it."""
    return preset if file == PRESET else preset.with_name(preset.stem + file.removeprefix("model"))


def cached(name: str) -> Path | None:
    """Return the TOML file of a preset of the hub that was fetched before, without asking the hub; None otherwise."""
    repo = repository(name)
    commit = repo.revision
    if not _COMMIT.fullmatch(commit):
        try:
            commit = _reference(repo).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
    path = _kept(repo, commit)
    return path if _COMMIT.fullmatch(commit) and path.is_file() else None


def fetch(name: str) -> Path:
    """Return the TOML file of a preset of the hub, fetched if it is not in the cache; its weights lie beside it.

    A commit in the cache is taken as it is. Else the hub is asked for the newest one of the revision; where it cannot
    be reached, or ``HF_HUB_OFFLINE`` is set, the one that was fetched last is taken. Raise MusicaeError, one line,
    for a repository that does not exist, that is private, holds no preset or is too large, and for a damaged file.
    """
    repo = repository(name)
    key = (repo.name, repo.revision, str(repo.folder), endpoint())
    there = _found.get(key) or (cached(name) if _COMMIT.fullmatch(repo.revision) else None)
    if there is None or not there.is_file():
        there = _found[key] = _newest(repo, cached(name))
    return there


def forget() -> None:
    """Ask the hub again for what was asked before in this process."""
    _found.clear()


def _newest(repo: Repository, before: Path | None) -> Path:
    """Return the TOML file of the newest commit of a revision; `before` where the hub is away."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        if before is None:
            raise MusicaeError(f"{repo.title} is not in the cache, and HF_HUB_OFFLINE is set; unset it to fetch it")
        return before
    try:
        question = partial(api().model_info, revision=repo.revision, files_metadata=True, timeout=_WAIT)
        info = asked(repo, partial(question, repo.name))
    except _AwayError:
        if before is None:
            raise
        return before
    commit = str(info.sha)
    if not _COMMIT.fullmatch(commit):
        raise MusicaeError(f"the hub names no commit of {repo.title}; try again later")
    path = _kept(repo, commit)
    if not path.is_file():
        _download(repo, commit, _files(repo, info.siblings or []), path)
    reference = _reference(repo)
    reference.parent.mkdir(exist_ok=True)
    with temporary_folder(repo.folder) as temporary:
        (temporary / "reference").write_text(commit, encoding="ascii")
        (temporary / "reference").replace(reference)
    return path


def _kept(repo: Repository, commit: str) -> Path:
    name = repo.name.split("/")[1]
    return repo.folder / commit / f"{name}.toml"


def _reference(repo: Repository) -> Path:
    return repo.folder / "revisions" / quote(repo.revision, safe="")


def _files(repo: Repository, listed: list[Any]) -> list[_File]:
    """Return which files to fetch. Raise MusicaeError where there is no preset among them, or one is too large."""
    names = [str(one.rfilename) for one in listed]
    if PRESET not in names:
        there = f"it has {', '.join(names[:_SHOWN])}" if names else "it is empty"
        raise MusicaeError(f"{repo.title} has no {PRESET}, so it is no preset of musicae ({there:.200})")
    files = []
    for one in listed:
        if one.rfilename in FILES:
            checksum = one.lfs.sha256 if one.lfs else one.blob_id
            if not isinstance(one.size, int) or not isinstance(checksum, str):
                raise MusicaeError(f"the hub gives no size or checksum of {one.rfilename} in {repo.title}; try again")
            files.append(_File(one.rfilename, one.size, checksum))
    for file in files:
        if file.name == PRESET and file.size > _MAX_PRESET:
            raise MusicaeError(f"{repo.title}: {PRESET} has {in_bytes(file.size)}; a preset is a short text")
    weights = sum(file.size for file in files if file.name != PRESET)
    check_memory(_COPIES * weights, f"{repo.title}, whose weights have {in_bytes(weights)},")
    return files


def _download(repo: Repository, commit: str, files: list[_File], path: Path) -> None:
    """Fetch the files of a commit, so that the folder of `path` appears with all of them, each as its checksum says."""
    try:
        repo.folder.mkdir(parents=True, exist_ok=True)
        with temporary_folder(repo.folder) as temporary:
            ready = temporary / "ready"
            ready.mkdir()
            for file in files:
                got = Path(asked(repo, partial(api().hf_hub_download, repo.name, file.name, revision=commit,
                                               local_dir=temporary)))  # fmt: skip
                if got.stat().st_size != file.size or _checksum(got, file.checksum) != file.checksum:
                    raise MusicaeError(
                        f"{file.name} of {repo.title} does not match its checksum and was deleted; try again, "
                        "or tell its owner"
                    )
                got.replace(stored_as(ready / path.name, file.name))
            if not path.is_file():  # Another process may have been faster.
                ready.replace(path.parent)
    except OSError as error:
        if path.is_file():
            return
        raise MusicaeError(f"{repo.title} cannot be kept in {repo.folder}: {error.strerror or error}") from error


def _checksum(path: Path, wanted: str) -> str:
    """Return a file's SHA-256, or where what is `wanted` is shorter, its SHA-1 as git computes it."""
    if len(wanted) == hashlib.sha256().digest_size * 2:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


# --- the hub -------------------------------------------------------------------------------------------------------


class _AwayError(MusicaeError):
    """The hub cannot be reached."""


def endpoint() -> str:
    """Return the hub's address: ``HF_ENDPOINT``, or the one that everybody uses."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or _ENDPOINT


def api() -> HfApi:
    """Return the hub, at ``HF_ENDPOINT`` if that is set. Raise MusicaeError if its package is missing."""
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError:
        raise MusicaeError("presets at the hub need another package; run: pip install 'musicae[hub]'") from None
    if sys.stderr is None or not sys.stderr.isatty():
        disable_progress_bars()
    return HfApi(endpoint=endpoint(), library_name="musicae")


def asked(repo: Repository, question: Callable[[], _T]) -> _T:
    """Return the hub's answer. Raise MusicaeError, one line, where it refuses or is away."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        return question()
    except GatedRepoError:
        raise MusicaeError(f"{repo.title} asks you to accept its terms; do so at {endpoint()}/{repo.name}") from None
    except RevisionNotFoundError:
        raise MusicaeError(f"{PREFIX}{repo.name} has no revision '{repo.revision}'; check what follows the @") from None
    except RepositoryNotFoundError:
        raise MusicaeError(
            f"there is no {PREFIX}{repo.name} at the hub, or it is private; check the name, or log in: hf auth login"
        ) from None
    except Exception as error:  # Connections, certificates, proxies: they have no base class in common.
        status = _status(error)
        if status in (401, 403):
            raise MusicaeError(
                f"the hub refuses access to {PREFIX}{repo.name} ({status}); log in with a token that has it: "
                "hf auth login"
            ) from error
        reason = _reason(error)
        if status and status < 500:
            raise MusicaeError(f"the hub does not answer for {repo.title} ({status}: {reason})") from error
        raise _AwayError(
            f"cannot reach the hub at {endpoint()} for {repo.title} ({reason}); try again when there is a connection"
        ) from error


def _reason(error: BaseException) -> str:
    """Return what went wrong, in the words of the innermost error."""
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:200] or type(error).__name__


def _status(error: Exception) -> int:
    """Return the status with which the hub refused something, 0 where it gave none."""
    from huggingface_hub.errors import HfHubHTTPError

    return error.response.status_code if isinstance(error, HfHubHTTPError) and error.response is not None else 0
