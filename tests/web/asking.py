"""Who asks a server of the page, in tests."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from musicae.web.studio import Studio

__all__ = ["TOKEN", "Answer", "Client"]

TOKEN = "the-token"


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The one line of an answer that is an error."""
        assert self.status >= 400, self.body[:200]
        (line,) = self.json.values()
        assert "\n" not in line
        assert "Traceback" not in line
        return str(line)


class Client:
    """Asks a server at a port, as a page does."""

    def __init__(self, port: int, studio: Studio) -> None:
        self.port, self.studio = port, studio

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()})
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.ask("GET", f"/{TOKEN}/{path}")

    def post(self, path: str, body: Any = None, data: bytes = b"") -> Answer:
        return self.ask("POST", f"/{TOKEN}/{path}", data if body is None else json.dumps(body).encode())

    def give(self, path: Path, **query: str) -> Answer:
        words = "&".join(f"{key}={value}" for key, value in query.items())
        return self.post(f"api/files?name={path.name}&{words}", data=path.read_bytes())

    def id_of(self, path: Path, preset: str) -> str:
        return str(self.give(path, preset=preset).json["id"])
