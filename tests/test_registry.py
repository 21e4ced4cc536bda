from __future__ import annotations

import inspect
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from musicae import registry
from musicae.errors import MusicaeError


def settings(first: Any, second: Any = None, /, *, size: int = 8, rate: float = 0.5, deep: bool = False,
             kind: str = "a", sizes: tuple[int, ...] = (1, 2), path: str | None = None) -> dict[str, Any]:  # fmt: skip
    return {"first": first, "size": size, "rate": rate, "deep": deep, "kind": kind, "sizes": sizes, "path": path}


def nothing() -> None:
    return None


@pytest.fixture
def parts(entry_points: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Names for the functions of this file, as another package's entry points."""
    monkeypatch.setitem(sys.modules, "a_plugin", sys.modules[__name__])
    entry_points.add("models", "settings", "a_plugin:settings", "some-package")
    entry_points.add("models", "nothing", "a_plugin:nothing", "some-package")
    return entry_points


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in registry.GROUPS for name in registry.BUILT_IN[group]]
)
def test_every_built_in_name_can_be_imported(group: str, name: str) -> None:
    assert callable(registry.lookup(group, name))
    assert all(isinstance(p, inspect.Parameter) for p in registry.signature(group, name).values())


@pytest.mark.parametrize(
    ("group", "name"), [(group, name) for group in registry.GROUPS for name in registry.BUILT_IN[group]]
)
def test_a_part_is_in_the_file_of_its_name(group: str, name: str) -> None:
    module, _, attribute = registry.BUILT_IN[group][name].partition(":")
    assert module.rpartition(".")[2] == name.replace("-", "_")
    assert attribute in sys.modules[registry.lookup(group, name).__module__ if group != "commands" else module].__dict__


@pytest.mark.parametrize(
    ("group", "folder"),
    [
        ("adapters", "adapters"),
        ("corruptions", "corruptions"),
        ("datasets", "datasets"),
        ("evaluations", "evaluations"),
        ("likelihoods", "tensors/likelihoods"),
        ("commands", "cli"),
    ],
)
def test_a_folder_of_parts_holds_nothing_else(repository: Path, group: str, folder: str) -> None:
    found = {path.stem.replace("_", "-") for path in (repository / "musicae" / folder).glob("[a-z]*.py")}
    assert found - {"run"} == set(registry.BUILT_IN[group])


def test_models_and_priors_share_a_folder(repository: Path) -> None:
    found = {path.stem.replace("_", "-") for path in (repository / "musicae" / "models").glob("[a-z]*.py")}
    assert found == {*registry.BUILT_IN["models"], *registry.BUILT_IN["priors"]}


def test_names_are_sorted_and_hold_those_of_other_packages(parts: Any) -> None:
    names = registry.names("models")
    assert names == sorted(names)
    assert {"vae", "settings"} <= set(names)
    assert registry.owner("models", "settings") == "some-package"
    assert registry.owner("models", "vae") == "musicae"


def test_listing_names_imports_nothing(entry_points: Any) -> None:
    entry_points.add("models", "ghost", "no_such_module:Model", "ghosts")
    assert "ghost" in registry.names("models")
    assert registry.lookup_target("models", "ghost") == "no_such_module:Model"


def test_a_wrong_name_teaches_the_right_one() -> None:
    with pytest.raises(MusicaeError, match="no model named 'vea'; did you mean 'vae'\\?"):
        registry.lookup("models", "vea")
    with pytest.raises(MusicaeError, match="no kind of part named 'modles'; did you mean 'models'\\?"):
        registry.names("modles")
    with pytest.raises(MusicaeError, match="no likelihood named 'x'; choose from bernoulli, categorical, gaussian"):
        registry.owner("likelihoods", "x")


@pytest.mark.parametrize("target", ["no_such_module:Model", "musicae.errors:Nothing", "musicae.errors"])
def test_a_part_that_cannot_be_imported_names_its_package(entry_points: Any, target: str) -> None:
    entry_points.add("models", "ghost", target, "ghosts")
    with pytest.raises(
        MusicaeError, match=f"the model 'ghost' \\({target}, from ghosts\\) cannot be imported"
    ) as error:
        registry.lookup("models", "ghost")
    assert "\n" not in str(error.value)


def test_a_plugin_that_fails_while_imported_is_one_line(
    entry_points: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_plugin.py").write_text("raise ValueError('two\\nlines')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry_points.add("models", "ghost", "broken_plugin:Model", "ghosts")
    with pytest.raises(MusicaeError, match="cannot be imported: ValueError: two lines"):
        registry.lookup("models", "ghost")


def test_two_owners_of_one_name_are_both_named(entry_points: Any) -> None:
    entry_points.add("adapters", "toy", "one:Toy", "package-one")
    entry_points.add("adapters", "toy", "two:Toy", "package-two")
    with pytest.raises(MusicaeError, match="two packages own the name 'toy' in adapters: package-one and package-two"):
        registry.names("adapters")


def test_a_built_in_name_cannot_be_taken(entry_points: Any) -> None:
    entry_points.add("models", "vae", "other:Vae", "usurper")
    with pytest.raises(MusicaeError, match="'vae' in models: musicae and usurper; uninstall one of them"):
        registry.lookup("models", "vae")


def test_a_package_seen_twice_is_one_owner(entry_points: Any) -> None:
    entry_points.add("models", "toy", "toy:Toy", "toys")
    entry_points.add("models", "toy", "toy:Toy", "toys")
    assert registry.owner("models", "toy") == "toys"


def test_an_entry_point_without_a_package_has_a_name_in_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("vae", "x:y", "musicae.models")
    registry._owners.cache_clear()
    monkeypatch.setattr(metadata, "entry_points", lambda group: [point])
    with pytest.raises(MusicaeError, match="musicae and an unknown package"):
        registry.names("models")
    registry._owners.cache_clear()


def test_settings_are_the_keywords_with_a_default(parts: Any) -> None:
    assert list(registry.signature("models", "settings")) == ["size", "rate", "deep", "kind", "sizes", "path"]


def test_defaults_are_filled_in(parts: Any) -> None:
    filled = registry.resolve("models", "settings", {"size": 9})
    assert filled == {"size": 9, "rate": 0.5, "deep": False, "kind": "a", "sizes": (1, 2), "path": None}
    assert registry.build("models", "settings", "given", size=9) == {"first": "given", **filled}


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"size": 3.0}, {"size": 3}),
        ({"rate": 1}, {"rate": 1}),
        ({"sizes": [4, 5]}, {"sizes": (4, 5)}),
        ({"path": "anything"}, {"path": "anything"}),
        ({"path": None}, {"path": None}),
    ],
)
def test_what_fits_a_setting_is_taken(parts: Any, given: dict[str, Any], taken: dict[str, Any]) -> None:
    (key,) = given
    value = registry.resolve("models", "settings", given)[key]
    assert (value, type(value)) == (taken[key], type(taken[key]))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"siez": 3}, r"\[model\] 'settings' has no setting 'siez'; did you mean 'size'\? It takes size, rate, "),
        ({"zzzzzz": 3}, r"\[model\] 'settings' has no setting 'zzzzzz'; it takes deep, kind, path, rate, size"),
        ({"size": "big"}, r"\[model\] size must be a number, not 'big'"),
        ({"size": True}, r"\[model\] size must be a number, not True"),
        ({"size": 2.5}, r"\[model\] size must be a whole number, not 2.5"),
        ({"size": float("nan")}, r"\[model\] size must be a whole number, not nan"),
        ({"rate": [1]}, r"\[model\] rate must be a number, not \[1\]"),
        ({"deep": 1}, r"\[model\] deep must be true or false, not 1"),
        ({"kind": 1}, r"\[model\] kind must be text, not 1"),
        ({"sizes": 1}, r"\[model\] sizes must be a list, not 1"),
        ({"size": None}, r"\[model\] size must be a number, not None"),
        ({"size": "x" * 9999}, r"\[model\] size must be a number, not 'x{59}\.\.\.$"),
        ({"sizes": [1, "a"]}, r"\[model\] sizes must be int, got str at \[1\]"),
        ({"path": 7}, r"\[model\] path must be str \| null, got int"),
    ],
)
def test_what_does_not_fit_a_setting_is_refused(parts: Any, given: dict[str, Any], line: str) -> None:
    with pytest.raises(MusicaeError, match=line):
        registry.resolve("models", "settings", given)


def test_a_part_without_settings_says_so(parts: Any) -> None:
    with pytest.raises(MusicaeError, match=r"'nothing' has no setting 'size'; it takes none$"):
        registry.build("models", "nothing", size=1)


def test_settings_may_have_the_names_of_builds_own_parameters(parts: Any) -> None:
    with pytest.raises(MusicaeError, match="has no setting 'group'"):
        registry.build("models", "settings", 1, group=2)


def test_a_number_out_of_its_range_is_refused() -> None:
    for key, value, line in (
        ("heads", 0, "heads must be 1 to 65536, not 0"),
        ("latent", 10**9, "latent must be 1 to 65536, not 1000000000"),
        ("step_dropout", float("nan"), "step_dropout must be 0 to 1, not nan"),
        ("latent", 10**5000, "latent must be 1 to 65536, not that"),
    ):
        with pytest.raises(MusicaeError, match=rf"^\[model\] {line}$"):
            registry.resolve("models", "patch-vae", {key: value})
    with pytest.raises(MusicaeError, match=r"^\[model\] bands must be int >= 1 at \[0\]\[1\]$"):
        registry.resolve("models", "dual-path", {"bands": [[3, 0]]})


@pytest.mark.parametrize("name", ["../x", "/etc/x", "C:x", "x.safetensors", "x.toml", ".x", "a\0", "\ud800"])
def test_a_setting_that_names_a_preset_is_no_path(name: str) -> None:
    with pytest.raises(MusicaeError, match=r"^\[evaluation\] lm must be a name, not a path: "):
        registry.resolve("evaluations", "sequence", {"lm": name})
    assert registry.resolve("evaluations", "sequence", {"lm": "melody-lm"})["lm"] == "melody-lm"
