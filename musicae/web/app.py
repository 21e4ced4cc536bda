"""The requests of the page, and who answers them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from msgspec import json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from musicae.errors import MusicaeError
from musicae.formats.music.instruments import instrument_name
from musicae.web import answers
from musicae.web.asked import MAX_BODY, MAX_CORNERS, Point, parsed
from musicae.web.catalog import kind_of
from musicae.web.guard import Guard, Refused, failed, read_body
from musicae.web.studio import Studio
from musicae.web.workers import Workers

__all__ = ["PAGE", "Server", "Start"]

PAGE = Path(__file__).with_name("page")
"""The folder of the page's files."""

T = TypeVar("T")

_UPLOAD = 32 * 2**20
_PROGRAMS = 128
_GONE = 499  # The status of an answer that nobody waits for.


@dataclass(frozen=True)
class Start:
    """What the page begins with: a preset, and the ids and names of its corners."""

    preset: str
    corners: list[dict[str, str]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class Server:
    """Answers the page. `app` is the whole of it as ASGI, behind a `Guard`."""

    def __init__(self, studio: Studio, start: Start, token: str, hosts: Iterable[str], workers: int = 2) -> None:
        self.studio, self.start = studio, start
        self.quick, self.slow = Workers(workers, name="quick"), Workers(1, name="slow")
        routes = [
            Route("/", self._index),
            Route("/page/{name}", self._page),
            Route("/api/health", self._health),
            Route("/api/start", self._start),
            Route("/api/files", self._files, methods=["POST"]),
            Route("/api/point", self._point, methods=["POST"]),
        ]
        app = Starlette(routes=routes, exception_handlers={404: _missing, 405: _missing, Exception: _broken})
        self.app = Guard(app, token, hosts)

    # --- the page ---------------------------------------------------------------------------------------------------

    async def _index(self, request: Request) -> Response:
        return await self._file("index.html")

    async def _page(self, request: Request) -> Response:
        return await self._file(request.path_params["name"])

    async def _file(self, name: str) -> Response:
        if name not in {path.name for path in PAGE.iterdir() if path.is_file()}:
            return failed(404, "the page has no such file")
        return FileResponse(PAGE / name)

    async def _health(self, request: Request) -> Response:
        return _json({"ok": True})

    # --- what it asks for -------------------------------------------------------------------------------------------

    async def _start(self, request: Request) -> Response:
        def work() -> dict[str, Any]:
            return {
                "version": version("musicae"),
                "presets": self.studio.catalog.facts(),
                "instruments": [instrument_name(i) for i in range(_PROGRAMS)],
                "start": {"preset": self.start.preset, "corners": self.start.corners, "notices": self.start.notices},
                "limits": {"upload_bytes": _UPLOAD, "corners": MAX_CORNERS},
            }

        return await self._answered(request, self.slow, lambda: _json(work()))

    async def _files(self, request: Request) -> Response:
        async def answer() -> Response:
            data = await read_body(request, _UPLOAD)
            name, preset = request.query_params.get("name", "file"), request.query_params.get("preset", "")

            def work() -> Response:
                key, called, chosen, notices = self.studio.add(data, name, preset)
                kind = kind_of(self.studio.catalog.codec(chosen))
                return _json({"id": key, "name": called, "preset": chosen, "kind": kind, "notices": notices})

            return await self._answered(request, self.slow, work)

        return await self._checked(answer)

    async def _point(self, request: Request) -> Response:
        async def answer() -> Response:
            ask = parsed(await read_body(request, MAX_BODY), Point)

            def work() -> Response:
                began = time.perf_counter()
                found = answers.point(self.studio.find(ask))
                return _json({**found, "ms": round(1000 * (time.perf_counter() - began), 2)})

            return await self._answered(request, self.quick, work)

        return await self._checked(answer)

    async def _answered(self, request: Request, workers: Workers, work: Callable[[], Response]) -> Response:
        """Let a thread do the work; whoever has left meanwhile, as a page that is moved on, is not worked for."""
        future = asyncio.ensure_future(workers.do(work))
        left = asyncio.ensure_future(_left(request))
        try:
            await asyncio.wait({future, left}, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                return Response(status_code=_GONE)
            return future.result()
        finally:
            future.cancel()
            left.cancel()

    async def _checked(self, answer: Callable[[], Awaitable[Response]]) -> Response:
        """Return the answer, or the one line that says why there is none."""
        try:
            return await answer()
        except Refused as error:
            return failed(error.status, str(error))
        except MusicaeError as error:
            return failed(400, self.studio.store.without_folder(str(error)))


async def _left(request: Request) -> None:
    """Wait until the one who asked has left."""
    while not await request.is_disconnected():
        await asyncio.sleep(0.02)


def _json(value: Any) -> Response:
    return Response(json.encode(value), media_type="application/json")


async def _missing(request: Request, error: Exception) -> Response:
    return failed(404, "there is nothing here")


async def _broken(request: Request, error: Exception) -> Response:
    return failed(500, f"the server failed ({type(error).__name__}); please report it")
