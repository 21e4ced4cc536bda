"""How long commands take from start to end, beside importing torch."""

from __future__ import annotations

from contest import REPOSITORY, Contender, contest
from report import Setting, Table, Value

BASE = "import torch"
COMMANDS = {
    "python -c pass": ("-c", "pass"),
    BASE: ("-c", "import torch"),
    "musicae --help": ("-m", "musicae", "--help"),
    "musicae interpolate a.mid b.mid": (
        *("-m", "musicae", "interpolate", "data/twinkle.mid", "data/ode-to-joy.mid", "-f", "-o", "{out}/a.mid"),
    ),
    "musicae denoise scene.png": ("-m", "musicae", "denoise", "data/noisy-scene.png", "-f", "-o", "{out}/a.png"),
}
COLUMNS = {"": "", "s": ".2f", "CPU s": ".2f", "peak memory, MB": ".0f", "times import torch": ".2f", "remark": ""}
NOTE = "By turns, on one thread; the quickest of several runs, with all files in the disk's cache."


def measure(setting: Setting) -> list[Table]:
    """Run each command some times."""
    contenders = []
    for name, words in COMMANDS.items():
        filled = [str(REPOSITORY / word) if word.startswith("data/") else word for word in words]
        arguments = {"words": [word.format(out=setting.folder) for word in filled]}
        contenders.append(Contender(name, "commands:command", arguments))
    results = contest(contenders, 2 if setting.quick else 5)
    base = next(result.wall for result in results if result.name == BASE)
    rows: list[list[Value]] = []
    for result in results:
        if result.reason:
            rows.append([result.name, None, None, None, None, result.reason])
            continue
        times = result.wall / base if base else None
        rows.append([result.name, result.wall, result.cpu, result.best("memory") / 1e6, times, ""])
    return [Table("From start to end", COLUMNS, rows, NOTE)]
