"""QR codes say what they should: each is decoded by reading its modules back."""

from __future__ import annotations

import re

import segno

from centralized_ml_api.api.qr import draw_qr, render_qr

LINK = "http://192.168.1.20:8080/join#code=7KQ2-WX4Z"
WHITE_ON_BLACK = "\x1b[97;40m"


def modules(text: str) -> list[list[bool]]:
    code = segno.make(text, error="m", micro=False)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=4)]


def test_the_path_covers_exactly_the_dark_modules() -> None:
    drawn = draw_qr(LINK)
    dark = [[False] * drawn.size for _ in range(drawn.size)]
    steps = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", drawn.path)
    assert "".join(f"M{x} {y}h{width}v1h-{back}z" for x, y, width, back in steps) == drawn.path
    for left, top, width, back in steps:
        assert width == back
        for column in range(int(left), int(left) + int(width)):
            dark[int(top)][column] = True
    assert dark == modules(LINK)


def test_a_terminal_shows_it_black_on_white_with_a_quiet_zone() -> None:
    wanted = modules(LINK)
    lines = render_qr(LINK).splitlines()
    assert len(lines) == (len(wanted) + 1) // 2
    shown: list[list[bool]] = []
    for line in lines:
        assert line.startswith(WHITE_ON_BLACK)
        assert line.endswith("\x1b[0m")
        halves = line.removeprefix(WHITE_ON_BLACK).removesuffix("\x1b[0m")
        shown.append([half in " ▄" for half in halves])
        shown.append([half in " ▀" for half in halves])
    assert shown[: len(wanted)] == wanted
    assert not any(map(any, shown[:4]))
