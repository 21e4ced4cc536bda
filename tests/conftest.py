"""What all tests share: a machine of their own, as far as the package can see."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from hub_server import Hub, serving
from hypothesis import settings

from musicae import registry

# The same examples on every run: a test that fails only now and then is no use to whoever waits for it.
# HYPOTHESIS_PROFILE=search looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return how many processes share the tests: those of a file or two are done sooner without."""
    return min(os.cpu_count() or 1, 4) if config.args == config.getini("testpaths") else 0


FIRST = (
    "training/test_parallel.py", "cli/test_shell_blocks.py", "cli/test_denoise.py", "training/test_loop_resuming.py",
    "exports/test_run.py", "web/page/test_restore.py", "web/page/test_pad.py", "web/page/test_files.py",
    "web/page/test_sound.py", "web/page/test_layout.py", "web/page/test_state.py", "ops/test_new_plugin.py",
    "test_plugins.py",
)  # fmt: skip
"""The longest files: one of them begun last would keep one process busy while the others have nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first, and before all what forks: PyTorch refuses autograd in a fork after an export."""
    here = Path(__file__).parent
    places = {here / name: i for i, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(FIRST)))


@pytest.fixture(autouse=True, scope="session")
def _hears_ctrl_c() -> None:
    """Let the processes of tests hear Ctrl-C, which those of a shell's background do not."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    """Draw the same random numbers in a test whatever ran before it, and in which process."""
    import torch

    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep data sets and caches out of the user's folders, and tests out of each other's."""
    folder = tmp_path_factory.mktemp("musicae")
    monkeypatch.setenv("MUSICAE_DATA", str(folder / "data"))
    monkeypatch.setenv("MUSICAE_CACHE", str(folder / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test reach this machine only."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on this machine, which `HF_ENDPOINT` names; nobody is logged in."""
    from huggingface_hub import constants

    from musicae import remote

    home = tmp_path_factory.mktemp("huggingface")
    for name, value in {"HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(home / "stored_tokens"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    remote.forget()
    with serving() as made:
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        yield made


class Package:
    """Stands for another installed package in the entry points that the registry reads."""

    def __init__(self, name: str) -> None:
        self.name = name


class EntryPoints:
    """The entry points of made-up packages: `add` one, and the registry sees it."""

    def __init__(self) -> None:
        self.points: dict[str, list[Any]] = {}

    def add(self, group: str, name: str, target: str, package: str) -> None:
        point = metadata.EntryPoint(name, target, f"musicae.{group}")
        vars(point).update(dist=Package(package))
        self.points.setdefault(f"musicae.{group}", []).append(point)
        registry._owners.cache_clear()

    def __call__(self, group: str) -> list[Any]:
        return self.points.get(group, [])


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replace all installed plugins by those that the test adds."""
    points = EntryPoints()
    registry._owners.cache_clear()
    monkeypatch.setattr(metadata, "entry_points", points)
    yield points
    registry._owners.cache_clear()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parent.parent


TINY: dict[str, Any] = {"name": "patch-vae", "latent": 8, "width": 16, "depth": 1, "heads": 2}


Untrained = Callable[..., Path]
"""Writes the checkpoint of an untrained preset: its name, then its sections."""


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Untrained:
    """Write small untrained codecs that stand for shipped presets where only their shape matters."""
    import torch

    from musicae import codec, preset

    folder = tmp_path_factory.mktemp("tiny")

    def write(name: str, **sections: dict[str, Any]) -> Path:
        path = folder / f"{name}.safetensors"
        if not path.is_file():
            torch.manual_seed(1)
            made = codec.build(preset.resolve(preset.parse({**sections, "description": "a small one"}, name)))
            made.step = 7
            made.save(path, weights="float32")
        return path

    return write


@pytest.fixture(scope="session")
def tiny_melody(untrained: Untrained) -> Path:
    """The checkpoint of an untrained melody preset."""
    return untrained("tiny-melody", adapter={"name": "melody"}, model=TINY)


@pytest.fixture(scope="session")
def tiny_drums(untrained: Untrained) -> Path:
    """The checkpoint of an untrained drums preset."""
    return untrained("tiny-drums", adapter={"name": "drums"}, model=TINY)


@pytest.fixture(scope="session")
def tiny_arrangement(untrained: Untrained) -> Path:
    """The checkpoint of an untrained preset for bands, with chords that run along."""
    model = {**TINY, "along": 24}
    return untrained("tiny-arrangement", adapter={"name": "band"}, model=model, likelihood={"name": "joint"})


SMALL: dict[str, Any] = {"width": 8, "depth": 2}


@pytest.fixture(scope="session")
def tiny_digits(untrained: Untrained) -> Path:
    """The checkpoint of an untrained VAE of digits, with a code of two numbers."""
    return untrained(
        "tiny-digits", adapter={"name": "image"}, dataset={"name": "mnist"},
        model={"name": "vae", "latent": 2, **SMALL}, likelihood={"name": "bernoulli", "grey": True},
    )  # fmt: skip


@pytest.fixture(scope="session")
def tiny_classes(untrained: Untrained) -> Path:
    """The checkpoint of an untrained conditional VAE of digits."""
    return untrained(
        "tiny-classes", adapter={"name": "image"}, dataset={"name": "mnist"},
        model={"name": "vae", "latent": 4, "classes": 10, **SMALL}, likelihood={"name": "bernoulli", "grey": True},
        prior={"name": "flow", "width": 16, "depth": 1, "cond_channels": 10},
    )  # fmt: skip


@pytest.fixture(scope="session")
def tiny_denoise(untrained: Untrained) -> Path:
    """The checkpoint of an untrained U-Net that takes noise off grey pictures of any size."""
    return untrained(
        "tiny-denoise", adapter={"name": "image", "fit": "whole", "likelihood": "gaussian"}, dataset={"name": "mnist"},
        model={"name": "unet", **SMALL}, corruption={"name": "noise", "std": 0.2},
    )  # fmt: skip


@pytest.fixture(scope="session")
def tiny_upscale(untrained: Untrained) -> Path:
    """The checkpoint of an untrained U-Net that doubles grey pictures of any size."""
    return untrained(
        "tiny-upscale", adapter={"name": "image", "fit": "whole", "likelihood": "gaussian"},
        model={"name": "unet", **SMALL}, corruption={"name": "downsample", "factor": 2, "method": "bicubic"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def tiny_voice(untrained: Untrained) -> Path:
    """The checkpoint of an untrained network that cleans sound at 8 kHz as it comes in."""
    return untrained(
        "tiny-voice", adapter={"name": "audio", "sample_rate": 8000, "size": 2048}, dataset={"name": "recordings"},
        model={"name": "dual-path", "n_fft": 64, "hop_length": 32, "width": 8, "blocks": 1, "bands": [[9, 1], [3, 8]]},
        corruption={"name": "mix-noise", "sample_rate": 8000}, likelihood={"name": "spectral"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def tiny_band(untrained: Untrained) -> Path:
    """The checkpoint of an untrained network that fills up sound of 4 kHz to 8 kHz."""
    return untrained(
        "tiny-band", adapter={"name": "audio", "sample_rate": 8000, "size": 2048}, dataset={"name": "recordings"},
        model={"name": "band-extension", "n_fft": 64, "hop_length": 16, "width": 8, "layers": 1},
        corruption={"name": "band-limit"}, likelihood={"name": "log-spectral"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def tiny_drum(untrained: Untrained) -> Path:
    """The checkpoint of an untrained VAE of single sounds at 8 kHz."""
    return untrained(
        "tiny-drum",
        adapter={
            "name": "mel", "sample_rate": 8000, "n_fft": 128, "hop_length": 64, "n_mels": 16, "frames": 32,
            "griffin_lim_steps": 5,
        },
        dataset={"name": "one-shots"}, model={"name": "vae", "latent": 4, **SMALL},
    )  # fmt: skip
