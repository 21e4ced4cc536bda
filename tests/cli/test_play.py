"""musicae play, as it is started and ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def play(tmp_path: Path, tiny_melody: Path) -> Iterator[Any]:
    """Start the command in a folder of its own, and end whatever is left of it."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "musicae", "play", "--no-browser", "--preset", str(tiny_melody), *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ask(address: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address + path, data=data), timeout=30) as answer:
        return json.loads(answer.read())


def test_it_serves_until_ctrl_c_and_leaves_nothing(play: Any, tmp_path: Path, repository: Path) -> None:
    process, address = play(str(repository / "data" / "twinkle.mid"), "--port", "0")
    assert address.startswith("http://127.0.0.1:")
    assert len(address.split("/")[3]) >= 22
    assert ask(address, "api/health") == {"ok": True}
    body = {"preset": "tiny-melody", "corners": ["draw:1", "draw:2"]}
    assert ask(address, "api/point", body)["kind"] == "notes"
    assert [path.name for path in tmp_path.iterdir()] != []
    host, port = address.split("/")[2].split(":")
    with socket.create_connection((host, int(port))):  # A page that is left open.
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert out == ""
    assert err == "twinkle.mid: the first 4 of 8 bars loop; --bars chooses others\n"
    assert [path.name for path in tmp_path.iterdir()] == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=1)


def test_a_port_that_is_taken_is_said_and_the_next_one_used(play: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process, address = play("--port", str(port))
        used = int(address.split("/")[2].split(":")[1])
        assert used > port
        assert ask(address, "api/health") == {"ok": True}
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
    assert err == f"port {port} is taken; using {used}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.mid"], "there is no file nothing.mid; check the name"),
        (["a.mid"] * 5, "play takes up to 4 files, not 5; drop the others on the page"),
        (["notes.txt"], "notes.txt is of no kind that can be read"),
        (["--preset", "nothing"], "no preset named 'nothing'"),
        (["--preset", "melody-lm"], "there is nothing to play with in 'melody-lm'"),
        (["a.mid", "--bars", "90-99"], "a.mid"),
        (["a.mid", "--preset", "melody-2bar", "--only", "drums"], "--preset and --only"),
    ],
)
def test_bad_input_is_one_line(shell: Any, repository: Path, words: list[str], message: str) -> None:
    (shell.folder / "a.mid").write_bytes((repository / "data" / "twinkle.mid").read_bytes())
    (shell.folder / "notes.txt").write_text("to do")
    assert message in shell.fails("play", "--no-browser", "--port", "0", *words)


def test_without_a_browser_the_address_is_to_be_opened(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import uvicorn

    def stop(self: uvicorn.Server, sockets: Any) -> None:
        raise KeyboardInterrupt

    opened: list[str] = []
    monkeypatch.setattr(uvicorn.Server, "run", stop)
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address))
    result = shell("play", "--port", "0")
    assert result.exit_code == 0
    assert opened == [result.stdout.strip()]
    assert result.stderr == "no browser could be opened; open the address above in one\n"


def test_help_and_other_commands_load_no_server() -> None:
    code = "import sys, musicae.cli.play; print(*({'starlette', 'uvicorn', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "\n"
