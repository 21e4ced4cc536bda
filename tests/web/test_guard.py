"""Who is let in."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from asking import TOKEN, Client
from starlette.requests import Request

from musicae.web import guard
from musicae.web.guard import Guard, Refused, new_token, read_body


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 22


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "/api/start", f"/{TOKEN}x/", f"//{TOKEN}/", f"/{TOKEN[:-1]}/api/start", "/%ff/"]
)
def test_without_the_token_there_is_nothing(client: Client, path: str) -> None:
    answer = client.ask("GET", path)
    assert answer.status == 404
    assert answer.error == "there is nothing here; use the whole address that musicae play printed"


def test_the_token_alone_leads_to_the_page(client: Client) -> None:
    answer = client.ask("GET", f"/{TOKEN}")
    assert answer.status == 307
    assert answer.headers["location"] == f"/{TOKEN}/"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "[::1]:{port}"]
)
def test_another_host_is_refused(client: Client, host: str) -> None:
    answer = client.ask("GET", f"/{TOKEN}/api/health", headers={"Host": host.format(port=client.port)})
    assert answer.status in (400, 403)
    if answer.status == 403:
        assert "this machine only" in answer.error


def test_localhost_is_this_machine(client: Client) -> None:
    assert client.ask("GET", f"/{TOKEN}/api/health", headers={"Host": f"localhost:{client.port}"}).json == {"ok": True}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_page_is_refused(client: Client, origin: str) -> None:
    answer = client.ask("POST", f"/{TOKEN}/api/point", b"{}", {"Origin": origin})
    assert answer.status == 403
    assert "another page" in answer.error
    own = {"Origin": f"http://127.0.0.1:{client.port}"}
    assert client.ask("POST", f"/{TOKEN}/api/point", b"{}", own).status == 400


def test_wrong_methods_are_refused(client: Client) -> None:
    assert client.ask("GET", f"/{TOKEN}/api/point").error == "there is nothing here"
    assert client.ask("DELETE", f"/{TOKEN}/").status == 404
    assert client.ask("OPTIONS", f"/{TOKEN}/api/point").status == 404


def test_a_websocket_is_closed() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def nothing() -> Any:
        raise AssertionError

    asyncio.run(Guard(nothing, TOKEN, [])({"type": "websocket"}, nothing, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def body(parts: list[bytes], length: str | None = None, wait: float = 0) -> Any:
    queue = [{"type": "http.request", "body": part, "more_body": i + 1 < len(parts)} for i, part in enumerate(parts)]

    async def receive() -> Any:
        await asyncio.sleep(wait)
        return queue.pop(0)

    headers = [] if length is None else [(b"content-length", length.encode())]
    return read_body(Request({"type": "http", "method": "POST", "headers": headers}, receive), 2**20)


def test_a_body_is_read_up_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asyncio.run(body([b"ab", b"c"])) == b"abc"
    for refused in (body([b""], str(2**20 + 1)), body([b""], "-1"), body([b"x" * 2**19] * 3), body([b""], "1" * 99)):
        with pytest.raises(Refused, match="at most 1 MB") as error:
            asyncio.run(refused)
        assert error.value.status == 413
    monkeypatch.setattr(guard, "_SECONDS", 0.05)
    began = time.monotonic()
    with pytest.raises(Refused, match="too slowly"):
        asyncio.run(body([b"a"] * 100, wait=0.02))
    assert time.monotonic() - began < 2
