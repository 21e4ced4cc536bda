"""The command export: a trained preset for programs without PyTorch, and for nn~."""

from __future__ import annotations

from pathlib import Path

import click

from musicae.cli.shared.completing import presets
from musicae.cli.shared.options import force_option, json_option
from musicae.cli.shared.progress import percent
from musicae.cli.shared.results import say_json
from musicae.cli.shared.staging import staged
from musicae.cli.shared.terminal import say, show_path
from musicae.errors import MusicaeError

__all__ = ["export"]


@click.command()
@click.argument("preset", shell_complete=presets)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="PATH", help="The folder, or file, to make.")
@click.option(
    "--bits", type=click.Choice(["32", "8"]), default="32", show_default=True,
    help="How the large weights are stored; in 8 the files are a quarter to half as large.",
)  # fmt: skip
@click.option("--nn-tilde", is_flag=True, help="Write one file for nn~, the object of Max and Pure Data, instead.")
@force_option
@json_option
def export(preset: str, output: Path | None, bits: str, nn_tilde: bool, force: bool, as_json: bool) -> None:
    """Write a trained PRESET as ONNX files, which run without PyTorch: encoder, decoder, prior, or the denoiser's step.

    The folder, PRESET-onnx by default, also has spec.json, which says how to feed them. Each file is run with
    onnxruntime and compared with PyTorch first. With --nn-tilde it is one file, PRESET.ts: a preset of sound that has a
    code, or works on streams.
    """
    if nn_tilde:
        _write_nn_tilde(preset, output, bits, force, as_json)
        return
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


def _write_nn_tilde(preset: str, output: Path | None, bits: str, force: bool, as_json: bool) -> None:
    from musicae.exports import nn_tilde

    target = output or Path(f"{Path(preset).stem}.ts")
    if target.suffix != ".ts":
        raise MusicaeError(f"-o {target}: nn~ finds files that end in .ts; name one that does")
    if bits != "32":
        raise MusicaeError("--bits 8 is for ONNX; leave it out with --nn-tilde")
    with staged([target], force) as places:
        methods = nn_tilde.write(preset, places[target])
    if as_json:
        say_json({"file": str(target), "methods": methods})
        return
    for name, (inputs, _, outputs, _) in methods.items():
        say(f"{name}: {inputs} in, {outputs} out")
    show_path(target)
