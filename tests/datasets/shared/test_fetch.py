"""Fetching, from a server on this machine that can break off."""

import hashlib
import io
import re
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from musicae.datasets.shared import fetch
from musicae.errors import MusicaeError

CONTENT = bytes(range(256)) * 1000
SUM = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.headers.get("Range"))
        content = self.server.content
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if self.path == "/none":
            return self.send_error(404)
        if self.path.startswith("/to="):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.end_headers()
            return None
        if start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : start + self.server.most])
        return None

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(fetch, "_SCHEMES", ("http",))  # A server with a certificate would be much to set up.
    found = HTTPServer(("127.0.0.1", 0), Handler)
    found.asked, found.content, found.most = [], CONTENT, len(CONTENT)
    found.url = f"http://127.0.0.1:{found.server_port}/set.zip"
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def test_fetches_once_and_reports(server, tmp_path):
    seen = []
    path = fetch.fetch(server.url, SUM, tmp_path / "new" / "set", lambda *done: seen.append(done))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    fetch.fetch(server.url, SUM, path)
    assert server.asked == [None]


def test_goes_on_where_it_broke_off(server, tmp_path):
    server.most = 1000
    with pytest.raises(MusicaeError):
        fetch.fetch(server.url, SUM, tmp_path / "set")
    assert not (tmp_path / "set").exists()
    server.most = len(CONTENT)
    assert fetch.fetch(server.url, SUM, tmp_path / "set").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000-"]


def test_a_part_that_is_already_whole_is_taken(server, tmp_path):
    (tmp_path / "set.part").write_bytes(CONTENT)
    assert fetch.fetch(server.url, SUM, tmp_path / "set").read_bytes() == CONTENT


def test_a_wrong_sum_is_not_kept(server, tmp_path):
    with pytest.raises(MusicaeError, match="SHA-256"):
        fetch.fetch(server.url, "0" * 64, tmp_path / "set")
    assert not list(tmp_path.iterdir())


def test_no_server_or_no_file_is_one_line(server, tmp_path):
    with pytest.raises(MusicaeError, match="404"):
        fetch.fetch(server.url.replace("set.zip", "none"), SUM, tmp_path / "set")
    with pytest.raises(MusicaeError, match="--data"):
        fetch.fetch("http://127.0.0.1:9/set.zip", SUM, tmp_path / "set")


def test_an_archive_is_unpacked_once(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MUSICAE_DATA", str(tmp_path))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("a/b.txt", "hello")
    server.content = packed.getvalue()
    server.most = len(server.content)
    for _ in range(2):
        folder = fetch.archive("toys", server.url, hashlib.sha256(server.content).hexdigest())
        assert folder == tmp_path / "toys"
        assert (folder / "a" / "b.txt").read_text() == "hello"
    assert len(server.asked) == 1


def test_only_https_is_fetched(server, tmp_path, monkeypatch):
    (tmp_path / "local").write_bytes(CONTENT)
    local = (tmp_path / "local").as_uri()
    target = server.url.replace("set.zip", "to=")
    assert fetch.fetch(f"{target}/set.zip", SUM, tmp_path / "set").read_bytes() == CONTENT
    for address in (f"{target}{local}", f"{target}https://127.0.0.1/set.zip", f"{target}ftp://127.0.0.1/x", local):
        with pytest.raises(MusicaeError, match=r"is no https address|file:.* is not allowed"):
            fetch.fetch(address, SUM, tmp_path / "other")
    monkeypatch.setattr(fetch, "_SCHEMES", ("https",))
    with pytest.raises(MusicaeError, match="is no https address"):
        fetch.fetch(server.url, SUM, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_our_data_sets_come_over_https(repository):
    addresses = [
        address
        for path in (repository / "musicae" / "datasets").rglob("*.py")
        for address in re.findall(r"\bhttps?://[^\s\"']+", path.read_text())
    ]
    assert len(addresses) >= 3
    assert not [address for address in addresses if not address.startswith("https://")]


def test_a_download_without_end_is_stopped(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "_MOST", 100_000)
    with pytest.raises(MusicaeError, match="it is larger than"):
        fetch.fetch(server.url, SUM, tmp_path / "set")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0
