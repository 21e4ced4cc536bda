"""The server of ``musicae play``: on this machine only, at the first free port, until Ctrl-C."""

from __future__ import annotations

import errno
import os
import socket
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn

from musicae.errors import MusicaeError
from musicae.formats.temporary import temporary_folder
from musicae.ops.choose import default_preset, preset_for
from musicae.threads import spare_cores
from musicae.web.app import Server, Start
from musicae.web.catalog import Catalog
from musicae.web.guard import new_token
from musicae.web.store import Store
from musicae.web.studio import Studio

__all__ = ["HOST", "listening", "play", "starting"]

HOST = "127.0.0.1"

_STORE_BYTES = 512 * 2**20
_TRIES = 50  # Ports after the one that was asked for.
_PATIENCE = 1  # Seconds that answers on their way may take at the end.


def play(
    files: Sequence[Path],
    preset: str | None,
    port: int,
    browser: bool,
    say: Callable[[str], None],
    show: Callable[[str], None],
) -> None:
    """Serve the page until Ctrl-C, with `files` at its corners; what is missing is drawn from the prior.

    `say` gets what the user is to know, `show` the address. Raise MusicaeError for a file that cannot be read, a preset
    that does not exist, and where no port is free.
    """
    with temporary_folder() as folder:
        studio = Studio(Catalog.of_all(preset), Store(folder, _STORE_BYTES))
        start = starting(studio, files, preset)
        for notice in start.notices:
            say(notice)
        with listening(port) as opened:
            taken = opened.getsockname()[1]
            if port not in (0, taken):
                say(f"port {port} is taken; using {taken}")
            token = new_token()
            address = f"http://{HOST}:{taken}/{token}/"
            hosts = [f"{name}:{taken}" for name in (HOST, "localhost")]
            app = Server(studio, start, token, hosts, spare_cores()).app
            config = uvicorn.Config(
                app, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
                timeout_graceful_shutdown=_PATIENCE, limit_concurrency=200,
            )  # fmt: skip
            show(address)
            if browser and not _open(address):
                say("no browser could be opened; open the address above in one")
            with suppress(KeyboardInterrupt):  # It is how this ends.
                uvicorn.Server(config).run(sockets=[opened])


def _open(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False


def listening(port: int) -> socket.socket:
    """Return a socket that listens on this machine, at `port` or the next that is free; 0 is any.

    Raise MusicaeError where none is.
    """
    for wanted in range(port, min(port + _TRIES, 65535) + 1) if port else [0]:
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            if os.name != "nt":  # There it would share a port that is taken.
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((HOST, wanted))
            opened.listen(128)
        except OSError as error:
            opened.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise MusicaeError(f"--port {wanted}: {error.strerror or error}") from None
        else:
            return opened
    raise MusicaeError(f"--port {port}: none of the ports {port} to {port + _TRIES} is free; name another")


def starting(studio: Studio, files: Sequence[Path], preset: str | None) -> Start:
    """Return what the page begins with: `files`, and draws where fewer than two are given (or three)."""
    if preset is None:
        name = preset_for(files[0]) if files else default_preset("sample")
    else:
        name = studio.catalog.add(preset)
    corners, notices = [], list[str]()
    for file in files:
        key, called, _, said = studio.add(file.read_bytes(), file.name, name)
        corners.append({"id": key, "name": called})
        notices += said
    wanted = 4 if len(files) in (0, 3, 4) else 2
    for seed in range(len(corners), wanted):
        corners.append({"id": f"draw:{seed + 1}", "name": f"draw {seed + 1}"})
    return Start(name, corners, notices)
