"""A Hugging Face hub on a free loopback port, as far as fetching a repository goes.

It answers what the hub's own client asks for:

`GET /api/models/{repo}/revision/{revision}?blobs=true` with the files, their sizes, Git's names of small ones
and the SHA-256 of large ones;
`GET /{repo}/resolve/{revision}/{path}` with a file, a large one by a redirect to
another path, in ranges when asked.

Source: https://huggingface.co/docs/hub/api ; the fields are those of `ModelInfo` and `RepoSibling` in
https://huggingface.co/docs/huggingface_hub/package_reference/hf_api .
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from support.loopback import LoopbackServer

LARGE_BYTES = 1000
"""From this size on, files are kept by LFS here; small, so that small files in tests are large ones."""

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "owner/tiny-pipeline"
_API = f"/api/models/{REPOSITORY}/revision/"
_CDN = "/cdn/"


@dataclass
class Hub(LoopbackServer):
    """One repository at one commit; its attributes may be changed while it runs. `url` is for `HF_ENDPOINT`.

    `cut` closes the connection of a path's first answer after so many bytes. `silent` answers nothing at all.
    `statuses` answers a path of this server with that status. `tampered` are paths sent with another content
    than is listed.
    """

    files: dict[str, bytes]
    commit: str = COMMIT
    cut: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    tampered: set[str] = field(default_factory=set)
    silent: bool = False
    seen: list[str] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(Handler)
        vars(self._http)["hub"] = self

    def let_go(self) -> None:
        self.released.set()

    def listing(self) -> dict[str, Any]:
        """The answer of the API."""
        return {
            "id": REPOSITORY,
            "sha": self.commit,
            "siblings": [self._sibling(path) for path in self.files],
        }

    def _sibling(self, path: str) -> dict[str, Any]:
        body = self.files[path]
        blob = hashlib.sha1(b"blob %d\0%b" % (len(body), body)).hexdigest()  # noqa: S324  Git's own name of it
        sibling: dict[str, Any] = {"rfilename": path, "size": len(body), "blobId": blob}
        if is_large(body):
            sibling["lfs"] = {"sha256": _sha256(body), "size": len(body), "pointerSize": 134}
        return sibling

    def content(self, path: str) -> bytes:
        """What is sent of a file."""
        body = self.files[path]
        return body[::-1] + b"!" * (body == body[::-1]) if path in self.tampered else body

    def resolved(self) -> list[str]:
        """The paths of the files that were asked for, in order."""
        mark = f"/{REPOSITORY}/resolve/{self.commit}/"
        return [unquote(target.removeprefix(mark)) for target in self.seen if target.startswith(mark)]


def is_large(body: bytes) -> bool:
    """Whether LFS keeps it."""
    return len(body) >= LARGE_BYTES


class Handler(BaseHTTPRequestHandler):
    """One request to the hub that `server.hub` is."""

    @property
    def _hub(self) -> Hub:
        hub: Hub = vars(self.server)["hub"]
        return hub

    def do_GET(self) -> None:
        self._hub.seen.append(self.path)
        self._hub.asked.set()
        target = urlsplit(self.path)
        status = self._hub.statuses.get(target.path)
        if self._hub.silent:
            self._hub.released.wait(30)
        elif status:
            self._send(status, b"")
        elif (target.path.startswith(_API), target.query) == (True, "blobs=true"):
            self._send(200, json.dumps(self._hub.listing()).encode())
        else:
            self._send_file(target.path)

    def _send_file(self, target: str) -> None:
        """A large file is elsewhere, where its bytes are."""
        here = f"/{REPOSITORY}/resolve/{self._hub.commit}/"
        path = unquote(target.removeprefix(here).removeprefix(_CDN))
        body = self._hub.files.get(path)
        if body is None or path == target:
            self._send(404, b"")
        elif is_large(body) and not target.startswith(_CDN):
            self._send(302, b"", Location=f"{_CDN}{path}", X_Linked_Etag=f'"{_sha256(body)}"')
        else:
            self._send_bytes(path)

    def _send_bytes(self, path: str) -> None:
        body = self._hub.content(path)
        tag = f'"{_sha256(body)}"'
        wanted = self.headers.get("Range", "") if self.headers.get("If-Range") == tag else ""
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
        more = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        self._send(206 if start else 200, body[start:], self._hub.cut.pop(path, None), ETag=tag, **more)

    def _send(self, status: int, body: bytes, cut: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content_Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the client left, as some tests make it
            self.wfile.write(body[:cut])

    def log_message(self, *_: Any) -> None:
        pass


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
