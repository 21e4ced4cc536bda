"""The command export: a trained preset for programs without PyTorch."""

from __future__ import annotations

from pathlib import Path

import click

from musicae.cli.shared.completing import presets
from musicae.cli.shared.options import force_option, json_option
from musicae.cli.shared.progress import percent
from musicae.cli.shared.results import say_json
from musicae.cli.shared.terminal import say, show_path

__all__ = ["export"]


@click.command()
@click.argument("preset", shell_complete=presets)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="The folder to make.")
@click.option(
    "--bits", type=click.Choice(["32", "8"]), default="32", show_default=True,
    help="How the large weights are stored; in 8 the files are a quarter as large.",
)  # fmt: skip
@force_option
@json_option
def export(preset: str, output: Path | None, bits: str, force: bool, as_json: bool) -> None:
    """Write a trained PRESET as ONNX files, which run without PyTorch: encoder, decoder, prior, or the denoiser's step.

    The folder, PRESET-onnx by default, also has spec.json, which says how to feed them. Each file is run with
    onnxruntime and compared with PyTorch first.
    """
    from musicae.exports.run import export as write

    target = output or Path(f"{Path(preset).stem}-onnx")
    made = write(preset, target, int(bits), force, percent("graphs"))
    if as_json:
        say_json({"folder": str(made.folder), "sizes": made.sizes, "differences": made.differences})
        return
    for name, outputs in made.differences.items():
        size = made.sizes[f"{name}.onnx"] / 1e6
        told = ", ".join(f"{output} {difference:.1e}" for output, difference in outputs.items() if "next" not in output)
        say(f"{name}.onnx: {size:.1f} MB; largest difference from PyTorch: {told}")
    show_path(made.folder)
