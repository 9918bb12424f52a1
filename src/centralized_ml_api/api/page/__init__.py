"""The page at `/`: one HTML document with its styles, its scripts and the libraries that they use in it.

It knows nothing about a config but the event's title and logo, which everybody may see: it asks `models`
(the catalogue) what exists, and whatever a model or a config says only ever becomes text, or the few elements
of Markdown that `markdown.js` lists. So it can be public where the catalogue is not, and its policy can allow
nothing but its own parts, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from centralized_ml_api.api.clients import Client, load_clients
from centralized_ml_api.plan.apis import MODEL_APIS

CONTENT_TYPE = "text/html; charset=utf-8"

_FOLDER = Path(__file__).parent
_STYLES = ("base", "frame", "chat")
_SCRIPTS = (
    "elements",
    "format",
    "calls",
    "kinds",
    "store",
    "markdown",
    "answers",
    "conversation",
    "running",
    "transcript",
    "composer",
    "hello",
    "similarity",
    "recorder",
    "forms",
    "snippets",
    "programs",
    "me",
    "side",
    "drawer",
    "door",
    "page",
)
"""They share one scope, in this order: what is used immediately comes before its user."""

_BOARD_SCRIPTS = ("scripts/elements", "scripts/format", "board/figures", "board/board")

_HEADERS = (
    ("cache-control", "no-cache"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """The document, and the headers without which a browser would trust it more than it should."""

    html: bytes
    headers: tuple[tuple[str, str], ...]


@cache
def build_page(title: str | None = None, logo: str | None = None) -> Page:
    """Builds the page. Reads only files of this package.

    Args:
        title: the event's, which also people without a key may see.
        logo: the event's, as an address that begins with `data:`.
    """
    event = _render_data({"title": title, "logo": logo})
    clients = _render_data([_describe(client) for client in load_clients()])
    html = _FOLDER.joinpath("index.html").read_text(encoding="utf-8")
    style = "".join(_read(f"styles/{name}.css") for name in _STYLES)
    for mark, text in (("STYLE", style), ("SCRIPT", _build_script()), ("CLIENTS", clients), ("EVENT", event)):
        html = html.replace(f"/* {mark} */", text, 1)
    policy = _build_policy(_between(html, "style"), _between(html, "script"))
    return Page(html.replace("POLICY", policy, 1).encode(), _HEADERS)


@cache
def build_board() -> Page:
    """Builds the organizer's screen, which has looks and elements of the page. Reads only this package."""
    html = _read("board/index.html")
    style = _read("styles/base.css") + _read("board/board.css")
    own = [_read(f"{name}.js") for name in _BOARD_SCRIPTS]
    script = "\n".join(["(() => {", '"use strict";', *own, "})();"])
    for mark, text in (("STYLE", style), ("SCRIPT", script)):
        html = html.replace(f"/* {mark} */", text, 1)
    policy = _build_policy(_between(html, "style"), _between(html, "script"))
    return Page(html.replace("POLICY", policy, 1).encode(), _HEADERS)


def _render_data(value: Any) -> str:
    """Renders JSON that can stand in a `script` element: nothing in it ends one."""
    return json.dumps(value).replace("<", "\\u003c")


def _describe(client: Client) -> dict[str, Any]:
    """Returns a client with its lines by the paths that they call, the preferred one first."""
    lines = [[api.paths[0], client.lines[api.name]] for api in MODEL_APIS if api.name in client.lines]
    return {
        "id": client.id,
        "title": client.title,
        "language": client.language,
        "place": client.place,
        "install": client.install,
        "lines": lines,
    }


def list_vendored() -> list[dict[str, Any]]:
    """Returns the libraries in the page as `vendor/manifest.json` lists them, in the order of loading."""
    packages: list[dict[str, Any]] = json.loads(_read("vendor/manifest.json"))["packages"]
    return packages


def _build_script() -> str:
    vendored = [_read(f"vendor/{file}") for package in list_vendored() for file in package["files"]]
    own = [_read(f"scripts/{name}.js") for name in _SCRIPTS]
    return "\n".join([*vendored, "(() => {", '"use strict";', *own, "})();"])


def _read(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")


def _between(html: str, tag: str) -> str:
    """Returns what the browser computes the digest of: everything between the tags, including newlines."""
    return html.split(f"<{tag}>", 1)[1].split(f"</{tag}>", 1)[0]


def _build_policy(style: str, script: str) -> str:
    """Builds the policy: only its own style, script and origin; markup only through the sanitizer.

    It is in the document rather than in a header because API Gateway cannot map its quotes; so it holds
    wherever the page is served from. Only a header can forbid frames.
    Source: https://www.w3.org/TR/CSP3/, https://www.w3.org/TR/trusted-types/
    """
    policy = {
        "default-src": "'none'",
        "script-src": _digest(script),
        "style-src": _digest(style),
        "connect-src": "'self'",
        "img-src": "blob: data:",
        "media-src": "blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "dompurify",
    }
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
