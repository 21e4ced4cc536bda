"""The documentation site: what is generated for it is complete, and its links lead to pages of its own."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path, PurePosixPath
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import soundfile
import yaml
from mkdocs.exceptions import PluginError
from PIL import Image

import musicae
from musicae import registry

ROOT = Path(__file__).resolve().parent.parent


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / ".site" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hooks, docstrings, gallery = loaded("hooks"), loaded("docstrings"), loaded("gallery")


class Places:
    """The files of a site, by their places."""

    def __init__(self, *places: str) -> None:
        self.places = places

    def get_file_from_path(self, path: str) -> str | None:
        return path if path in self.places else None


def on_site(text: str, place: str, *places: str) -> str:
    page = SimpleNamespace(file=SimpleNamespace(src_uri=place))
    return hooks.on_page_markdown(text, page, None, Places(place, *places))


def test_links_lead_to_pages_of_the_site() -> None:
    assert on_site("[a](docs/music.md#bands)", "index.md", "music.md") == "[a](music.md#bands)"
    assert on_site("[a](../SECURITY.md)", "commands.md", "security.md") == "[a](security.md)"
    assert on_site("[a](../presets/README.md#denoise)", "lesson.md", "presets.md") == "[a](presets.md#denoise)"
    assert on_site("[a](../musicae/core.py)", "architecture.md", "api/core/core.md") == "[a](api/core/core.md)"
    assert on_site("[a](../musicae/ops/vary.py)", "plugins.md", "api/ops/vary.md") == "[a](api/ops/vary.md)"
    assert on_site("[a](../musicae/codec/__init__.py)", "plugins.md", "api/codec/index.md") == "[a](api/codec/index.md)"
    assert on_site("[a](../musicae/__init__.py)", "python.md", "api/index.md") == "[a](api/index.md)"
    assert (
        on_site('<img src="docs/images/morph.png">', "index.md", "images/morph.png") == '<img src="images/morph.png">'
    )
    assert on_site("[a](LICENSE) [b](#c) [d](https://e.f)", "index.md", "LICENSE.txt") == (
        "[a](LICENSE.txt) [b](#c) [d](https://e.f)"
    )


def test_a_link_that_leads_nowhere_is_named() -> None:
    with pytest.raises(PluginError, match=r"docs/lesson.md: ../pyproject.toml is not on the site"):
        on_site("[a](../pyproject.toml)", "lesson.md")


def test_code_stays_as_it_is() -> None:
    text = "`[a](x.md)`\n\n```sh\n[a](x.md)\n```\n\n    [a](x.md)\n"
    assert on_site(text, "lesson.md") == text


def test_a_sound_gets_a_player() -> None:
    made = on_site("[The sound](gallery/a.mp3)", "gallery.md", "gallery/a.mp3")
    assert '<audio controls preload="none" src="gallery/a.mp3"></audio> The sound' in made


def test_the_options_of_every_command_are_there() -> None:
    page = hooks.options_page()
    assert re.findall(r"^## (\S+)", page, flags=re.MULTILINE) == registry.names("commands")
    assert "### latent" in page
    assert "| `--similarity" in page
    assert "    musicae denoise [OPTIONS] [FILES]..." in page
    assert not re.search(r"\| +\|$", page, flags=re.MULTILINE)


def test_every_public_name_is_on_a_page() -> None:
    pages = hooks.api_pages()
    shown = set(re.findall(r"^::: (\S+)", "\n".join(pages.values()), flags=re.MULTILINE))
    assert {f"musicae.{name}" for name in musicae.__all__} <= shown
    for path in (ROOT / "musicae").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[1] not in ("cli", "__init__", "__main__") and hooks.public_names(path):
            assert ".".join(part for part in parts if part != "__init__") in shown, path


def test_each_module_has_a_page_that_the_overview_names_and_the_navigation_leads_to() -> None:
    pages = hooks.api_pages()
    assert pages["api/ops/vary.md"].startswith("::: musicae.ops.vary\n")
    assert "| [ops.vary](vary.md) | Variations of a file. |" in pages["api/ops/index.md"]
    assert "[The contract](core/index.md)" in pages["api/index.md"]
    named = [place for _, entries in hooks.api_nav() for place in re.findall(r"api/[\w/]+\.md", str(entries))]
    assert sorted(["api/index.md", *named]) == sorted(pages)
    for place, text in pages.items():
        for link in re.findall(r"\]\(([^)]+)\)", text):
            assert (PurePosixPath(place).parent / link).as_posix() in pages
        assert len(re.findall("^::: ", text, flags=re.MULTILINE)) <= 1 or place == "api/index.md"


def test_the_pages_of_the_repository_are_in_the_navigation() -> None:
    class Tags(yaml.SafeLoader):
        """Reads MkDocs's settings without what its tags stand for."""

    config = yaml.load((ROOT / ".site" / "mkdocs.yml").read_text(), Tags)
    named = set(re.findall(r"[\w-]+\.md", str(config["nav"])))
    there = {path.name for path in (ROOT / "docs").glob("*.md")} | set(hooks.PAGES.values()) | {"options.md"}
    assert named == there
    before = SimpleNamespace(nav=config["nav"])
    (reference,) = (section["Reference"] for section in hooks.on_config(before).nav if "Reference" in section)
    assert list(reference[-1]) == ["Every public name"]


def test_docstrings_have_descriptions_where_numpydoc_has_types() -> None:
    text = (
        "Do it.\n\nParameters\n----------\na, b : what `it` is, or\n    more.\n*c\n\nRaises\n------\nKeyError : if so."
    )
    assert docstrings.rewritten(text) == (
        "Do it.\n\nParameters\n----------\na, b\n    what `it` is, or\n    more.\n*c\n\nRaises\n------\n"
        "KeyError\n    if so."
    )
    assert docstrings.rewritten("Note : this stays.") == "Note : this stays."


def test_the_gallery_shows_what_its_commands_make() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text()
    shown = re.findall(r"\]\(gallery/(\S+)\)", page)
    made = re.findall(r" (?:-o|--png|--wav) (\S+)", page)
    assert len(set(shown)) == len(shown) > 10
    assert {name.replace(".mp3", ".wav") for name in shown} <= set(made)
    assert sum((ROOT / "docs" / "gallery" / name).stat().st_size for name in shown) < 1_500_000


def test_a_picture_and_a_sound_of_the_gallery_are_kept_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (60, 3000, 3), np.uint8)).save(tmp_path / "a.png")
    gallery.keep_picture(tmp_path / "a.png", tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as picture:
        assert (picture.size, picture.mode) == ((gallery.WIDEST, 22), "P")
    soundfile.write(tmp_path / "a.wav", 0.1 * rng.standard_normal((30 * 16_000, 2)), 16_000)
    gallery.keep_sound(tmp_path / "a.wav", tmp_path / "b.mp3")
    samples, rate = soundfile.read(tmp_path / "b.mp3")
    assert len(samples) / rate == pytest.approx(gallery.LONGEST, abs=0.1)
    assert np.abs(samples[-200:]).max() < 0.05 < np.abs(samples[: 2 * rate]).max()
