"""What ``musicae denoise --live`` does: its options, the line that shows how it goes, and the summary at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from musicae.cli.shared.options import OutputOptions
from musicae.cli.shared.progress import clock, refreshed
from musicae.cli.shared.results import say_json
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show, show_path
from musicae.errors import MusicaeError

if TYPE_CHECKING:
    from musicae.formats.sound.devices import Pair
    from musicae.formats.sound.files import Writer
    from musicae.ops.live import Figures, Live

__all__ = ["LiveOptions", "denoise_live", "list_devices", "live_options"]

F = TypeVar("F", bound=Callable[..., Any])

_REFRESH = 0.1  # Seconds between two looks at how it goes.
_VOICE = 16_000  # Hz: who names no preset speaks into a microphone.
_TOO_MUCH = 0.9  # Of the time that there is: above, a longer delay does not help.


@dataclass(frozen=True)
class LiveOptions:
    """The values of `live_options`; `buffer` is in milliseconds, None where it was not given."""

    is_live: bool
    list_devices: bool
    input_device: str | None
    output_device: str | None
    rate: int | None
    buffer: float | None

    @property
    def others(self) -> list[str]:
        """The options given that are of no use without ``--live``."""
        given = {
            "--input-device": self.input_device,
            "--output-device": self.output_device,
            "--rate": self.rate,
            "--buffer": self.buffer,
        }
        return [name for name, value in given.items() if value is not None]


def live_options(function: F) -> F:
    """Add the options of live sound, which the command gets as `live`, of `LiveOptions`."""
    options = (
        click.option("--live", "is_live", is_flag=True, help="Denoise a microphone until Ctrl-C, -o records it."),
        click.option("--list-devices", is_flag=True, help="Live: list the devices for sound, and do nothing else."),
        click.option("--input-device", metavar="NAME|NUMBER", help="Live: the microphone; part of its name will do."),
        click.option("--output-device", metavar="NAME|NUMBER", help="Live: where to play, such as a virtual cable."),
        click.option(
            "--rate",
            type=click.IntRange(8000, 192_000),
            metavar="HZ",
            help="Live: the devices' sample rate; by default that of the preset, or else theirs.",
        ),
        click.option(
            "--buffer",
            type=click.FloatRange(0, 2000),
            metavar="MS",
            help="Live: time in reserve for a busy machine, added to the latency; 20 by default.",
        ),
    )

    @wraps(function)
    def collected(*args: Any, **given: Any) -> Any:
        names = LiveOptions.__dataclass_fields__
        live = LiveOptions(**{name: given.pop(name) for name in names})
        return function(*args, live=live, **given)

    for option in reversed(options):
        collected = option(collected)
    return cast(F, collected)


def list_devices(out: OutputOptions) -> None:
    """Print the devices of this machine."""
    from musicae.formats.sound.devices import devices

    found = devices()
    if out.as_json:
        say_json({"devices": [asdict(device) for device in found]})
        return
    for device in found:
        usual = f", the default {' and '.join(device.default)}" if device.default else ""
        channels = f"{device.inputs} in, {device.outputs} out"
        show(f"{device.number:3}  {device.name}  ({channels}, {device.rate} Hz{usual})")


def denoise_live(preset: str | None, strength: float, options: LiveOptions, out: OutputOptions) -> None:
    """Denoise what a microphone hears until Ctrl-C, and say how it went."""
    from musicae.formats.sound import devices

    everything = devices.devices()
    source = devices.find(options.input_device, "input", everything)
    target = devices.find(options.output_device, "output", everything)
    if out.output == "-":
        raise MusicaeError("--live records to a file: name one with -o")
    with ExitStack() as stack:
        path = Path(out.output) if out.output else None
        place = stack.enter_context(staged([path], out.force))[path] if path else None
        live, pair, name = _made(preset, strength, options, (source, target), keep=place is not None)
        writer = stack.enter_context(_recording(place, pair)) if place else None
        say(f"'{source.name}' is denoised with {name} at {pair.rate} Hz and played on '{target.name}'; Ctrl-C ends it")
        figures, latency, ended = _run(live, pair, writer)
    _summary(figures, latency, name, out, path)
    if ended:
        raise ended


def _made(
    preset: str | None, strength: float, options: LiveOptions, ends: tuple[Any, Any], keep: bool
) -> tuple[Live, Pair, str]:
    """Return what runs the model, both devices at their rate, and the preset's name."""
    from musicae.codec import load
    from musicae.formats.sound.devices import pair
    from musicae.ops.defaults import nearest_in_rate
    from musicae.ops.live import Live
    from musicae.ops.stream import Denoiser

    codec = load(preset or nearest_in_rate("denoise", _VOICE))
    made = pair(*ends, options.rate, codec.adapter.sample_rate)
    ins, outs = made.channels
    denoiser = Denoiser(codec, made.rate, ins, strength)
    seconds = {} if options.buffer is None else {"buffer": options.buffer / 1000}
    return Live(denoiser, outs, **seconds, keep=keep), made, codec.preset.name


def _recording(place: Path, pair: Pair) -> Any:
    from musicae.formats.sound.files import Kind, kind_like, writing

    return writing(place, kind_like(Kind(pair.rate, pair.channels[0]), place))


def _run(live: Live, pair: Pair, writer: Writer | None) -> tuple[Figures, float, BaseException | None]:
    """Run until Ctrl-C, SIGTERM, or until a device goes away; return the figures, the latency, and what to raise."""
    from musicae.formats.sound.devices import opened

    ended: BaseException | None = None
    latency = live.figures().latency
    live.start()
    try:
        with opened(pair, live.frames, live.exchange) as stream, refreshed() as show_line:
            latency += sum(stream.latency)
            while stream.active:
                time.sleep(_REFRESH)
                show_line(_line(live.figures(), latency))
                _record(live, writer)
        ended = MusicaeError("a device stopped; is it still connected?")
    except KeyboardInterrupt:
        pass
    except SystemExit as error:  # SIGTERM: what was recorded is kept.
        ended = error
    finally:
        live.stop()
    _record(live, writer)
    return live.figures(), latency, ended


def _record(live: Live, writer: Writer | None) -> None:
    """Write what was played since the last time; Ctrl-C in the middle loses none of it."""
    from musicae.processes import holding_signals

    with holding_signals():
        for block in live.recorded():
            if writer:
                writer.write(block)


def _line(figures: Figures, latency: float) -> str:
    return (
        f"{clock(figures.seconds)}  latency {1000 * latency:.0f} ms  load {100 * figures.load:.0f} %  "
        f"drop-outs {figures.dropouts + figures.lost}"
    )


def _summary(figures: Figures, latency: float, preset: str, out: OutputOptions, path: Path | None) -> None:
    lost = f", {figures.lost} more of the devices" if figures.lost else ""
    say(
        f"{clock(figures.seconds)} denoised; latency {1000 * latency:.0f} ms, load {100 * figures.mean_load:.0f} %, "
        f"{figures.dropouts} drop-outs{lost}"
    )
    if figures.dropouts and figures.mean_load > _TOO_MUCH:
        say(f"this machine is too slow for {preset} in real time; choose another with --preset")
    elif figures.dropouts:
        say("--buffer 100 gives a busy machine more time, at the price of the latency")
    if out.as_json:
        facts = {"seconds": figures.seconds, "latency": latency, "load": figures.mean_load}
        counts = {"dropouts": figures.dropouts, "lost": figures.lost}
        say_json({"paths": [str(path)] if path else [], "preset": preset, **facts, **counts})
    elif path:
        show_path(path)
