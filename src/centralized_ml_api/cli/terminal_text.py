"""What others wrote (models, logs, servers), made safe to show on a terminal. Pure."""

from __future__ import annotations

import re

_COLOR = r"\x1b\[[0-9;]*m"
"""Select graphic rendition: it changes how text looks and nothing else.

Source: https://www.ecma-international.org/publications-and-standards/standards/ecma-48/ (8.3.117)
"""

_STEERS = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
"""Control characters but for tab and line feed, and those that turn the direction of writing.

Source: https://www.unicode.org/reports/tr9/ (explicit directional embeddings, overrides and isolates)
"""

_PARTS = re.compile(rf"(?P<kept>{_COLOR}|\r\n)|(?P<overwrites>\r)|{_STEERS}")


def render_for_terminal(text: str) -> str:
    """The text, which can neither move the cursor nor set a title, a clipboard or the direction of writing.

    Colours stay. A carriage return, with which a line hides what stood there before, begins a new line.
    """
    return _PARTS.sub(_replace, text)


def _replace(part: re.Match[str]) -> str:
    if part["kept"]:
        return part["kept"]
    return "\n" if part["overwrites"] else "\N{REPLACEMENT CHARACTER}"
