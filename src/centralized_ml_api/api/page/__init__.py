"""The page at `/`: one HTML document with its style and its scripts in it, the same for every deployment.

It knows nothing about a config: it asks `models` (the catalogue) what exists, and whatever a model or a
config says only ever becomes text. So it needs no escaping, can be public where the catalogue is not, and its
policy can allow nothing but its own parts, by their digests.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CONTENT_TYPE = "text/html; charset=utf-8"

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "elements",
    "format",
    "calls",
    "answers",
    "chat",
    "similarity",
    "recorder",
    "forms",
    "snippets",
    "page",
)
"""They share one scope, in this order: what is used immediately comes before its user."""

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
def build_page() -> Page:
    """Builds the page. Reads only files of this package."""
    style = _FOLDER.joinpath("style.css").read_text(encoding="utf-8")
    script = _build_script()
    html = _FOLDER.joinpath("index.html").read_text(encoding="utf-8")
    html = html.replace("/* STYLE */", style).replace("/* SCRIPT */", script)
    policy = _build_policy(_between(html, "style"), _between(html, "script"))
    return Page(html.replace("POLICY", policy, 1).encode(), _HEADERS)


def _build_script() -> str:
    parts = [_FOLDER.joinpath("scripts", f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS]
    return "".join(['"use strict";\n', "(() => {\n", *parts, "})();"])


def _between(html: str, tag: str) -> str:
    """Returns what the browser computes the digest of: everything between the tags, including newlines."""
    return html.split(f"<{tag}>", 1)[1].split(f"</{tag}>", 1)[0]


def _build_policy(style: str, script: str) -> str:
    """Builds the policy: only its own style and script, and only its own origin.

    It is in the document rather than in a header because API Gateway cannot map its quotes; so it holds
    wherever the page is served from. Only a header can forbid frames.
    Source: https://www.w3.org/TR/CSP3/
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
    }
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
