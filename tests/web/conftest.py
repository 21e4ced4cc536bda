"""A server of the page in a thread, and who asks it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from asking import TOKEN, Client

from musicae.errors import Line
from musicae.formats.music.synth_pool import SynthPool
from musicae.web.app import Server
from musicae.web.catalog import Catalog
from musicae.web.guard import Guard
from musicae.web.opening import Start
from musicae.web.restoring import Restorations
from musicae.web.server import listening
from musicae.web.sounds import Sounds
from musicae.web.store import Store
from musicae.web.studio import Studio


@pytest.fixture
def data(repository: Path) -> Path:
    return repository / "data"


@pytest.fixture(scope="session")
def synths() -> Iterator[SynthPool]:
    pool = SynthPool(2)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def catalog(
    tiny_melody: Path, tiny_drums: Path, tiny_arrangement: Path, tiny_digits: Path, tiny_classes: Path,
    tiny_drum: Path, tiny_voice: Path, tiny_band: Path, tiny_denoise: Path, tiny_upscale: Path,
) -> Catalog:  # fmt: skip
    """All presets that ship, and small ones."""
    made = Catalog.of_all()
    codes = (tiny_melody, tiny_drums, tiny_arrangement, tiny_digits, tiny_classes, tiny_drum)
    for path in (*codes, tiny_voice, tiny_band, tiny_denoise, tiny_upscale):
        made.add(str(path))
    return made


@pytest.fixture(scope="session")
def studio(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(catalog, Store(tmp_path_factory.mktemp("store"), 64 * 2**20))


@pytest.fixture(scope="session")
def client(studio: Studio, synths: SynthPool) -> Iterator[Client]:
    """Who asks a server that runs in a thread."""
    start = Start("tiny-melody", [{"id": "draw:1", "name": "draw 1"}, {"id": "draw:2", "name": "draw 2"}])
    start.notices.append(Line("for the terminal, --bars", "for the terminal"))
    server = Server(studio, Sounds(synths, 2), Restorations(studio.catalog, studio.store.folder), start)
    opened = listening(0)
    port = opened.getsockname()[1]
    guarded = Guard(server.app, TOKEN, [f"127.0.0.1:{port}", f"localhost:{port}"])
    running = uvicorn.Server(uvicorn.Config(guarded, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [opened]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield Client(port, studio)
    running.should_exit = True
    thread.join(10)
    opened.close()
