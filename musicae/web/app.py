"""The requests of the page, and who answers them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec import json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from musicae.errors import MusicaeError, elsewhere
from musicae.formats.music.instruments import instrument_name
from musicae.ops.plane import has_plane
from musicae.web import answers
from musicae.web.asked import MAX_BODY, MAX_CORNERS, Point, parsed
from musicae.web.catalog import kind_of
from musicae.web.guard import Refused, failed, read_body
from musicae.web.opening import Start
from musicae.web.progress import Progress
from musicae.web.restoring import Restorations
from musicae.web.saving import SavedFile, save_point, save_walk
from musicae.web.sounds import Sounds
from musicae.web.store import MissingError
from musicae.web.studio import Studio
from musicae.web.workers import Workers

__all__ = ["PAGE", "Server"]

PAGE = Path(__file__).with_name("page")
"""The folder of the page's files."""

Answer = Callable[[Request], Awaitable[Response]]

_UPLOAD = 32 * 2**20
_PROGRAMS = 128
_AT_ONCE = 0.3  # Seconds until it is said how far a piece of work has got, and from then on.
_GONE = 499  # The status of an answer that nobody waits for.


class Server:
    """Answers the page; `app` is all of it as ASGI. `workers` points are computed at a time."""

    def __init__(
        self, studio: Studio, sounds: Sounds, restorations: Restorations, start: Start, workers: int = 2
    ) -> None:
        self.studio, self.sounds, self.restorations, self.start = studio, sounds, restorations, start
        self.quick, self.slow = Workers(workers, name="quick"), Workers(workers, name="slow")
        self.restoring = Workers(1, name="restore")  # One after another: a photo takes memory.
        gets = {
            "/": self._index,
            "/page/{name}": self._page,
            "/api/health": self._health,
            "/api/start": self._start,
            "/api/map": self._map,
            "/api/audio/{id}.wav": self._audio,
            "/api/picture/{id}.png": self._picture,
            "/api/save/{id}": self._saved,
        }
        posts = {
            "/api/files": self._files,
            "/api/point": self._point,
            "/api/sound": self._sound,
            "/api/save": self._save,
            "/api/walk": self._walk,
            "/api/restore": self._restore,
        }
        routes = [Route(path, self._checked(answer)) for path, answer in gets.items()]
        routes += [Route(path, self._checked(answer), methods=["POST"]) for path, answer in posts.items()]
        self.app = Starlette(routes=routes, exception_handlers={404: _missing, 405: _missing, Exception: _broken})

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
        def work() -> Response:
            presets = self.studio.catalog.facts()
            return _json(
                {
                    "version": version("musicae"),
                    "presets": presets,
                    "instruments": [instrument_name(i) for i in range(_PROGRAMS)],
                    "start": {"preset": self.start.preset, "corners": self.start.corners},
                    "limits": {"upload_bytes": _UPLOAD, "corners": MAX_CORNERS},
                }
            )

        return await self._answered(request, self.slow, work)

    async def _map(self, request: Request) -> Response:
        def work() -> Response:
            codec = self.studio.catalog.codec(request.query_params.get("preset", ""))
            if not has_plane(codec):
                raise Refused(404, f"the codes of '{codec.preset.name}' are no plane")
            return Response(answers.plane_picture(codec), media_type="image/png")

        return await self._answered(request, self.slow, work)

    async def _files(self, request: Request) -> Response:
        query = request.query_params
        data = b"" if "id" in query else await read_body(request, _UPLOAD)
        chosen, bars = query.get("preset", ""), query.get("bars", "")

        def work() -> Response:
            if "id" in query:
                found = self.studio.reread(query["id"], chosen, bars)
            else:
                found = self.studio.add(data, query.get("name", "file"), chosen, {"bars": bars or None})
            key, called, preset, notices = found
            kind = kind_of(self.studio.catalog.codec(preset))
            return _json({"id": key, "name": called, "preset": preset, "kind": kind, "notices": notices})

        return await self._answered(request, self.slow, work)

    async def _point(self, request: Request) -> Response:
        ask = parsed(await read_body(request, MAX_BODY), Point)

        def work() -> Response:
            began = time.perf_counter()
            found = answers.point(self.studio.find(ask))
            return _json({**found, "ms": round(1000 * (time.perf_counter() - began), 2)})

        return await self._answered(request, self.slow if ask.exact else self.quick, work)

    async def _sound(self, request: Request) -> Response:
        ask = parsed(await read_body(request, MAX_BODY), Point)

        def work() -> Response:
            found = self.studio.find(ask)
            return Response(self.sounds.of(found.pad.codec, found.sample, ask.only), media_type="audio/wav")

        return await self._answered(request, self.slow, work)

    async def _save(self, request: Request) -> Response:
        ask, kind = parsed(await read_body(request, MAX_BODY), Point), request.query_params.get("as", "")
        return await self._answered(
            request, self.slow, lambda: _download(save_point(self.studio, self.sounds, ask, kind))
        )

    async def _walk(self, request: Request) -> Response:
        ask, query = parsed(await read_body(request, MAX_BODY), Point), request.query_params
        steps, kind = query.get("steps", "9"), query.get("as", "")
        if not (steps.isascii() and steps.isdecimal() and len(steps) < 5):
            raise MusicaeError(f"a walk has a number of steps, such as 9, not '{steps:.20}'")
        return await self._answered(
            request, self.slow, lambda: _download(save_walk(self.studio, self.sounds, ask, kind, int(steps)))
        )

    # --- before and after -------------------------------------------------------------------------------------------

    async def _restore(self, request: Request) -> Response:
        query = request.query_params
        data = b"" if "id" in query else await read_body(request, _UPLOAD)

        def work() -> dict[str, Any]:
            key = query.get("id") or self.studio.store.add(data, query.get("name", "file"))
            stored = self.studio.store.find(key)
            return {"id": key, **self.restorations.make(stored, query.get("preset", ""), progress)}

        progress = Progress()
        future = asyncio.ensure_future(self.restoring.do(work))
        await asyncio.wait({future}, timeout=_AT_ONCE)
        if future.done():
            return _json(future.result())
        return StreamingResponse(self._followed(future, progress), media_type="application/x-ndjson")

    async def _followed(self, future: asyncio.Future[dict[str, Any]], progress: Progress) -> AsyncIterator[bytes]:
        """Say line by line how much is done, and last what it gave; work that nobody waits for any more is stopped."""
        try:
            while not future.done():
                yield json.encode({"share": round(progress.share, 3)}) + b"\n"
                await asyncio.wait({future}, timeout=_AT_ONCE)
            try:
                last = _worded(future.result())
            except MusicaeError as error:
                last = {"error": self._line(error)}
            yield json.encode(last) + b"\n"
        finally:
            progress.stop()
            future.cancel()

    async def _audio(self, request: Request) -> Response:
        wav = self.restorations.find(request.path_params["id"]).wav
        return FileResponse(wav, media_type="audio/wav") if wav else failed(404, "a photo has no sound")

    async def _picture(self, request: Request) -> Response:
        return FileResponse(self.restorations.find(request.path_params["id"]).picture, media_type="image/png")

    async def _saved(self, request: Request) -> Response:
        file = self.restorations.find(request.path_params["id"]).file
        return FileResponse(file, media_type="application/octet-stream", filename=file.name)

    # --- how it is answered -----------------------------------------------------------------------------------------

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

    def _checked(self, answer: Answer) -> Answer:
        """Return what answers with the one line that says why there is no answer, where there is none."""

        async def checked(request: Request) -> Response:
            try:
                return await answer(request)
            except Refused as error:
                return failed(error.status, elsewhere(error))
            except MissingError as error:
                return failed(404, str(error))
            except MusicaeError as error:
                return failed(400, self._line(error))

        return checked

    def _line(self, error: MusicaeError) -> str:
        """Return what is said of an error: files have their names, and nothing has an option."""
        return self.studio.store.without_folder(elsewhere(error))


async def _left(request: Request) -> None:
    """Wait until the one who asked has left."""
    while not await request.is_disconnected():
        await asyncio.sleep(0.02)


def _json(value: dict[str, Any]) -> Response:
    return Response(json.encode(_worded(value)), media_type="application/json")


def _worded(value: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with its notices as the page says them."""
    return {**value, "notices": [elsewhere(one) for one in value["notices"]]} if "notices" in value else value


def _download(file: SavedFile) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(file.name)}"
    return Response(file.data, headers={"Content-Disposition": disposition}, media_type=file.kind)


async def _missing(request: Request, error: Exception) -> Response:
    return failed(404, "there is nothing here")


async def _broken(request: Request, error: Exception) -> Response:
    return failed(500, f"the server failed ({type(error).__name__}); please report it")
