"""How long the page of `musicae play` waits for an answer while the point is moved, for every preset with a code.

A server runs in a process of its own, as for a user. For each preset the point goes along a curve through the pad of
four draws, 60 places; the first one, which makes the pad, is told apart. With ``--people N`` as many move at once, each
on a pad of their own. With ``--shift`` the first attribute of each preset is shifted as well. ``cpu`` is the server's
processor time for an answer, which other programs on the machine lengthen least (Linux).

    python tests/bench/play.py [--people N] [--shift] [PRESET ...]
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PLACES = 60


class Page:
    """One page, which keeps its connection."""

    def __init__(self, address: str) -> None:
        self.parts = urlsplit(address)
        self.connection = http.client.HTTPConnection(self.parts.netloc, timeout=120)
        self.connection.connect()
        # As browsers have it: or else a body waits 40 ms for the answer to its head.
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, path: str, body: Any = None) -> tuple[Any, float]:
        began = time.perf_counter()
        data = None if body is None else json.dumps(body)
        self.connection.request("POST" if data else "GET", self.parts.path + path, data)
        answer = self.connection.getresponse()
        content = answer.read()
        took = 1000 * (time.perf_counter() - began)
        if answer.status != 200:
            raise SystemExit(f"{path}: {content.decode()}")
        return json.loads(content), took


def drag(address: str, preset: dict[str, Any], person: int, shift: bool) -> list[float]:
    """Return how long each answer took, in milliseconds."""
    page, took = Page(address), []
    body: dict[str, Any] = {"preset": preset["name"], "corners": [f"draw:{4 * person + i}" for i in range(1, 5)]}
    if shift:
        body["shift"] = {preset["attributes"][0]["name"]: 1.0}
    for i in range(PLACES):
        t = 2 * math.pi * i / PLACES
        body |= {"x": 0.5 + 0.45 * math.sin(t), "y": 0.5 + 0.45 * math.sin(2 * t + 0.3)}
        took.append(page.ask("api/point", body)[1])
    return took


def processor(pid: int) -> float:
    """Return the milliseconds of processor time that a process has had (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def share(values: list[float], of: float) -> float:
    return sorted(values)[min(len(values) - 1, math.ceil(of * len(values)) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*")
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--shift", action="store_true")
    options = parser.parse_args()
    command = [sys.executable, "-m", "musicae", "play", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            every = [one for one in Page(address).ask("api/start")[0]["presets"] if one["draws"]]
            if options.shift:
                every = [one for one in every if one["attributes"]]
            columns = "".join(f"{name:>8}" for name in ("first", "median", "95 %", "most", "cpu"))
            print(f"{'preset':16}{columns}   ms, {options.people} at once")  # noqa: T201
            for preset in every:
                if options.presets and preset["name"] not in options.presets:
                    continue
                work = partial(drag, address, preset, shift=options.shift)
                with ThreadPoolExecutor(options.people) as people:
                    before = processor(server.pid)
                    found = list(people.map(work, range(options.people)))
                    spent = (processor(server.pid) - before) / (options.people * PLACES)
                first, rest = max(one[0] for one in found), [ms for one in found for ms in one[1:]]
                figures = (first, share(rest, 0.5), share(rest, 0.95), max(rest), spent)
                print(f"{preset['name']:16}" + "".join(f"{ms:8.0f}" for ms in figures), flush=True)  # noqa: T201
        finally:
            server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
