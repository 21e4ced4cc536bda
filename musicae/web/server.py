"""The server of ``musicae play``: on this machine only, at the first free port, until Ctrl-C."""

from __future__ import annotations

import errno
import logging
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
from musicae.threads import spare_cores
from musicae.web.app import Server
from musicae.web.catalog import Catalog
from musicae.web.guard import Guard, new_token
from musicae.web.opening import starting
from musicae.web.restoring import Restorations
from musicae.web.sounds import Sounds
from musicae.web.store import Store
from musicae.web.studio import Studio

__all__ = ["HOST", "listening", "play"]

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
        logging.getLogger("uvicorn.error").addFilter(_worth_showing)
        config = uvicorn.Config(Guard(server.app, token, hosts), **_UVICORN)
        with suppress(KeyboardInterrupt):  # It is how this ends.
            uvicorn.Server(config).run(sockets=[opened])


def _worth_showing(record: logging.LogRecord) -> bool:
    """Tell whether a person is to see what uvicorn logs: not that answers were on their way at Ctrl-C."""
    return "graceful shutdown" not in record.getMessage()


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
