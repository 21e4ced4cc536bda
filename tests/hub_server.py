"""A small server on this machine that speaks the Hugging Face hub's protocol, as far as musicae uses it.

Repositories with commits, branches and tags; files as git blobs or through LFS with its redirections; creating a
repository and committing to it. What a test needs to go wrong is in the fields of `Hub`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_test"
LFS = (".safetensors", ".png", ".wav")


def blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass
class Repo:
    """Commits by their id, each with its files; `revisions` are branches and tags."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)
    private: bool = False

    def commit(self, files: dict[str, bytes], revision: str = "main") -> str:
        listed = sorted((name, blob_id(content)) for name, content in files.items())
        name = hashlib.sha1(repr((len(self.commits), listed)).encode()).hexdigest()
        self.commits[name] = files
        self.revisions[revision] = name
        return name

    def find(self, revision: str) -> str | None:
        name = self.revisions.get(revision, revision)
        return name if name in self.commits else None


@dataclass
class Hub:
    """What the hub holds, what it was asked, and how it misbehaves."""

    repos: dict[str, Repo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    claimed: dict[str, int] = field(default_factory=dict)  # Sizes that it gives instead of the real ones.
    tampered: set[str] = field(default_factory=set)  # Files that arrive with another byte at their end.
    status: int = 0  # With which it answers everything, if any.
    address: str = ""

    def add(self, name: str, files: dict[str, bytes], revision: str = "main") -> str:
        return self.repos.setdefault(name, Repo()).commit(files, revision)


@contextmanager
def serving() -> Iterator[Hub]:
    """Run a hub on a port of this machine."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.0"  # Every answer ends its connection, so that a hub that has gone is away.

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def _answer(self) -> None:
        self.path = unquote(urlsplit(self.path).path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.hub.asked.append(f"{self.command} {self.path}")
        if self.hub.status:
            return self._send(self.hub.status, {"error": "out of order"})
        for pattern, answer in _ROUTES:
            if match := re.fullmatch(pattern, f"{self.command} {self.path}"):
                return answer(self, *match.groups())
        return self._send(404, {"error": f"no {self.path}"})

    def _send(self, status: int, content: Any = b"", **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _repo(self, name: str, revision: str | None = None) -> tuple[Repo, str] | None:
        """Return a repository and the commit of a revision; answer and return None where there is none."""
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and not self._known()):
            self._send(404 if self._known() else 401, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
            return None
        commit = repo.find(revision or "main")
        if commit is None:
            self._send(404, {"error": "Invalid rev id"}, X_Error_Code="RevisionNotFound")
            return None
        return repo, commit

    def _known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def info(self, name: str, _: str | None, revision: str | None) -> None:
        if found := self._repo(name, revision):
            repo, commit = found
            siblings = [self._sibling(name, content) for name, content in repo.commits[commit].items()]
            self._send(200, {"id": name, "modelId": name, "sha": commit, "private": repo.private, "tags": [],
                             "downloads": 0, "likes": 0, "siblings": siblings})  # fmt: skip

    def _sibling(self, name: str, content: bytes) -> dict[str, Any]:
        size = self.hub.claimed.get(name, len(content))
        lfs = {"lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 130}}
        return {"rfilename": name, "size": size, "blobId": blob_id(content), **(lfs if name.endswith(LFS) else {})}

    def resolve(self, name: str, revision: str, path: str) -> None:
        if not (found := self._repo(name, revision)):
            return
        repo, commit = found
        content = repo.commits[commit].get(path)
        if content is None:
            return self._send(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
        if path in self.hub.tampered:
            content = content[:-1] + bytes([content[-1] ^ 1])
        if not path.endswith(LFS):
            return self._send(200, content, ETag=f'"{blob_id(content)}"', X_Repo_Commit=commit)
        oid = hashlib.sha256(content).hexdigest()
        self.hub.objects[oid] = content
        place = f"{self.hub.address.replace('127.0.0.1', 'localhost')}/cdn/{oid}"  # Another host, as a CDN is.
        self._send(302, Location=place, X_Repo_Commit=commit, X_Linked_Etag=f'"{oid}"', X_Linked_Size=str(len(content)))

    def stored(self, oid: str) -> None:
        self._send(200, self.hub.objects[oid], ETag=f'"{oid}"')

    def create(self) -> None:
        if not self._known():
            return self._send(401, {"error": "Invalid credentials in Authorization header"})
        asked = json.loads(self.body)
        name = f"{asked['organization']}/{asked['name']}"
        if not name.startswith("me/"):
            return self._send(403, {"error": "You don't have the rights to create a model there"})
        if name in self.hub.repos:
            return self._send(
                409, {"error": "You already created this model repo", "url": f"{self.hub.address}/{name}"}
            )
        self.hub.add(name, {".gitattributes": b""})
        self.hub.repos[name].private = asked.get("visibility") == "private" or bool(asked.get("private"))
        self._send(200, {"url": f"{self.hub.address}/{name}", "name": name, "id": name})

    def validate(self) -> None:
        text = json.loads(self.body)["content"]
        errors = [] if text.startswith("---\n") else [{"message": "no front matter"}]
        self._send(200, {"errors": errors, "warnings": []})

    def preupload(self, name: str, revision: str) -> None:
        files = json.loads(self.body)["files"]
        how = [{"path": file["path"], "uploadMode": "lfs" if file["path"].endswith(LFS) else "regular",
                "shouldIgnore": False, "oid": None} for file in files]  # fmt: skip
        self._send(200, {"files": how, "commitOid": self.hub.repos[name].find("main")})

    def batch(self, name: str) -> None:
        objects = [{**one, "actions": {"upload": {"href": f"{self.hub.address}/put/{one['oid']}"}}}
                   for one in json.loads(self.body)["objects"]]  # fmt: skip
        self._send(200, {"transfer": "basic", "objects": objects})

    def put(self, oid: str) -> None:
        assert hashlib.sha256(self.body).hexdigest() == oid
        self.hub.objects[oid] = self.body
        self._send(200)

    def commit(self, name: str, revision: str) -> None:
        if not self._known():
            return self._send(403, {"error": "Forbidden"})
        repo = self.hub.repos[name]
        files = dict(repo.commits[repo.revisions["main"]])
        for line in self.body.splitlines():
            one = json.loads(line)
            value = one["value"]
            if one["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif one["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
            elif one["key"] == "deletedFile":
                del files[value["path"]]
        made = repo.commit(files)
        self._send(200, {"success": True, "commitOid": made, "commitUrl": f"{self.hub.address}/{name}/commit/{made}"})


_NAME = r"([^/ ]+/[^/ ]+)"
_ROUTES = (
    (rf"GET /api/models/{_NAME}(/revision/(.+))?", _Handler.info),
    (rf"(?:GET|HEAD) /{_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
    (r"(?:GET|HEAD) /cdn/(\w+)", _Handler.stored),
    (r"POST /api/repos/create", _Handler.create),
    (r"POST /api/validate-yaml", _Handler.validate),
    (rf"POST /api/models/{_NAME}/preupload/(.+)", _Handler.preupload),
    (rf"POST /{_NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    (r"PUT /put/(\w+)", _Handler.put),
    (rf"POST /api/models/{_NAME}/commit/(.+)", _Handler.commit),
)
