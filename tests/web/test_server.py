"""Ports."""

from __future__ import annotations

import logging
import socket

import pytest
import uvicorn

from musicae.errors import MusicaeError
from musicae.web import server
from musicae.web.server import HOST, listening, play


def test_a_port_that_is_taken_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with listening(port) as opened:
            assert opened.getsockname()[0] == "127.0.0.1"
            assert port < opened.getsockname()[1] <= port + 50


def test_where_no_port_is_free_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_TRIES", 0)
    with listening(0) as taken, pytest.raises(MusicaeError, match="none of the ports"):
        listening(taken.getsockname()[1])


def test_answers_on_their_way_at_ctrl_c_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def run(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        logger = logging.getLogger("uvicorn.error")
        logger.error("Cancel %s running task(s), timeout graceful shutdown exceeded", 2)
        logger.error("Exception in ASGI application")

    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: seen.append(record.getMessage()))
    logging.getLogger("uvicorn.error").addHandler(handler)
    monkeypatch.setattr(uvicorn.Server, "run", run)
    play([], None, {}, 0, False, seen.append, seen.append)
    logging.getLogger("uvicorn.error").removeHandler(handler)
    assert seen[0].startswith(f"http://{HOST}:")
    assert seen[1:] == ["Exception in ASGI application"]
