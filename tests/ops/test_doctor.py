"""What doctor finds."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from musicae import preset
from musicae.ops import doctor


def declared(repository: Path) -> list[str]:
    """Return the requirements of the extras as the metadata of the package has them."""
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    lines = []
    for extra, requirements in project["optional-dependencies"].items():
        for requirement in requirements:
            package, _, marker = requirement.partition(";")
            lines.append(f"{package}; {marker.strip() + ' and ' if marker else ''}extra == '{extra}'")
    return lines


def test_every_extra_says_what_it_adds(repository: Path) -> None:
    found = doctor.extras(declared(repository))
    assert {"av", "folk", "hub", "peers"} <= found.keys()
    assert "dev" not in found
    assert [name for name, extra in found.items() if not extra["adds"]] == []


def test_an_extra_is_there_if_all_its_packages_are() -> None:
    lines = ["numpy>=1.26", "numpy>=1; extra == 'one'", "no-such-thing[x]>=2,<3; extra == 'two'",
             "scipy ; extra == 'two'", "no-such-thing; python_version < '3.5' and extra == 'one'"]  # fmt: skip
    found = doctor.extras(lines)
    assert found["one"]["installed"] is True
    assert found["two"]["installed"] is False
    assert found["two"]["packages"]["no-such-thing"] is None
    assert found["two"]["packages"]["scipy"]


def test_the_sections_hold_what_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    (cache / "hub" / "me" / "tunes" / "revisions").mkdir(parents=True)
    (cache / "file").write_bytes(bytes(1000))
    (tmp_path / "data" / "pop909").mkdir(parents=True)
    monkeypatch.setenv("MUSICAE_CACHE", str(cache))
    monkeypatch.setenv("MUSICAE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MUSICAE_MEMORY", "3G")
    found = doctor.examine()
    assert found.keys() == doctor.SECTIONS.keys()
    assert [name for name, facts in found.items() if "error" in facts] == []
    assert found["cache"] | {"folder": str(cache), "bytes": 1000, "files": 1, "complete": True} == found["cache"]
    assert found["data"]["sets"] == ["pop909"]
    assert found["memory"]["limit"] == 3 * 10**9
    assert found["presets"]["hub"] == ["hf:me/tunes"]
    assert set(found["presets"]["from"]["musicae"]) <= set(preset.listed())
    assert found["presets"]["untrained"] == ["sound-low"]
    assert found["threads"]["cores"] >= 1
    assert found["versions"]["packages"]["torch"]


def test_what_is_broken_is_told_and_the_rest_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ImportError("libsomething.so:\nno such file")

    monkeypatch.setattr(preset, "listed", broken)
    monkeypatch.setenv("MUSICAE_SYNTH", "trumpet")
    monkeypatch.setenv("MUSICAE_MEMORY", "much")
    found = doctor.examine()
    assert found["presets"] == {"error": "ImportError: libsomething.so: no such file"}
    assert "no synthesiser named 'trumpet'" in found["sound"]["error"]
    assert "MUSICAE_MEMORY must be a size" in found["memory"]["error"]
    assert "error" not in found["versions"]


def test_a_large_cache_is_counted_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(5):
        (tmp_path / str(i)).write_bytes(b"abc")
    monkeypatch.setattr(doctor, "_MAX_FILES", 3)
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path))
    facts = doctor.SECTIONS["cache"]()
    assert (facts["bytes"], facts["files"], facts["complete"]) == (9, 3, False)


def test_a_folder_that_is_not_there_has_nothing_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path / "a" / "b"))
    assert doctor.SECTIONS["cache"]()["bytes"] == 0
