"""The command train."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from musicae.cli import train as training
from musicae.training.profile import Operation, Profile


class Train:
    """Stands for `musicae.train` and remembers how it was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, recipe: Any, out: Path, folders: Any, **settings: Any) -> Path:
        self.calls.append((recipe, out, folders, settings))
        settings["report"]({"step": 1, "steps": 2, "lr": 0.1, "examples_per_second": 1234.4, "loss": 2.5})
        settings["report"]({"step": 1, "validation_nll": 3.25})
        (out / "model.safetensors").write_bytes(b"weights")
        return out / "model.safetensors"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Train:
    made = Train()
    monkeypatch.setattr("musicae.train", made)
    return made


def test_train_prints_the_path_and_reports_on_stderr(shell: Any, recipe: str, fake: Train) -> None:
    result = shell("train", recipe)
    assert result.exit_code == 0
    assert result.stdout == str(Path("runs/tiny/model.safetensors")) + "\n"
    assert result.stderr.splitlines() == [
        "step 1/2  1234 examples/s  lr 0.1  loss 2.5",
        "step 1  validation_nll 3.25",
    ]
    _, out, folders, settings = fake.calls[0]
    assert (out, folders, settings["resume"], settings["cpu"]) == (Path("runs/tiny"), {}, False, False)
    assert settings["processes"] is None


def test_ctrl_c_ends_a_training_after_its_step_and_says_how_to_go_on(
    shell: Any, recipe: str, fake: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(recipe: Any, out: Path, folders: Any, **settings: Any) -> Path:
        assert not settings["stop"]()
        signal.raise_signal(signal.SIGINT)
        assert settings["stop"]()
        (out / "state.safetensors").write_bytes(b"state")
        raise KeyboardInterrupt

    monkeypatch.setattr("musicae.train", train)
    before = signal.getsignal(signal.SIGINT)
    result = shell("train", recipe, "-o", "mine")
    assert result.exit_code == 130
    assert result.stderr.splitlines() == [
        "stopping after this step; Ctrl-C again stops at once",
        "stopped; the same command with -o mine --resume goes on",
        "",
    ]
    assert signal.getsignal(signal.SIGINT) is before


def test_train_hands_on_its_options(shell: Any, recipe: str, fake: Train) -> None:
    (shell.folder / "songs").mkdir()
    shell.ok(
        "train", recipe, "--data", "midi-files=songs", "--data", "songs", "--set", "model.latent=6", "--set",
        "training.lr=0.5", "--steps", "3", "--resume", "--cpu", "--processes", "2", "-o", "there",
    )  # fmt: skip
    chosen, out, folders, settings = fake.calls[0]
    assert chosen.sections["model"]["latent"] == 6
    assert chosen.sections["training"] == {"batch": 4, "log_every": 1, "lr": 0.5, "steps": 3}
    assert out == Path("there")
    assert folders == {"midi-files": Path("songs"), "": Path("songs")}
    assert settings["resume"]
    assert settings["cpu"]
    assert settings["processes"] == 2


@pytest.mark.parametrize(
    ("words", "environ", "resume"),
    [
        ([], {}, False),
        (["--auto-resume"], {}, None),
        (["--resume", "--auto-resume"], {}, True),
        ([], {"TORCHELASTIC_RESTART_COUNT": "0", "SLURM_RESTART_COUNT": ""}, False),
        ([], {"TORCHELASTIC_RESTART_COUNT": "1"}, None),
        ([], {"SLURM_RESTART_COUNT": "2"}, None),
        (["--resume"], {"TORCHELASTIC_RESTART_COUNT": "1"}, True),
    ],
)
def test_what_is_started_again_goes_on(
    shell: Any,
    recipe: str,
    fake: Train,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    environ: dict[str, str],
    resume: bool | None,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    shell.ok("train", recipe, *words)
    assert fake.calls[0][3]["resume"] is resume


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (["--steps", "20"], (20, 5)),
        (["--steps", "1"], (1, 1)),
        (["--steps", "0"], (0, 50)),
        (["--set", "training.prior_steps=7", "--steps", "20"], (20, 7)),
        (["--set", "training.steps=20"], (20, 50)),
    ],
)
def test_a_priors_steps_go_with_the_models(
    shell: Any, recipe: str, fake: Train, words: list[str], steps: tuple[int, int]
) -> None:
    with (shell.folder / recipe).open("a") as file:
        file.write("steps = 200\nprior_steps = 50\n")
    shell.ok("train", recipe, *words)
    training = fake.calls[0][0].sections["training"]
    assert (training["steps"], training["prior_steps"]) == steps


@pytest.mark.parametrize(
    ("words", "rate"),
    [([], 0.02), (["--set", "training.lr=0.3"], 0.3), (["--set", "training.kl_warmup=9"], 0.02)],
)
def test_fine_tuning_is_slower(shell: Any, recipe: str, fake: Train, words: list[str], rate: float) -> None:
    with (shell.folder / recipe).open("a") as file:
        file.write("lr = 0.2\nkl_warmup = 50\n")
    shell.ok("train", recipe, "--from", "other", *words)
    chosen, _, _, settings = fake.calls[0]
    assert settings["start"] == "other"
    assert chosen.sections["training"]["lr"] == pytest.approx(rate)
    assert chosen.sections["training"]["kl_warmup"] == (9 if "training.kl_warmup=9" in words else 0)


def test_only_the_first_of_several_processes_prints(
    shell: Any, recipe: str, fake: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    assert shell.ok("train", recipe) == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "no preset named 'nothing'"),
        (["no.toml"], "no preset file no.toml; check the path"),
        (["tiny.toml", "--data", "nowhere"], "--data nowhere: there is no folder nowhere; check the name"),
        (["tiny.toml", "--data", "songs=nowhere"], "--data songs=nowhere: there is no folder nowhere"),
        (["tiny.toml", "--set", "latent=3"], "--set takes section.key=value"),
        (["tiny.toml", "--set", "modle.latent=3"], "--set modle.latent=3: no section [modle]; did you mean 'model'?"),
        (["tiny.toml", "--set", "model.latnet=3"], "[model] 'patch-vae' has no setting 'latnet'"),
        (["tiny.toml", "-o", "twinkle.mid/runs"], "cannot write in"),
        (["tiny.toml", "--resume"], "nothing to resume in"),
        (["tiny.toml", "--from", "nothing"], "no preset named 'nothing'"),
        (["tiny.toml", "--from", "mnist-ae", "--resume"], "--from starts a training and --resume goes on with one"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_train_refuses_and_leaves_no_folder(shell: Any, recipe: str, words: list[str], said: str) -> None:
    assert said in shell.fails("train", *words)


def test_a_terminal_sees_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    with training._progress() as report:
        report({"step": 1, "steps": 2, "examples_per_second": 50.0, "loss": 2.5})
        report({"step": 1, "validation_nll": 3.25})
        report({"step": 2, "steps": 2, "examples_per_second": 60.0, "loss": 1.5})
    said = capsys.readouterr()
    assert said.out == ""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.err)
    for word in ("2/2", "60 examples/s", "loss 1.5", "validation_nll 3.25"):
        assert word in plain


def test_a_profile_is_printed_and_nothing_written(shell: Any, recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operations = (Operation("mm", 0.03, 12.0, 0.6), Operation("addmm", 0.02, 6.0, 0.4))
    measured = Profile(batch=256, seconds=0.1, flops=20 * 10**9, limit=5e11, operations=operations)
    monkeypatch.setattr("musicae.training.profile.profile", lambda *args, **settings: measured)
    before = shell.files()
    lines = shell.ok("train", recipe, "--profile").splitlines()
    assert lines[0] == "2560 examples/s: 100 ms a step of 256"
    assert lines[1] == "200 GFLOP/s, 40% of the 500 GFLOP/s that its fastest matrix product reaches alone"
    assert [line.split() for line in lines[-2:]] == [["mm", "30.00", "60%", "12"], ["addmm", "20.00", "40%", "6"]]
    facts = json.loads(shell.ok("train", recipe, "--profile", "--json"))
    assert (facts["examples_per_second"], facts["operations"][1]["name"]) == (2560, "addmm")
    assert shell.files() == before
