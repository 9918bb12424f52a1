"""QR codes: as a path for SVG, and as text for a terminal. Pure."""

from __future__ import annotations

from itertools import groupby

from centralized_ml_api.record import record

MOST_CHARACTERS = 300
"""The longest address that is drawn; a longer one would be too fine for a camera across a room."""

_BORDER = 4
"""The quiet zone, in modules.

Source: ISO/IEC 18004, section 5.3.8
"""

_HALVES = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
_WHITE_INK_ON_BLACK, _PLAIN = "\x1b[97;40m", "\x1b[0m"


@record
class QrPath:
    """The dark modules as an SVG path; `size` is the side of its view box, the quiet zone included."""

    path: str
    size: int


def draw_qr(text: str) -> QrPath:
    """Draws a text as the path of an SVG with black on white."""
    rows = _modules(text)
    steps = []
    for top, row in enumerate(rows):
        left = 0
        for is_dark, run in groupby(row):
            width = len(list(run))
            if is_dark:
                steps.append(f"M{left} {top}h{width}v1h-{width}z")
            left += width
    return QrPath("".join(steps), len(rows))


def render_qr(text: str) -> str:
    """Renders a text for a terminal, two modules a character, in colours: black on white.

    Without its colours it is right where the background is dark.
    """
    rows = _modules(text)
    rows += [[False] * len(rows)] * (len(rows) % 2)
    lines = (
        "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )
    return "\n".join(f"{_WHITE_INK_ON_BLACK}{line}{_PLAIN}" for line in lines)


def _modules(text: str) -> list[list[bool]]:
    import segno  # noqa: PLC0415  # takes as long as a tenth of a start, which draws nothing

    code = segno.make(text, error="m", micro=False)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=_BORDER)]
