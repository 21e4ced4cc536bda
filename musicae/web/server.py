"""The server of ``musicae play``: on this machine only, at the first free port, until Ctrl-C."""

from __future__ import annotations

import errno
import os
import socket
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import uvicorn

from musicae.errors import MusicaeError
from musicae.formats.music.synth_pool import SynthPool
from musicae.formats.temporary import temporary_folder
from musicae.memory import check_memory
from musicae.ops.choose import default_preset, preset_for
from musicae.ops.inputs import check_file
from musicae.threads import spare_cores
from musicae.web.app import Server, Start
from musicae.web.asked import MAX_CORNERS
from musicae.web.catalog import Catalog
from musicae.web.guard import Guard, new_token
from musicae.web.restoring import Restorations
from musicae.web.sounds import Sounds
from musicae.web.store import Store
from musicae.web.studio import DRAW, Studio

__all__ = ["HOST", "listening", "play", "starting"]

HOST = "127.0.0.1"

_STORE_BYTES = 512 * 2**20
_TRIES = 50  # Ports after the one that was asked for.
_UVICORN: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "lifespan": "off",
    "ws": "none",
    "timeout_graceful_shutdown": 1,  # Seconds that answers on their way may take at the end.
    "limit_concurrency": 200,
}


def play(
    files: Sequence[Path],
    preset: str | None,
    options: Mapping[str, Any],
    port: int,
    browser: bool,
    say: Callable[[str], None],
    show: Callable[[str], None],
) -> None:
    """Serve the page until Ctrl-C, with `files` at its corners; what is missing is drawn from the prior.

    `options` are the adapter's, to read the files. `say` gets what the user is to know, `show` the address.
    Raise MusicaeError for a file that cannot be read, a preset that does not exist, and where no port is free.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder())
        studio = Studio(Catalog.of_all(), Store(folder, _STORE_BYTES))
        start = starting(studio, files, preset, options)
        for notice in start.notices:
            say(notice)
        opened = stack.enter_context(listening(port))
        taken = opened.getsockname()[1]
        if port not in (0, taken):
            say(f"port {port} is taken; using {taken}")
        token, cores = new_token(), spare_cores()
        synths = stack.enter_context(closing(SynthPool(cores)))
        hosts = [f"{name}:{taken}" for name in (HOST, "localhost")]
        server = Server(studio, Sounds(synths, cores), Restorations(studio.catalog, folder), start, cores)
        address = f"http://{HOST}:{taken}/{token}/"
        show(address)
        if browser and not _open(address):
            say("no browser could be opened; open the address above in one")
        config = uvicorn.Config(Guard(server.app, token, hosts), **_UVICORN)
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
        # The protocol is named so that asyncio sends what it has at once (TCP_NODELAY); else each answer waits 40 ms.
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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


def starting(studio: Studio, files: Sequence[Path], preset: str | None, options: Mapping[str, Any]) -> Start:
    """Return what the page begins with: `files`, and draws where fewer than two are given (or three)."""
    if preset is not None:
        name = studio.catalog.add(preset)
    elif files:
        name = preset_for(files[0])
    else:
        name = default_preset("sample")
    codec = studio.catalog.codec(name)
    if len(files) > MAX_CORNERS:
        raise MusicaeError(f"play takes up to {MAX_CORNERS} files, not {len(files)}; drop the others on the page")
    corners, notices = [], list[str]()
    for file in files:
        check_file(file)
        check_memory(file.stat().st_size, str(file))
        key, called, _, said = studio.add(file.read_bytes(), file.name, name, options)
        corners.append({"id": key, "name": called})
        notices += said
    wanted = 0 if not codec.model.latent_size else 4 if len(files) in (0, 3, 4) else 2
    for number in range(len(corners) + 1, wanted + 1):
        corners.append({"id": f"{DRAW}{number}", "name": f"draw {number}"})
    return Start(name, corners, notices)
