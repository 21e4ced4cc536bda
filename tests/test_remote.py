"""Presets at the hub: fetched once, checked before they are kept, and there without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub_server import TOKEN, Hub

from musicae import remote
from musicae.errors import MusicaeError

TOML = b'description = "from afar"\n[adapter]\nname = "melody"\n[model]\nname = "patch-vae"\n'
FILES = {"preset.toml": TOML, "model.safetensors": b"weights", "README.md": b"# hello", "setup.py": b"raise SystemExit"}


def away(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next question be a new process's, and the hub be away."""
    remote.forget()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")


def test_what_is_fetched_are_the_files_of_a_preset_only(hub: Hub) -> None:
    hub.add("me/tunes", FILES)
    path = remote.fetch("hf:me/tunes")
    assert path.read_bytes() == TOML
    assert sorted(one.name for one in path.parent.iterdir()) == ["tunes.safetensors", "tunes.toml"]
    assert not any("setup.py" in line or "README" in line for line in hub.asked)
    assert sorted(one.name for one in path.parent.parent.iterdir()) == [path.parent.name, "revisions"]


def test_the_second_time_needs_no_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("me/tunes", FILES)
    path = remote.fetch("hf:me/tunes")
    asked = len(hub.asked)
    assert remote.fetch("hf:me/tunes") == path
    assert len(hub.asked) == asked
    away(hub, monkeypatch)
    assert remote.fetch("hf:me/tunes") == path
    with pytest.raises(MusicaeError, match=r"^cannot reach the hub at http://127.0.0.1:9 for hf:me/other \(.*\); try"):
        remote.fetch("hf:me/other")


def test_offline_by_the_hubs_own_variable(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("me/tunes", FILES)
    path = remote.fetch("hf:me/tunes")
    remote.forget()
    hub.asked.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert remote.fetch("hf:me/tunes") == path
    with pytest.raises(MusicaeError, match=r"^hf:me/other is not in the cache, and HF_HUB_OFFLINE is set; unset it"):
        remote.fetch("hf:me/other")
    assert hub.asked == []


def test_a_new_commit_is_taken_and_a_pinned_one_stays(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    first = hub.add("me/tunes", FILES)
    hub.repos["me/tunes"].revisions["v1.0"] = first
    old = remote.fetch("hf:me/tunes")
    second = hub.add("me/tunes", {**FILES, "model.safetensors": b"better"})
    remote.forget()
    new = remote.fetch("hf:me/tunes")
    assert (old.parent.name, new.parent.name) == (first, second)
    assert new.with_suffix(".safetensors").read_bytes() == b"better"
    assert remote.fetch("hf:me/tunes@v1.0") == old
    hub.asked.clear()
    assert remote.fetch(f"hf:me/tunes@{first}") == old
    assert hub.asked == []  # A commit never changes.
    away(hub, monkeypatch)
    assert remote.fetch("hf:me/tunes@v1.0") == old
    assert remote.fetch("hf:me/tunes") == new


def test_what_is_in_the_cache_is_told_without_asking(hub: Hub) -> None:
    commit = hub.add("me/tunes", FILES)
    assert remote.cached("hf:me/tunes") is None
    path = remote.fetch("hf:me/tunes")
    hub.asked.clear()
    assert remote.cached("hf:me/tunes") == remote.cached(f"hf:me/tunes@{commit}") == path
    assert remote.cached("hf:me/tunes@v2") is None
    assert hub.asked == []


@pytest.mark.parametrize("name", ["model.safetensors", "preset.toml"])
def test_a_file_that_does_not_match_its_checksum_is_not_kept(hub: Hub, name: str) -> None:
    hub.add("me/tunes", FILES)
    hub.tampered.add(name)
    with pytest.raises(MusicaeError, match=f"^{name} of hf:me/tunes does not match its checksum and was deleted"):
        remote.fetch("hf:me/tunes")
    assert remote.cached("hf:me/tunes") is None
    assert list(remote.repository("hf:me/tunes").folder.iterdir()) == []
    hub.tampered.clear()
    assert remote.fetch("hf:me/tunes").is_file()


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("model.safetensors", 3 * 10**9, "hf:me/tunes, whose weights have 3 GB, takes 6 GB of memory, the limit is"),
        ("preset.toml", 3 * 10**6, "hf:me/tunes: preset.toml has 3 MB; a preset is a short text"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_fetched(hub: Hub, name: str, size: int, message: str) -> None:
    hub.add("me/tunes", FILES)
    hub.claimed[name] = size
    with pytest.raises(MusicaeError, match=message):
        remote.fetch("hf:me/tunes")
    assert not any("/resolve/" in line for line in hub.asked)


def test_a_repository_without_a_preset(hub: Hub) -> None:
    hub.add("me/other", {"config.json": b"{}", "model.bin": b"pickle"})
    hub.add("me/empty", {})
    with pytest.raises(MusicaeError, match=r"^hf:me/other has no preset.toml, .* \(it has config.json, model.bin\)"):
        remote.fetch("hf:me/other")
    with pytest.raises(MusicaeError, match=r"it is empty"):
        remote.fetch("hf:me/empty")


def test_what_is_not_there_or_not_for_everybody(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("me/secret", FILES)
    hub.repos["me/secret"].private = True
    for name in ("me/secret", "me/none"):
        with pytest.raises(MusicaeError, match=f"^there is no hf:{name} at the hub, or it is private; .*hf auth login"):
            remote.fetch(f"hf:{name}")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert remote.fetch("hf:me/secret").is_file()
    with pytest.raises(MusicaeError, match=r"^hf:me/secret has no revision 'v9'; check what follows the @"):
        remote.fetch("hf:me/secret@v9")


@pytest.mark.parametrize(("status", "message"), [(403, "refuses access"), (418, "not answer"), (503, "cannot reach")])
def test_a_hub_that_is_out_of_order(hub: Hub, status: int, message: str) -> None:
    hub.add("me/tunes", FILES)
    hub.status = status
    with pytest.raises(MusicaeError, match=rf"^[^\n]*{message}[^\n]*$"):
        remote.fetch("hf:me/tunes")


@pytest.mark.parametrize(
    "name", ["hf:", "hf:me", "hf:me/", "hf:../..", "hf:me/a/b", "hf:me/a b", "hf:me/tunes@", "hf:me/x@a b", "hf:/me/x",
             "hf:me/x.toml", "hf:me/x@\0", "hf:" + "m" * 300 + "/x", "hf:me/x@" + "r" * 300]
)  # fmt: skip
def test_other_forms_are_no_name(name: str) -> None:
    with pytest.raises(MusicaeError, match="is no preset at the hub; write hf:user/name or hf:user/name@revision"):
        remote.fetch(name)


def test_a_revision_with_a_slash_is_one_of_a_name(hub: Hub) -> None:
    hub.add("me/tunes", FILES, "refs/pr/1")
    hub.repos["me/tunes"].revisions["main"] = hub.repos["me/tunes"].revisions["refs/pr/1"]
    assert remote.fetch("hf:me/tunes@refs/pr/1").is_file()


def test_a_cache_that_cannot_be_written(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("me/tunes", FILES)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MUSICAE_CACHE", str(tmp_path / "file"))
    with pytest.raises(MusicaeError, match=r"^hf:me/tunes cannot be kept in .*: Not a directory"):
        remote.fetch("hf:me/tunes")


def test_without_its_package_it_says_what_to_install(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(MusicaeError, match=r"pip install 'musicae\[hub\]'"):
        remote.fetch("hf:me/tunes")
