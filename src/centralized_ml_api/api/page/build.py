"""Builds the page at `/`, the page at `/join`, by which teams join, and the organizer's screen.

Each is one HTML document with its styles and scripts in it; only the page at `/` has libraries.

The page knows nothing about a config but the event's title and logo, and the one for joining when the event
is, which everybody may see. It asks `models` (the catalogue) what exists, and whatever a model or a config
says only ever becomes text, or the few elements of Markdown that `markdown.js` lists. So it can be public
where the catalogue is not, and its policy can allow nothing but its own parts, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.clients import Client, load_clients
from centralized_ml_api.api.trust import render_trust
from centralized_ml_api.plan.apis import MODEL_APIS
from centralized_ml_api.record import record

CONTENT_TYPE = "text/html; charset=utf-8"

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FOLDER = Path(__file__).parent
_STYLES = ("base", "frame", "chat")
_SCRIPTS = (
    "elements",
    "event",
    "format",
    "calls",
    "kinds",
    "store",
    "markdown",
    "answers",
    "conversation",
    "running",
    "waking",
    "spoken",
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

_BOARD_SCRIPTS = (
    *("scripts/elements", "scripts/format"),
    *("board/figures", "board/acts", "board/teams", "board/models", "board/board"),
)
_JOIN_SCRIPTS = ("elements", "event", "format", "calls", "programs", "join")

_HEADERS = (
    ("cache-control", "no-cache"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)


@record
class Page:
    """The document, and the headers without which a browser would trust it more than it should."""

    html: bytes
    headers: tuple[tuple[str, str], ...]


@cache
def build_page(
    title: str | None = None, logo: str | None = None, authority: str = "", *, joins: bool = False
) -> Page:
    """Builds the page. Reads only files of this package.

    Args:
        title: The event's, which also people without a key may see.
        logo: The event's, as an address that begins with `data:`.
        authority: The SHA-256 fingerprint of the API's own certificate authority; empty without one.
        joins: Whether teams may join.
    """
    event = {**_describe_event(title, logo, authority), **({"joins": True} if joins else {})}
    libraries = [f"vendor/{file}" for package in list_vendored() for file in package["files"]]
    script = _build_script([f"scripts/{name}" for name in _SCRIPTS], libraries)
    return _build("index.html", [f"styles/{name}" for name in _STYLES], script, _render_parts(event))


@cache
def build_join_page(
    title: str | None = None,
    logo: str | None = None,
    authority: str = "",
    *,
    starts: str = "",
    ends: str = "",
) -> Page:
    """Builds the page by which teams join. Reads only files of this package.

    Args:
        title: See `build_page`, as for what follows.
        logo: See there.
        authority: See there.
        starts: When the event starts, as `render_instant` writes it; empty if nobody said.
        ends: When it ends, the same way.
    """
    script = _build_script([f"scripts/{name}" for name in _JOIN_SCRIPTS])
    times = {name: instant for name, instant in (("starts", starts), ("ends", ends)) if instant}
    parts = _render_parts({**_describe_event(title, logo, authority), **times})
    return _build("join.html", ["styles/base", "styles/join"], script, parts, markup="'none'")


@cache
def build_board() -> Page:
    """Builds the organizer's screen, which has looks and elements of the page. Reads only this package."""
    return _build("board/index.html", ["styles/base", "board/board"], _build_script(_BOARD_SCRIPTS), {})


def _build(
    name: str, styles: Iterable[str], script: str, parts: Mapping[str, str], *, markup: str = "dompurify"
) -> Page:
    """Builds a page of its document, its parts by their marks, and its policy, in which `markup` may pass."""
    html = _read(name)
    style = "".join(_read(f"{style}.css") for style in styles)
    for mark, text in {"STYLE": style, "SCRIPT": script, **parts}.items():
        html = html.replace(f"/* {mark} */", text, 1)
    policy = _build_policy(_between(html, "style"), _between(html, "script"), markup)
    return Page(html.replace("POLICY", policy, 1).encode(), _HEADERS)


def _render_parts(event: Mapping[str, Any]) -> dict[str, str]:
    """Renders the data in a page, by the marks where they stand."""
    clients = _render_data([_describe(client) for client in load_clients()])
    return {"CLIENTS": clients, "EVENT": _render_data(event)}


def _describe_event(title: str | None, logo: str | None, authority: str) -> dict[str, Any]:
    """Returns what everybody may know of the event, and how programs come to trust the API."""
    event: dict[str, Any] = {"title": title, "logo": logo}
    if authority:
        event |= {"authority": authority, "trust": render_trust("<<authority:shell>>", authority)}
    return event


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


def _build_script(names: Iterable[str], libraries: Iterable[str] = ()) -> str:
    vendored = [_read(file) for file in libraries]
    own = [_read(f"{name}.js") for name in names]
    return "\n".join([*vendored, "(() => {", '"use strict";', *own, "})();"])


def _read(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")


def _between(html: str, tag: str) -> str:
    """Returns what the browser computes the digest of: everything between the tags, including newlines."""
    return html.split(f"<{tag}>", 1)[1].split(f"</{tag}>", 1)[0]


def _build_policy(style: str, script: str, markup: str) -> str:
    """Builds the policy: only its own style, script and origin; markup only through the policy `markup`.

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
        "trusted-types": markup,
    }
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
