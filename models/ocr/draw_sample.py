"""Redraws `sample.png`; needs Pillow."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

LINES = ("Hello from one machine.", "Total: 42.50 EUR")
SIZE = (560, 180)


def draw(lines: tuple[str, ...]) -> Image.Image:
    """Draws the lines, black on white."""
    image = Image.new("L", SIZE, "white")
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((30, 30 + 65 * number), line, font=ImageFont.load_default(40), fill="black")
    return image


if __name__ == "__main__":
    draw(LINES).save(Path(__file__).with_name("sample.png"), optimize=True)
