"""The house: every module has a test file of its own, and no file is too long to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MAX_LINES = 400
LONGER = {"testing.py": 450}  # What checks the contract: one page, docstrings included.


def modules(repository: Path) -> list[Path]:
    root = repository / "musicae"
    return [path.relative_to(root) for path in sorted(root.rglob("*.py")) if not path.name.startswith("__")]


def test_every_module_has_a_test_file_of_its_own(repository: Path) -> None:
    missing = [
        str(path)
        for path in modules(repository)
        if not (repository / "tests" / path.parent / f"test_{path.name.removeprefix('_')}").is_file()
    ]
    assert missing == []


def test_no_module_is_too_long(repository: Path) -> None:
    root = repository / "musicae"
    lines = {path.as_posix(): len((root / path).read_text().splitlines()) for path in modules(repository)}
    assert {name: n for name, n in lines.items() if n > LONGER.get(name, MAX_LINES)} == {}


def test_no_part_is_probed(repository: Path) -> None:
    """Names are looked up in the registry and by PEP 562; else only objects of other packages are asked for more."""
    allowed = {"__init__.py": 1, "registry.py": 1, "formats/pictures/numbers.py": 2, "formats/pictures/files.py": 1,
               "formats/sound/kind.py": 1, "datasets/shared/fetch.py": 1}  # fmt: skip
    found = {}
    for path in [*modules(repository), Path("__init__.py")]:
        text = (repository / "musicae" / path).read_text()
        if count := text.count("hasattr(") + text.count(" getattr(") + text.count("(getattr("):
            found[path.as_posix()] = count
    assert found == allowed


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "musicae", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("musicae ")
