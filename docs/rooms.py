# ruff: noqa: INP001  # a script's neighbour, not a package
"""Draws and lists the rooms of `src/centralized_ml_api` from the tree itself.

The rows are the layers of `.importlinter`. A box shows the first sentence of the package's docstring and the
names of the rooms inside, so the drawing goes stale when a room comes, goes, or changes its layer.
"""

from __future__ import annotations

import ast
import configparser
import itertools
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "centralized_ml_api"
SOURCE = ROOT / "src" / PACKAGE
DRAWING = "docs/img/rooms.svg"

WIDTH, MARGIN, GAP, PADDING = 860, 14, 22, 14
"""The width of the drawing, its margin, and the space between and inside boxes; in pixels."""
LINE, CHARACTER = 17, 6.4
"""The height of a line and the mean width of a character in the small type; in pixels."""

COMMENTS = {".py": "", ".js": "//", ".mjs": "//", ".lua": "--"}
"""The kinds of source files, and how a comment begins in them; Python has docstrings."""

VENDORED = "vendor"
"""The name of folders whose files others have written: the manifest beside them says who."""

SOURCE_MAP = "docs/reference/source.md"
INTRODUCTION = """\
<!-- Generated from src/centralized_ml_api by `make docs`. -->
# Source files

Every source file in one sentence, by package. [The architecture](../explanation/architecture.md) explains how
they work together. [errors.json](../../src/centralized_ml_api/api/errors.json) has the texts of the API's own
errors.
"""

COLUMN = 26
"""The column in which the sentences of the list begin."""

STYLE = """
    .box { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.5 }
    .name { fill: #1f2328; font-weight: 600; font-size: 15px }
    .note { fill: #57606a; font-size: 12.5px }
    .rooms { fill: #0969da; font-size: 12.5px }
    .line { stroke: #57606a; stroke-width: 1.6; fill: none }
    .head { fill: #57606a }
    @media (prefers-color-scheme: dark) {
      .box { fill: #161b22; stroke: #8b949e }
      .name { fill: #f0f6fc }
      .note { fill: #9198a1 }
      .rooms { fill: #58a6ff }
      .line { stroke: #9198a1 }
      .head { fill: #9198a1 }
    }
"""


@dataclass(frozen=True, slots=True)
class Room:
    """A package or module directly below ours: its summary, and the rooms inside."""

    name: str
    summary: str
    inside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of one style."""

    style: str
    lines: tuple[str, ...]


def load_layers(root: Path = ROOT) -> list[list[str]]:
    """Returns the names of the rooms, layer by layer from the top.

    Source: https://import-linter.readthedocs.io/en/stable/contract_types/layers/
    """
    contracts = configparser.ConfigParser()
    contracts.read(root / ".importlinter", encoding="utf-8")
    rows = contracts["importlinter:contract:rooms"]["layers"].split("\n")
    return [
        [room.strip().removeprefix(f"{PACKAGE}.") for room in row.split("|")] for row in rows if row.strip()
    ]


def load_room(name: str) -> Room:
    """Reads one room from the tree.

    Raises:
        FileNotFoundError: `.importlinter` names a room that does not exist.
    """
    folder = SOURCE / name
    file = folder / "__init__.py" if folder.is_dir() else SOURCE / f"{name}.py"
    inside = sorted(child.parent.name for child in folder.glob("*/__init__.py"))
    return Room(name, _summary(file).replace("`", ""), tuple(inside))


def render_tree() -> str:
    """Returns the packages as an indented list in Markdown, each with the first sentence of its docstring."""
    modules = sorted(SOURCE.glob("[a-z]*.py"))
    lines = [f"{file.name:<{COLUMN}}{_summary(file)}" for file in modules]
    for file in sorted(SOURCE.glob("*/**/__init__.py")):
        folder = file.parent.relative_to(SOURCE)
        lines.append(f"{'  ' * (len(folder.parts) - 1) + folder.name + '/':<{COLUMN}}{_summary(file)}")
    return "```text\n" + "\n".join(lines) + "\n```\n"


def render_source_map() -> str:
    """Returns a page of every source file, by package, each with its first sentence."""
    files = (file for file in SOURCE.rglob("*") if file.suffix in COMMENTS)
    folders = sorted({file.parent for file in files if file.parent.name != VENDORED})
    return INTRODUCTION + "".join(map(_render_folder, folders))


def _render_folder(folder: Path) -> str:
    name = folder.relative_to(SOURCE).as_posix()
    opening = folder / "__init__.py"
    title = f"\n## {'The root' if folder == SOURCE else name}\n\n"
    about = f"{_summary(opening)}\n\n" if opening.exists() else ""
    files = sorted(file for file in folder.iterdir() if file.suffix in COMMENTS and file != opening)
    links = [
        f"- [{file.name}](../../{file.relative_to(ROOT).as_posix()}): {_summary(file)}\n" for file in files
    ]
    return title + about + "".join(links)


def _summary(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        first = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    else:
        mark = COMMENTS[file.suffix]
        comment = itertools.takewhile(lambda line: line.startswith(mark), text.splitlines())
        whole = " ".join(line.removeprefix(mark).strip() for line in comment)
        first = whole.partition(". ")[0].removesuffix(".") + "."
    return first.replace("->", "→")


def render_rooms() -> str:
    """Returns the drawing as SVG. Pure but for reading the tree."""
    top: float = MARGIN
    shapes: list[str] = []
    for names in load_layers():
        if shapes:
            middle = WIDTH / 2
            shapes.append(f'<path class="line" d="M{middle} {top} V{top + 20}" marker-end="url(#arrow)"/>')
            top += 24
        width = (WIDTH - 2 * MARGIN - GAP * (len(names) - 1)) / len(names)
        boxes = [_texts(load_room(name), width) for name in names]
        height = max(sum(len(text.lines) for text in texts) for texts in boxes) * LINE + 2 * PADDING
        for column, texts in enumerate(boxes):
            shapes.append(_box(MARGIN + column * (width + GAP), top, width, height, texts))
        top += height + 4
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + MARGIN}" role="img"'
        ' aria-labelledby="title desc" font-family="ui-sans-serif, system-ui, sans-serif">\n'
        '  <title id="title">The rooms of the source tree</title>\n'
        '  <desc id="desc">Packages in layers; each imports only from the layers below it.</desc>\n'
        f"  <style>{STYLE}  </style>\n"
        '  <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
        ' orient="auto"><path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>\n  '
        + "\n  ".join(shapes)
        + "\n</svg>\n"
    )


def _texts(room: Room, width: float) -> list[Text]:
    characters = int((width - 2 * PADDING) / CHARACTER)
    rooms = textwrap.wrap(" · ".join(room.inside), characters)
    return [
        Text("name", (room.name,)),
        Text("note", tuple(textwrap.wrap(room.summary, characters))),
        Text("rooms", tuple(rooms)),
    ]


def _box(left: float, top: float, width: float, height: float, texts: list[Text]) -> str:
    shapes = [f'<rect class="box" x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="6"/>']
    baseline = top + PADDING + LINE - 5
    for text in texts:
        for line in text.lines:
            shapes.append(
                f'<text class="{text.style}" x="{left + PADDING:g}" y="{baseline:g}">{escape(line)}</text>'
            )
            baseline += LINE
    return "\n  ".join(shapes)
