"""What denoising costs, beside other programs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from contest import Contender, contest
from report import Setting, Table, Value

Run = Callable[[], "dict[str, float] | None"]

PRESET, RATE = "denoise-speech", 16_000
PEERS = ("rnnoise", "speex", "nsnet2", "deepfilternet", "noisereduce")
WIDE = 44_100  # Hz
COLUMNS = {
    "": "", "CPU s a second of sound": ".4f", "times that of musicae": ".2f", "times that frame by frame": ".2f",
    "remark": "",
}  # fmt: skip
NOTE = (
    "One thread, a voice in noise at 16 kHz. Peers run as `musicae evaluate --against` runs them, which resamples for "
    "those that work at 48 kHz. How well each denoises is in [presets/README.md](../presets/README.md#denoise-speech)."
)
FILES = {"": "", "CPU s a second of sound": ".4f", "s to the first block": ".3f", "remark": ""}
FILES_NOTE = (
    "One thread, 44.1 kHz in stereo, from file to file. *The first block* is the computing from the first samples that "
    "the first `musicae.Denoiser` of a program gets to the first that come out."
)
QUALITY = {"": "", "SI-SDR gain, dB": ".2f", "PESQ": ".2f", "STOI": ".3f", "CPU s a second of sound": ".4f"}


def measure(setting: Setting) -> list[Table]:
    """Denoise a voice with all, whole and frame by frame, and long files."""
    return [_costs(setting), _files(setting), *_quality(setting)]


def _costs(setting: Setting) -> Table:
    from compare_outputs import speech

    rng, seconds = np.random.default_rng(3), 8 if setting.quick else 20
    voice = speech(RATE, seconds, rng) + 0.02 * rng.standard_normal(seconds * RATE)
    file = setting.folder / "voice.npy"
    np.save(file, voice.astype(np.float32))
    contenders = [
        Contender(f"musicae {PRESET}", "denoising:whole", {"file": str(file)}),
        Contender(f"musicae {PRESET}, frame by frame", "denoising:by_frames", {"file": str(file)}),
        Contender(f"musicae {PRESET}, frame by frame by musicae.Denoiser", "denoising:live", {"file": str(file)}),
        *[
            Contender(peer, "rivals:denoise", {"peer": peer, "file": str(file), "rate": RATE}, setting.peers)
            for peer in PEERS
        ],
    ]
    results = contest(contenders, 2 if setting.quick else 5)
    rows: list[list[Value]] = []
    for result in results:
        if result.reason:
            rows.append([result.name, None, None, None, result.reason])
            continue
        times = [None if ours.reason else result.cpu / ours.cpu for ours in results[:2]]
        rows.append([result.name, result.cpu / seconds, *times, ""])
    return Table("Denoising speech", COLUMNS, rows, NOTE)


def whole(file: str) -> Run:
    """Return what denoises samples in a file of NumPy at once."""
    import torch

    import musicae

    codec, sound = musicae.load(PRESET), torch.from_numpy(np.load(file))[None]

    def run() -> None:
        codec.restore_any_size(sound)

    return run


def by_frames(file: str) -> Run:
    """Return what gives a model samples in the smallest blocks, as the evaluation's `cost_streamed` is measured."""
    import torch

    import musicae

    model, sound = musicae.load(PRESET).model, torch.from_numpy(np.load(file))
    blocks = sound[: len(sound) // model.multiple * model.multiple].view(-1, 1, 1, model.multiple)

    @torch.inference_mode()
    def run() -> None:
        state = model.initial_state()
        for block in blocks:
            _, state = model.stream(block, state)

    return run


def live(file: str) -> Run:
    """Return what denoises samples in a file of NumPy in the smallest blocks, as a live stream."""
    import musicae

    codec, sound = musicae.load(PRESET), np.load(file)
    size = codec.model.multiple

    def run() -> None:
        denoiser = musicae.Denoiser(codec, RATE)
        for at in range(0, len(sound), size):
            denoiser.process(sound[at : at + size])

    return run


def _files(setting: Setting) -> Table:
    import soundfile
    from compare_outputs import speech

    seconds = 10 if setting.quick else 60
    rng = np.random.default_rng(4)
    voice = speech(WIDE, seconds, rng)[:, None] + 0.01 * rng.standard_normal((seconds * WIDE, 2))
    path = setting.folder / "wide.wav"
    soundfile.write(path, voice, WIDE)
    names = ("denoise-speech", "denoise")
    ways = [Contender(name, "denoising:from_file", {"name": name, "file": str(path)}) for name in names]
    starts = [Contender(name, "denoising:first_block", {"name": name}) for name in names]
    rows: list[list[Value]] = []
    for cost, first in zip(contest(ways, 1 if setting.quick else 2), contest(starts, 1, warm_up=False), strict=True):
        reason = cost.reason or first.reason
        rows.append([cost.name, None, None, reason] if reason else [cost.name, cost.cpu / seconds, first.wall, ""])
    return Table(f"Denoising a file of {seconds} s", FILES, rows, FILES_NOTE)


def from_file(name: str, file: str) -> Run:
    """Return what denoises a sound file into another."""
    import musicae

    def run() -> None:
        musicae.denoise(file, f"{file}-{name}.wav", preset=name)

    return run


def first_block(name: str) -> Run:
    """Return what starts a stream, and gives it samples until some come out."""
    import musicae

    codec = musicae.load(name)
    block = np.zeros((256, 2), np.float32)

    def run() -> None:
        denoiser = musicae.Denoiser(codec, WIDE, 2)
        while not len(denoiser.process(block)):
            pass

    return run


def _quality(setting: Setting) -> list[Table]:
    """Return how well all denoise, if there are recordings to measure that with."""
    if setting.quick or not {"speech", "noise"} <= setting.data.keys():
        return []
    folders = {name: str(setting.data[name]) for name in ("speech", "noise", "voices") if name in setting.data}
    title, limit = "Denoising speech: how well", 16
    settings = {"against": ",".join(PEERS), "folders": folders, "limit": limit}
    (result,) = contest([Contender("", "rivals:quality", settings, setting.peers)], 1, warm_up=False)
    if result.reason:
        return [Table(title, QUALITY, [[result.reason, None, None, None, None]])]
    (found,) = result.figures
    rows: list[list[Value]] = []
    for name, prefix in ((f"musicae {PRESET}", ""), *((peer, f"{peer}_") for peer in PEERS)):
        rows.append([name, *(found.get(f"{prefix}{figure}") for figure in ("si_sdr_gain", "pesq", "stoi", "cost"))])
    rows.append(["the noisy sound", 0.0, found.get("floor_pesq"), found.get("floor_stoi"), None])
    data = " ".join(f"--data {name}=DIR" for name in folders)
    note = f"`musicae evaluate {PRESET} {data} --against {','.join(PEERS)} --limit {limit}`"
    return [Table(title, QUALITY, rows, note)]
