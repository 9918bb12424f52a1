"""Renders the keys of all teams in one piece: a table for a program, a page of slips to cut out. Pure."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
from typing import TYPE_CHECKING

from centralized_ml_api.api.qr import draw_qr

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = ("team", "key", "link")
"""The table's; `keys import` reads the first two."""

_STYLE = """
@page { margin: 10mm; }
* { box-sizing: border-box; }
body { margin: 0; color: #000; background: #fff; font: 12px/18px system-ui, sans-serif; }
ul { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); }
ul { margin: 0; padding: 0; list-style: none; }
li { display: grid; grid-template-columns: 38mm minmax(0, 1fr); gap: 4mm; }
li { padding: 5mm; border: 1px dashed #888; break-inside: avoid; }
svg { display: block; width: 38mm; height: 38mm; }
h2 { margin: 0 0 2mm; font-size: 16px; line-height: 20px; overflow-wrap: anywhere; }
p { margin: 0 0 2mm; overflow-wrap: anywhere; }
code { font: 11px/16px ui-monospace, monospace; }
"""
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src {digest}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<ul>
{slips}
</ul>
</body>
</html>
"""
_SLIP = """\
<li>
<svg viewBox="0 0 {size} {size}" shape-rendering="crispEdges" role="img" aria-label="QR code">
<path d="{path}"/></svg>
<div><h2>{team}</h2><p>{title}</p>
<p>Point a camera at the code, or open {address} and enter the key:</p><p><code>{key}</code></p></div>
</li>"""


def build_link(address: str, key: str) -> str:
    """Returns the link that opens the page, signed in: the key is in the part that no server sees."""
    return f"{address}/#key={key}"


def render_key_table(keys: Mapping[str, str], address: str) -> str:
    """Returns the teams with their keys and links as CSV.

    Args:
        keys: The key of each team. No name of a team begins like a formula.
        address: Of the API.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((team, key, build_link(address, key)) for team, key in keys.items())
    return text.getvalue().rstrip("\n")


def render_sheet(keys: Mapping[str, str], address: str, title: str) -> str:
    """Returns an HTML page to print: a slip for each team, with its key and a QR code that signs in.

    Args:
        keys: The key of each team.
        address: Of the API.
        title: Of the event.
    """
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    shown = html.escape(title)
    slips = "\n".join(_render_slip(team, key, address, shown) for team, key in keys.items())
    return _PAGE.format(digest=f"'sha256-{digest}'", title=shown, style=_STYLE, slips=slips)


def _render_slip(team: str, key: str, address: str, title: str) -> str:
    drawn = draw_qr(build_link(address, key))
    return _SLIP.format(
        size=drawn.size,
        path=drawn.path,
        team=html.escape(team),
        title=title,
        address=html.escape(address),
        key=html.escape(key),
    )
