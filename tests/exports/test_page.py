"""The programs that docs/export.md shows: they run without PyTorch, and give what musicae gives."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pretty_midi

import musicae
from musicae.exports.graphs import graphs
from musicae.exports.run import Export

ALONE = "\nassert not {'torch', 'musicae'} & set(sys.modules), 'it runs without them'\n"


def block(repository: Path, kind: str) -> str:
    (found,) = re.findall(rf"```{kind}\n(.*?)```", (repository / "docs" / "export.md").read_text(), re.DOTALL)
    return found


def notes(path: Path) -> set[tuple[int, int, int]]:
    """Return the start and end of each note in sixteenths, and its pitch."""
    midi = pretty_midi.PrettyMIDI(str(path))
    return {
        (*(round(4 * midi.time_to_tick(time) / midi.resolution) for time in (note.start, note.end)), note.pitch)
        for part in midi.instruments
        for note in part.notes
    }


def test_two_tunes_are_interpolated_without_torch_as_the_command_does(
    tunes: Export, repository: Path, tmp_path: Path
) -> None:
    script = block(repository, "python")
    assert len([line for line in script.splitlines() if line]) <= 30
    (tmp_path / "walk.py").write_text(script + ALONE)
    (tmp_path / "tunes").symlink_to(tunes.folder)
    files = [str(repository / "data" / f"{name}.mid") for name in ("twinkle", "ode-to-joy")]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "walk.py", *files, "walk.mid"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    musicae.interpolate(*files, steps=5, even=False).save(str(tmp_path / "wanted.mid"))
    made, wanted = notes(tmp_path / "walk.mid"), notes(tmp_path / "wanted.mid")
    assert len(wanted) > 100
    assert len(made ^ wanted) <= 4  # Two notes, where two pitches are equally probable but for rounding.


def test_the_page_feeds_a_decoder_that_has_what_it_names(repository: Path) -> None:
    page = block(repository, "html")
    (decoder,) = (graph for graph in graphs(musicae.load("mnist-vae-2d")) if graph.name == "decoder")
    assert decoder.inputs == ("z",)
    assert "decoder.run({ z })" in page
    assert "const { values } =" in page
    assert "values" in decoder.outputs
    assert tuple(decoder.example(1)[0].shape) == (1, 2)
    assert "map/decoder.onnx" in page
    assert "https://" not in page
