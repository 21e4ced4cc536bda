from __future__ import annotations

import json
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import pytest

from musicae import preset, registry
from musicae.errors import MusicaeError
from musicae.preset import Preset

SMALL = """
description = "a small one"
[adapter]
name = "melody"
bars = 2
[model]
name = "ae"
latent = 8
"""


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of presets that stands for the shipped one, with `small` in it."""
    folder = tmp_path / "presets"
    folder.mkdir()
    monkeypatch.setattr(preset, "folders", lambda: [folder])
    (folder / "small.toml").write_text(SMALL)
    return folder


def put(folder: Path, name: str, text: str) -> str:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return str(path)


def test_the_shipped_folder_is_the_one_beside_or_inside_the_package() -> None:
    (folder,) = preset.folders()
    assert folder.name == "presets"
    assert {path.stem for path in folder.glob("*.toml")} <= set(preset.listed())


@pytest.mark.parametrize("name", [name for name, owner in preset.listed().items() if owner == "musicae"])
def test_every_shipped_preset_resolves(name: str) -> None:
    from musicae.training.options import TrainingOptions

    recipe = preset.load(name)
    assert recipe.description
    resolved = preset.resolve(recipe, TrainingOptions)
    assert Preset.from_dict(json.loads(json.dumps(resolved.as_dict()))).name == name


def test_load_reads_every_section(shipped: Path) -> None:
    recipe = preset.load("small")
    assert recipe.name == "small"
    assert recipe.description == "a small one"
    assert recipe.part("adapter") == ("melody", {"bars": 2})
    assert recipe.part("model") == ("ae", {"latent": 8})
    assert recipe.part("prior") is None


def test_a_path_is_a_preset_too(tmp_path: Path) -> None:
    path = put(tmp_path, "mine", SMALL)
    assert preset.load(path).name == "mine"
    with pytest.raises(MusicaeError, match=r"no preset file .*other.toml; check the path"):
        preset.load(str(tmp_path / "other.toml"))


def test_a_wrong_name_teaches_the_right_one(shipped: Path) -> None:
    with pytest.raises(MusicaeError, match="no preset named 'smal'; did you mean 'small'"):
        preset.load("smal")


def test_as_dict_survives_json(shipped: Path) -> None:
    recipe = preset.load("small")
    assert Preset.from_dict(json.loads(json.dumps(recipe.as_dict()))) == recipe


@pytest.mark.parametrize("tree", [None, [], "text", 3, {}, {"model": 3}, {"adapter": {"name": 1}}, {"evil": {}}])
def test_a_tampered_tree_is_refused_in_one_line(tree: Any) -> None:
    with pytest.raises(MusicaeError) as error:
        Preset.from_dict(tree)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[modle]\nname='ae'", r"preset 'bad': no section \[modle\]; did you mean 'model'\?"),
        ("model = 3", r"preset 'bad': model must be a section, \[model\]"),
        ("[adapter]\nbars=2", r"preset 'bad': \[adapter\] needs a name = '...'"),
        ("[adapter]\nname='melody'", r"preset 'bad': the section \[model\] is missing"),
        ("[adapter", "is not valid TOML"),
        ("extends='nothing'", "no preset named 'nothing'"),
    ],
)
def test_a_bad_file_is_one_line(shipped: Path, text: str, line: str) -> None:
    put(shipped, "bad", text)
    with pytest.raises(MusicaeError, match=line) as error:
        preset.load("bad")
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_text_is_one_line(shipped: Path) -> None:
    (shipped / "bad.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MusicaeError, match="cannot read the preset"):
        preset.load("bad")


class TestExtends:
    def test_keys_lie_over_those_of_the_base(self, shipped: Path) -> None:
        put(shipped, "large", "extends = 'small'\n[model]\nlatent = 64\n[training]\nsteps = 5\n")
        recipe = preset.load("large")
        assert recipe.name == "large"
        assert recipe.part("adapter") == ("melody", {"bars": 2})
        assert recipe.part("model") == ("ae", {"latent": 64})
        assert recipe.sections["training"] == {"steps": 5}

    def test_another_factory_starts_its_section_afresh(self, shipped: Path) -> None:
        put(shipped, "other", "extends = 'small'\n[model]\nname = 'vae'\n")
        assert preset.load("other").part("model") == ("vae", {})

    def test_a_file_beside_it_comes_before_a_shipped_preset(self, shipped: Path, tmp_path: Path) -> None:
        put(tmp_path, "small", SMALL.replace("8", "9"))
        path = put(tmp_path, "mine", "extends = 'small'")
        assert preset.load(path).part("model") == ("ae", {"latent": 9})
        (tmp_path / "small.toml").unlink()
        assert preset.load(path).part("model") == ("ae", {"latent": 8})

    @pytest.mark.parametrize("base", ["one", "two"])
    def test_one_level_only(self, shipped: Path, base: str) -> None:
        put(shipped, "one", "extends = 'small'")
        put(shipped, "two", f"extends = '{base}'")
        with pytest.raises(MusicaeError, match="extends another; only one level is allowed"):
            preset.load("two")


class TestDefaults:
    def test_what_a_preset_is_a_default_for_is_its_own(self, shipped: Path) -> None:
        put(shipped, "large", "extends = 'small'\n[model]\nlatent = 64\n")
        (shipped / "small.toml").write_text("default_for = ['code', 'sample']\ncontent = 'speech'\n" + SMALL)
        small, large = preset.load("small"), preset.load("large")
        assert (small.default_for, small.content) == (("code", "sample"), "speech")
        assert (large.default_for, large.content) == ((), "")

    @pytest.mark.parametrize("wrong", ["'code'", "3", "[1]"])
    def test_jobs_are_a_list(self, shipped: Path, wrong: str) -> None:
        (shipped / "small.toml").write_text(f"default_for = {wrong}\n" + SMALL)
        with pytest.raises(MusicaeError, match="preset 'small': default_for must be a list of jobs"):
            preset.load("small")


def test_names_from_before_are_taken_too(shipped: Path) -> None:
    put(shipped, "old", SMALL + "[likelihood]\nname = 'spectral'\nwords = 3.0\n[dataset]\nname = 'files'\nmost = 5\n")
    recipe = preset.load("old", ["likelihood.ratio=0.1"])
    assert recipe.part("likelihood") == ("spectral", {"stoi_weight": 3.0, "snr_weight": 0.1})
    assert recipe.part("dataset") == ("pictures", {"max_windows": 5})


class TestOverrides:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("model.latent=32", 32),
            (" model.latent = 3.5", 3.5),
            ("model.latent=true", True),
            ("model.latent=[1, 2]", [1, 2]),
            ("model.latent='a'", "a"),
            ("model.latent=bare text", "bare text"),
            ("model.latent=a=b", "a=b"),
            ("model.latent=", ""),
        ],
    )
    def test_values_are_toml_or_bare_text(self, shipped: Path, text: str, value: Any) -> None:
        assert preset.load("small", [text]).part("model") == ("ae", {"latent": value})

    def test_a_key_within_a_table(self, shipped: Path) -> None:
        put(shipped, "joint", SMALL + "[likelihood]\nname = 'joint'\n[likelihood.groups.drums]\nweight = 2.0\n")
        recipe = preset.load("joint", ["likelihood.groups.drums.where=melody", "likelihood.groups.bass.weight=3"])
        groups = {"drums": {"weight": 2.0, "where": "melody"}, "bass": {"weight": 3}}
        assert recipe.part("likelihood") == ("joint", {"groups": groups})
        put(shipped, "more", "extends = 'joint'\n[likelihood.groups.drums]\nfirst = 1\n")
        assert preset.load("more").part("likelihood") == ("joint", {"groups": {"drums": {"weight": 2.0, "first": 1}}})
        with pytest.raises(MusicaeError, match=r"latent in \[model\] is not a table; write model\.latent=\.\.\."):
            preset.load("small", ["model.latent.size=3"])

    def test_another_name_drops_the_settings_of_the_old_one(self, shipped: Path) -> None:
        assert preset.load("small", ["model.name=vae"]).part("model") == ("vae", {})
        assert preset.load("small", ["model.name=ae"]).part("model") == ("ae", {"latent": 8})

    def test_a_section_can_be_added_by_its_name(self, shipped: Path) -> None:
        recipe = preset.load("small", ["corruption.name=noise", "corruption.std=0.1", "training.seed=3"])
        assert recipe.part("corruption") == ("noise", {"std": 0.1})
        assert recipe.sections["training"] == {"seed": 3}

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("latent=3", "--set takes section.key=value, such as model.latent=32, not 'latent=3'"),
            ("model.latent", "--set takes section.key=value"),
            ("model.=3", "--set takes section.key=value"),
            ("modle.latent=3", r"no section \[modle\]; did you mean 'model'\?"),
            ("corruption.std=3", r"the preset has no \[corruption\]; choose one with --set corruption.name=\.\.\."),
        ],
    )
    def test_mistakes_are_one_line(self, shipped: Path, text: str, line: str) -> None:
        with pytest.raises(MusicaeError, match=line):
            preset.load("small", [text])


class TestResolve:
    def test_defaults_are_filled_in_and_given_ones_kept(self, shipped: Path) -> None:
        recipe = preset.load("small")
        resolved = preset.resolve(recipe)
        name, settings = resolved.part("adapter") or ("", {})
        defaults = {key: p.default for key, p in registry.signature("adapters", name).items()}
        assert settings == {**defaults, "bars": 2}
        assert recipe.part("adapter") == ("melody", {"bars": 2})
        assert preset.resolve(resolved) == resolved

    def test_a_wrong_setting_is_named_with_its_section(self, shipped: Path) -> None:
        with pytest.raises(MusicaeError, match=r"\[model\] 'ae' has no setting 'latnet'; did you mean 'latent'\?"):
            preset.resolve(preset.load("small", ["model.latnet=3"]))

    def test_training_is_checked_against_its_function(self, shipped: Path) -> None:
        def fit(recipe: Any, *, steps: int = 10, rate: float = 0.5) -> None: ...

        recipe = preset.load("small", ["training.steps=3"])
        assert preset.resolve(recipe, fit).sections["training"] == {"steps": 3, "rate": 0.5}
        assert preset.resolve(recipe).sections["training"] == {"steps": 3}
        with pytest.raises(MusicaeError, match=r"\[training\] has no setting 'step'; did you mean 'steps'\?"):
            preset.resolve(preset.load("small", ["training.step=3"]), fit)
        with pytest.raises(MusicaeError, match=r"\[training\] steps must be a number, not 'many'"):
            preset.resolve(preset.load("small", ["training.steps=many"]), fit)

    def test_joined_data_sets_take_the_settings_of_each(
        self, shipped: Path, entry_points: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "some_sets", sys.modules[__name__])
        entry_points.add("datasets", "one", "some_sets:one", "sets")
        entry_points.add("datasets", "two", "some_sets:two", "sets")
        recipe = preset.load("small", ["dataset.name=one+two", "dataset.only_two=5"])
        assert preset.resolve(recipe).part("dataset") == ("one+two", {"only_one": 1, "only_two": 5, "same": 3})
        recipe = preset.load("small", ["dataset.name=one+two", "dataset.differs=5"])
        assert (preset.resolve(recipe).part("dataset") or ("", {}))[1]["differs"] == 5
        with pytest.raises(MusicaeError, match=r"\[dataset\] 'one\+two' has no setting 'onyl_one'"):
            preset.resolve(preset.load("small", ["dataset.name=one+two", "dataset.onyl_one=5"]))


def one(adapter: Any, *, only_one: int = 1, same: int = 3, differs: int = 1) -> None: ...


def two(adapter: Any, *, only_two: int = 2, same: int = 3, differs: int = 2) -> None: ...


class TestPlugins:
    @pytest.fixture
    def plugin(self, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
        module = types.ModuleType("toy_presets")
        monkeypatch.setitem(sys.modules, "toy_presets", module)
        return module

    def test_an_entry_point_names_the_file(
        self, shipped: Path, tmp_path: Path, entry_points: Any, plugin: types.ModuleType
    ) -> None:
        path = put(tmp_path, "toys", SMALL)
        vars(plugin).update(PATH=Path(path), path=lambda: path)
        entry_points.add("presets", "toys", "toy_presets:PATH", "toys")
        entry_points.add("presets", "called", "toy_presets:path", "toys")
        assert preset.listed() == {"called": "toys", "small": "musicae", "toys": "toys"}
        assert preset.find("toys") == preset.find("called") == Path(path)
        assert preset.load("toys").part("model") == ("ae", {"latent": 8})

    def test_a_file_that_is_not_there_names_the_package(
        self, shipped: Path, tmp_path: Path, entry_points: Any, plugin: types.ModuleType
    ) -> None:
        vars(plugin).update(PATH=tmp_path / "gone.toml")
        entry_points.add("presets", "toys", "toy_presets:PATH", "a-package")
        with pytest.raises(MusicaeError, match=r"the preset 'toys' of a-package names .*, which is not a file"):
            preset.find("toys")

    @pytest.mark.parametrize("ask", [preset.listed, lambda: preset.find("small")])
    def test_two_owners_are_both_named(self, shipped: Path, entry_points: Any, ask: Any) -> None:
        entry_points.add("presets", "small", "somewhere:PATH", "a-package")
        with pytest.raises(MusicaeError, match="two packages own the preset 'small': musicae and a-package"):
            ask()


def test_old_names_of_parts_are_those_of_the_preset_that_is_extended(shipped: Path) -> None:
    put(shipped, "photos", SMALL + "[dataset]\nname = 'pictures'\nscales = [0.5]\n")
    put(shipped, "mine", "extends = 'photos'\n[dataset]\nname = 'files'\nsize = 64\n")
    assert preset.load("mine").part("dataset") == ("pictures", {"scales": [0.5], "crop_size": 64})
    assert preset.load("photos", ["dataset.name=files"]).part("dataset") == ("pictures", {"scales": [0.5]})


@pytest.mark.parametrize(
    "text",
    ["a = " + "[" * 2000, "a = " + "9" * 5000, 'a = "\0"', "a = " + "{a=" * 2000, "[" * 2000, "# " + "x" * 2**20],
    ids=["brackets", "digits", "nul", "tables", "section", "size"],
)
def test_text_that_is_too_deep_or_too_long_is_one_line(shipped: Path, text: str) -> None:
    path = put(shipped, "deep", text)
    with pytest.raises(MusicaeError, match=r"^the preset [^\n]+$"):
        preset.load(path)


@pytest.mark.parametrize("value", ["[" * 2000, "9" * 5000, "{a=" * 2000, "\0", "'" * 3])
def test_an_override_that_is_no_toml_is_text(shipped: Path, value: str) -> None:
    recipe = preset.load("small", [f"model.latent={value}"])
    assert recipe.sections["model"]["latent"] == value
    with pytest.raises(MusicaeError, match=r"^\[model\] latent must be a number, not [^\n]{1,100}$"):
        preset.resolve(recipe)


@pytest.mark.parametrize("name", ["x" * 10_000 + ".toml", "a\0.toml", "x" * 10_000, "\ud800.toml"])
def test_a_name_that_no_file_can_have_is_not_found(shipped: Path, name: str) -> None:
    with pytest.raises(MusicaeError, match="no preset"):
        preset.load(name)


@pytest.mark.parametrize("base", ["../other", "/etc/passwd", "x" * 10_000, "a.toml", ["small"], 3])
def test_a_preset_extends_one_by_name_only(shipped: Path, base: Any) -> None:
    path = put(shipped, "mine", f"extends = {json.dumps(base)}\n")
    with pytest.raises(MusicaeError, match="which is no name of a preset"):
        preset.load(path)


def test_a_name_is_not_a_path() -> None:
    good = ("melody-2bar", "My preset 2", "mnist_ae.v2", "旋律")
    bad = (
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "C:x",
        "-f",
        "~x",
        "a\nb",
        "\x1b[1m",
        "\u202ex",
        "x.toml",
        "x.SAFETENSORS",
        "n" * 101,
    )
    assert [preset.is_name(name) for name in (*good, *bad)] == [True] * len(good) + [False] * len(bad)


@pytest.mark.parametrize("name", sorted(preset.listed()))
def test_a_preset_written_as_toml_says_the_same(name: str, tmp_path: Path) -> None:
    made = preset.resolve(preset.load(name))
    path = tmp_path / "again.toml"
    path.write_text(preset.as_toml(made), encoding="utf-8")
    again = preset.resolve(preset.load(str(path)))
    assert again.description == made.description
    assert json.dumps(again.sections) == json.dumps(made.sections)


def test_toml_quotes_what_must_be(tmp_path: Path) -> None:
    text = 'a "b" \x7f é \n'
    made = preset.Preset(
        "x", {"adapter": {"name": "melody", "odd key": [1.5, {"in.ner": text}]}, "model": {"name": "m"}}
    )
    assert tomllib.loads(preset.as_toml(made))["adapter"] == made.sections["adapter"]
