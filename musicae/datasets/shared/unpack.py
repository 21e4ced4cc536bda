"""Unpack an archive of MIDI files, once, into the user's cache."""

from __future__ import annotations

import logging
import lzma
import shutil
import tarfile
import zlib
from pathlib import Path

from musicae.datasets.shared.cache import cache_folder, fingerprint
from musicae.errors import MusicaeError, OutputError, elsewhere
from musicae.formats.atomic import make_folder
from musicae.formats.music import midi
from musicae.formats.temporary import temporary_folder

__all__ = ["unpacked"]

_MOST_BYTES, _MOST_FILES = 1 << 33, 1_000_000


def unpacked(archive: Path) -> Path:
    """Return a folder of the MIDI files in a `.tar.xz` archive; another process may unpack the same meanwhile.

    Raise MusicaeError for a damaged archive, one that unpacks to over 8 GB or a million files, and where nothing can be
    written.
    """
    folder = cache_folder() / "unpacked" / fingerprint([archive], archive.parent)
    if folder.is_dir():
        return folder
    try:
        make_folder(folder.parent)
    except OutputError as error:
        raise OutputError(
            f"{elsewhere(error)}; set MUSICAE_CACHE to a folder where {archive} can be unpacked"
        ) from None
    logging.getLogger("musicae").warning("unpacking %s into %s", archive, folder)
    try:
        with temporary_folder(folder.parent) as temporary:
            made = temporary / "files"
            made.mkdir()
            _extract(archive, made)
            if not folder.is_dir():
                made.rename(folder)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, ValueError) as error:
        raise MusicaeError(f"{archive} is damaged ({error}); get it again") from None
    except OSError as error:
        if not folder.is_dir():
            raise MusicaeError(
                f"{archive} cannot be unpacked into {folder.parent}: {error.strerror or error}"
            ) from None
    return folder


def _extract(archive: Path, folder: Path) -> None:
    """Unpack what ends as MIDI does, into `folder` only."""
    size = count = 0
    with lzma.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
        for member in tar:
            if not member.isfile() or Path(member.name).suffix.lower() not in midi.SUFFIXES:
                continue
            size, count = size + member.size, count + 1
            if size > _MOST_BYTES or count > _MOST_FILES:
                raise MusicaeError(f"{archive} unpacks to over {_MOST_BYTES >> 30} GB or {_MOST_FILES:,} files")
            _write(tar, member, folder)
        while stream.read(1 << 20):  # The checksum is at the end.
            pass


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write a file of an archive into `folder`; `tarfile` itself has no safe way before Python 3.11.4."""
    path = (folder / member.name).resolve()
    stream = tar.extractfile(member)
    if stream is None or folder.resolve() not in path.parents:
        raise tarfile.TarError(f"its file {member.name!r} would leave the folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file)
