"""What the README and the pages in docs/ say is so: commands, options, files, links, tables and Python."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from torch import Tensor, nn

from musicae import preset, registry
from musicae.core import Latent, Model, Spec
from musicae.testing import check_model

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "data" / "README.md",
    ROOT / "presets" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
LINK = re.compile(r'(?:\]\(|src=")([^)"\s]+)[)"]')


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(kind: str, name: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text(name), flags=re.MULTILINE | re.DOTALL)


def table(first: str, name: str) -> list[str]:
    """Return the code words in the first column of the table under the heading cell `first`."""
    rows = re.search(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text(name), flags=re.MULTILINE)
    assert rows
    return [word for row in rows[1].splitlines() for word in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def commands() -> list[str]:
    """Return each command line of the pages once, from its ``musicae`` on."""
    names = [str(page.relative_to(ROOT)) for page in PAGES]
    shown = [line for name in names for block in blocks("sh", name) for line in block.splitlines()]
    shown += [span for name in names for span in re.findall(r"`(musicae [^`]+)`", text(name))]
    found = [line[line.index("musicae ") :] for line in shown if re.match(r"musicae |.*(/|-m )musicae ", line)]
    return sorted(set(found))


@cache
def help_of(*verb: str) -> str:
    done = subprocess.run([sys.executable, "-m", "musicae", *verb, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("line", commands())
def test_every_command_shown_exists_with_its_options(line: str) -> None:
    _, verb, *words = line.split()
    options = help_of(verb) if verb not in ("COMMAND", "--help") else "--help"
    if "Commands:" in options and words[0].isalpha():
        options = help_of(verb, words[0])
    for word in words:
        if re.match("-+[a-z]", word):
            assert re.search(rf"(^|[\s,/]){re.escape(word)}\b", options), f"musicae {verb} has no {word}"


@pytest.mark.parametrize("line", commands())
def test_every_sample_file_shown_exists(line: str) -> None:
    for path in re.findall(r"\bdata/\S+", line):
        assert (ROOT / path).is_file()


@pytest.mark.parametrize("line", [line for line in commands() if re.search(r"--set |--preset |train |sample ", line)])
def test_every_preset_and_setting_shown_exists(line: str) -> None:
    """Those of `train` and `sample`, and what ``--preset`` names; not the paths of a user's own."""
    words = line.split()
    named = words[2] if words[1] in ("train", "sample") and not words[2].startswith("-") else ""
    named = words[words.index("--preset") + 1] if "--preset" in words else named
    if named.islower() and not named.endswith((".toml", ".safetensors")) and not named.startswith("hf:"):
        changes = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
        preset.resolve(preset.load(named, changes))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    shown = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in LINK.findall(shown):
        if link.startswith("https://"):
            continue
        place, _, heading = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles], link


def test_every_picture_and_sound_is_shown_and_small() -> None:
    shown = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in LINK.findall(page.read_text(encoding="utf-8"))
        if link.endswith((".png", ".jpg", ".svg", ".mp3"))
    }
    for folder, largest in (("images", 80_000), ("lesson", 400_000), ("gallery", 200_000)):
        there = set((ROOT / "docs" / folder).iterdir())
        assert there <= shown, there - shown
        assert all(0 < path.stat().st_size < largest for path in there)


def test_the_readme_is_short_and_begins_with_the_two_commands_each_one_line() -> None:
    assert text("README.md").count("\n") <= 120
    main, tests, *others = blocks("sh", "README.md")
    assert main.count("\n") == tests.count("\n") == 1
    assert "pip install -q . && .venv/bin/musicae interpolate data/" in main
    assert "pip install -q -e '.[dev]' && .venv/bin/pytest" in tests
    assert "install -q -e '.[dev]'" in text(".ci/run")
    assert "https://download.pytorch.org/whl/cpu" in others[0]


def test_the_tables_name_all_presets_data_sets_and_commands() -> None:
    shipped = [name for name, owner in preset.listed().items() if owner == "musicae"]
    assert sorted(table("preset", "README.md")) == shipped
    sets = table("data set", "docs/training.md")
    assert sorted(name for name in sets if "." not in name) == sorted(registry.BUILT_IN["datasets"])
    verbs = {line.split()[1] for line in table("command", "docs/commands.md") if line.startswith("musicae ")}
    assert verbs == set(registry.BUILT_IN["commands"])


def test_the_groups_of_plugins_are_the_registrys() -> None:
    groups = table("group", "docs/plugins.md")
    assert {group.removeprefix("musicae.") for group in groups} == set(registry.GROUPS)


def test_the_tree_of_the_architecture_is_the_packages() -> None:
    tree = text("docs/architecture.md").split("    musicae/\n")[1].split("\n\n")[0]
    named = re.findall(r"^ {6}(\S+)", tree, flags=re.MULTILINE)
    files = [path.name for path in (ROOT / "musicae").glob("*.py") if not path.name.startswith("__")]
    folders = [f"{path.parent.name}/" for path in (ROOT / "musicae").glob("*/__init__.py")]
    assert sorted(named) == sorted([*files, *folders])


@pytest.mark.parametrize("name", sorted(str(page.relative_to(ROOT)) for page in PAGES))
def test_every_module_named_exists(name: str) -> None:
    folders = "adapters|cli|corruptions|datasets|evaluations|formats|models|ops|plots|tensors|training"
    for path in re.findall(rf"`((?:{folders})/[\w/]+\.py)`", text(name)):
        assert (ROOT / "musicae" / path).is_file(), path


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sample files and a recording, ``rec.wav``, as the current one."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "rec.wav", 0.1 * rng.standard_normal(16_000), 16_000)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readmes_python_runs(workplace: Path) -> None:
    (code,) = blocks("python", "README.md")
    exec(code, {})
    assert (workplace / "morph.mid").is_file()
    assert (workplace / "clean-scene.png").is_file()


def test_the_python_page_runs_from_top_to_bottom(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for code in blocks("python", "docs/python.md"):
        exec(code, names)
    out = capsys.readouterr().out
    assert out.startswith("torch.Size([")
    assert "denoise-speech 1.0" in out
    assert "40 ms late" in out
    made = "morph.mid halfway.mid again.mid clean-scene.png removed.wav rec-clean.wav streamed.wav"
    assert all((workplace / name).is_file() for name in made.split())
    assert names["codec"].step == 2


def test_the_model_example_keeps_the_contract_and_is_the_one_that_is_tested() -> None:
    code, adapter, _ = blocks("python", "docs/plugins.md")
    assert adapter in text("tests/plugin/musicae_toy/adapter.py")
    names: dict[str, Any] = {"nn": nn, "math": math, "Tensor": Tensor, "Spec": Spec, "Latent": Latent, "Model": Model}
    exec(f"from __future__ import annotations\n{code}", names)
    check_model(names["Linear"], Spec(1, (16,), "bernoulli"))
    assert code in text("tests/plugin/musicae_toy/model.py")


def test_the_plugin_example_is_the_one_that_is_tested() -> None:
    entry_points, example = blocks("toml", "docs/plugins.md")
    assert entry_points in text("tests/plugin/pyproject.toml")
    assert example == text("tests/plugin/musicae_toy/toy-beat.toml")
