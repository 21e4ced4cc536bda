"""What stands before every request: whoever does not know the address, or comes from another page, gets nothing."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from musicae.errors import MusicaeError

__all__ = ["Guard", "Refused", "failed", "new_token", "read_body"]

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "connect-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_SECONDS = 60.0  # In which a body must have come in.


class Refused(MusicaeError):
    """A request that is answered with another status than 400."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def new_token() -> str:
    """Return the random part of an address, 128 bits."""
    return secrets.token_urlsafe(16)


def failed(status: int, message: str) -> Response:
    """Return the answer to a request that failed: one line."""
    body = json.dumps({"error": " ".join(message.split())})
    # What is left of a body that nobody reads must not be taken for the next request.
    return Response(body, status, {"Connection": "close"} if status == 413 else None, "application/json")


class Guard:
    """Lets requests through that name one of `hosts` (against DNS rebinding) and whose path begins with the token.

    The path is handed on without it. Every answer gets the headers that keep a page to itself.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: Iterable[str]) -> None:
        self.app, self.token, self.hosts = app, token, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        refused = self._refused(headers)
        token, slash, rest = scope["path"].removeprefix("/").partition("/")
        if refused:
            await refused(scope, receive, guarded)
        elif not secrets.compare_digest(token.encode(), self.token.encode()):
            await failed(404, "there is nothing here; use the whole address that musicae play printed")(
                scope, receive, guarded
            )
        elif not slash:
            await Response(status_code=307, headers={"Location": f"/{token}/"})(scope, receive, guarded)
        else:
            await self.app({**scope, "path": f"/{rest}", "raw_path": None}, receive, guarded)

    def _refused(self, headers: Headers) -> Response | None:
        """Return the answer to a request that is not from this machine's browser, on a page of ours."""
        host, origin = headers.get("host", "").lower(), headers.get("origin", "").lower()
        if host not in self.hosts:
            return failed(403, "this server is for this machine only; use the address that musicae play printed")
        if origin and origin != f"http://{host}":
            return failed(403, "another page may not ask this server for anything")
        return None


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body of a request. Raise Refused for one over `limit` bytes, before it is read, or that is slow."""
    import asyncio

    too_large = Refused(413, f"the file is too large; at most {limit >> 20 or 1} MB are taken")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > limit:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise too_large
                parts.append(part)
    except TimeoutError:
        raise Refused(408, "the file came in too slowly; try again") from None
    return b"".join(parts)
