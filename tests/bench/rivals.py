"""Contenders that may run in a Python of their own: it needs the peers' packages only, not those of musicae."""

from __future__ import annotations

import gzip
import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[[], "dict[str, Any] | None"]

_LEARNING_RATE = 1e-4
_TEST_BATCH = 500


# --- reading MIDI -----------------------------------------------------------------------------------------------------


def read_all(reader: str, files: list[str]) -> Run:
    """Return what reads all files with a package; its figure is how many could not be read."""
    warnings.simplefilter("ignore")
    read = _READERS[reader]()

    def run() -> dict[str, Any]:
        failed = 0
        for file in files:
            try:
                read(file)
            except Exception:  # Each package has its own, and some have several.
                failed += 1
        return {"failed": failed}

    return run


def _pretty_midi() -> Callable[[str], object]:
    from pretty_midi import PrettyMIDI

    return PrettyMIDI


def _note_seq() -> Callable[[str], object]:
    from note_seq import midi_file_to_note_sequence

    return midi_file_to_note_sequence


def _miditoolkit() -> Callable[[str], object]:
    from miditoolkit import MidiFile

    return MidiFile


def _mido() -> Callable[[str], object]:
    from mido import MidiFile

    return MidiFile


def _symusic() -> Callable[[str], object]:
    from symusic import Score

    return Score


_READERS = {
    "mido": _mido,
    "miditoolkit": _miditoolkit,
    "note-seq": _note_seq,
    "pretty_midi": _pretty_midi,
    "symusic": _symusic,
}


# --- denoising --------------------------------------------------------------------------------------------------------


def denoise(peer: str, file: str, rate: int) -> Run:
    """Return what denoises samples in a file of NumPy with a peer of `musicae.evaluations.shared.peers`."""
    import numpy as np
    import torch

    from musicae.evaluations.shared.peers import peers

    torch.set_num_threads(1)
    sound, (denoiser,) = torch.from_numpy(np.load(file)), peers(peer).values()

    def run() -> None:
        denoiser(sound, rate)

    return run


def quality(against: str, folders: dict[str, str], limit: int) -> Run:
    """Return what measures denoise-speech and peers by `musicae evaluate`."""
    import musicae

    places = {name: Path(folder) for name, folder in folders.items()}
    return lambda: musicae.evaluate("denoise-speech", places, limit, against)


# --- pythae -----------------------------------------------------------------------------------------------------------


def _pythae(kind: str, latent: int) -> Any:
    from pythae.models import AE, AEConfig
    from pythae.models.nn.benchmarks import mnist

    parts = {
        "ConvNet": (mnist.Encoder_Conv_AE_MNIST, mnist.Decoder_Conv_AE_MNIST),
        "ResNet": (mnist.Encoder_ResNet_AE_MNIST, mnist.Decoder_ResNet_AE_MNIST),
    }
    config = AEConfig(input_dim=(1, 28, 28), latent_dim=latent)
    encoder, decoder = parts[kind]
    return AE(config, encoder(config), decoder(config))


def _pictures(folder: str, stem: str) -> Any:
    """Return the pictures ``(N, 1, 28, 28)`` of a file of MNIST, 0 .. 1."""
    import torch

    (path,) = Path(folder).glob(f"{stem}-images*.gz")
    values = torch.frombuffer(bytearray(gzip.decompress(path.read_bytes())[16:]), dtype=torch.uint8)
    return values.view(-1, 1, 28, 28).float() / 255


def pythae_steps(kind: str, folder: str, latent: int, batch: int, bf16: bool, steps: int) -> Run:
    """Return what trains a network of pythae for a few steps; its figure is the CPU seconds of the quickest."""
    import torch

    data, net = _pictures(folder, "train"), _pythae(kind, latent).train()
    optimizer = torch.optim.Adam(net.parameters(), _LEARNING_RATE)

    def run() -> dict[str, Any]:
        quickest = math.inf
        for _ in range(steps):
            started = time.process_time()
            _step(net, optimizer, data[torch.randint(len(data), (batch,))], bf16)
            quickest = min(quickest, time.process_time() - started)
        return {"cpu": quickest}

    return run


def _step(net: Any, optimizer: Any, x: Any, bf16: bool) -> None:
    import torch

    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = net({"data": x}).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()


def pythae_training(kind: str, folder: str, latent: int, batch: int, steps: int) -> Run:
    """Return what trains a network of pythae, its rate falling to zero by a cosine, and measures it on the test set."""
    import torch

    data, test = _pictures(folder, "train"), _pictures(folder, "t10k")

    def run() -> dict[str, Any]:
        torch.manual_seed(0)
        net = _pythae(kind, latent).train()
        optimizer = torch.optim.Adam(net.parameters(), _LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        started = time.process_time()
        order = torch.cat([torch.randperm(len(data)) for _ in range(-(-steps * batch // len(data)))])
        for places in order[: steps * batch].split(batch):
            _step(net, optimizer, data[places], bf16=False)
            schedule.step()
        spent = time.process_time() - started
        net.eval()
        with torch.inference_mode():
            parts = [net({"data": x}).recon_x for x in test.split(_TEST_BATCH)]
        error = (torch.cat(parts).clamp(0, 1) - test).flatten(1).square().mean(1)
        return {"cpu": spent, "psnr": -10 * error.log10().mean().item()}

    return run
