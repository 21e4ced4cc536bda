"""Download data sets, over https only: resume broken downloads, and check their size and SHA-256."""

from __future__ import annotations

import hashlib
import shutil
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from http.client import HTTPMessage
from pathlib import Path
from typing import IO

from musicae.datasets.shared.cache import data_folder
from musicae.errors import MusicaeError

__all__ = ["archive", "fetch"]

_BLOCK = 1 << 16  # Bytes read at a time.
_MOST = 1 << 30  # Bytes of a download; the largest data set has 60 MB.
_SCHEMES = ("https",)


def fetch(url: str, sha256: str, path: Path, report: Callable[[int, int], None] | None = None) -> Path:
    """Download `url` to `path`, unless it is there already, and return `path`.

    A broken download is resumed. `report` gets the bytes done and their total, 0 if unknown.
    Raise MusicaeError if the address, or one it leads to, is not https or cannot be reached, if the file is larger than
    1 GiB, or the SHA-256 differs.
    """
    if path.is_file() and _sha256(path) == sha256:
        return path
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(url, part, report)
    except (OSError, urllib.error.URLError) as error:
        reason = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        raise MusicaeError(
            f"cannot download {url} ({reason}); download it yourself and name its folder with --data"
        ) from error
    if _sha256(part) != sha256:
        part.unlink()
        raise MusicaeError(f"{url} is not the expected file (its SHA-256 differs) and was deleted; try again")
    part.replace(path)
    return path


class _Redirect(urllib.request.HTTPRedirectHandler):
    """Follow redirections to https only: not to http, whose content anyone between can change, nor to files."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_scheme(url: str) -> None:
    if urllib.parse.urlsplit(url).scheme not in _SCHEMES:
        raise MusicaeError(f"{url:.200} is no https address, and is not downloaded; name a folder with --data")


def _download(url: str, part: Path, report: Callable[[int, int], None] | None) -> None:
    _check_scheme(url)
    done = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        response = urllib.request.build_opener(_Redirect).open(request, timeout=60)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # The file is complete already.
            return
        raise
    with response, part.open("ab" if response.status == 206 else "wb") as file:
        done = file.tell()
        total = done + int(response.headers.get("Content-Length") or 0)  # 0 if the server does not say.
        while block := response.read(_BLOCK):
            file.write(block)
            done += len(block)
            if done > _MOST:
                file.truncate(0)
                raise OSError(f"it is larger than {_MOST >> 20} MB")
            if report:
                report(done, total)
    if done < total:
        raise OSError(f"it broke off after {done} of {total} bytes; run it again to resume")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def archive(name: str, url: str, sha256: str, report: Callable[[int, int], None] | None = None) -> Path:
    """Return the folder of the data set `name`; its zip archive is downloaded and unpacked first, if it is missing."""
    folder = data_folder() / name
    if folder.is_dir():
        return folder
    packed = fetch(url, sha256, data_folder() / url.rsplit("/", 1)[-1], report)
    unpacking = folder.with_name(f".{name}.unpacking")
    shutil.rmtree(unpacking, ignore_errors=True)
    try:
        with zipfile.ZipFile(packed) as file:
            file.extractall(unpacking)
        unpacking.replace(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise MusicaeError(f"cannot unpack {packed}: {error}; delete it and try again") from error
    return folder
