"""A page of the documentation, taken apart: its fenced blocks, its links, its headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"^```(\S*)$")
_COMMENT = re.compile(r"^<!-- (not run|file): (.+) -->$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href|srcset)=\"([^\"]+)\"")
_CODE = re.compile(r"`[^`]*`")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True)
class Block:
    """A fenced block. `line` counts from 1 and is the fence's.

    `not_run` is the reason that a comment above it gives, `file` the file that it is the content of.
    """

    language: str
    text: str
    line: int
    not_run: str = ""
    file: str = ""


@dataclass(frozen=True)
class Command:
    """A command of a `console` block: its text after `$ `, and the output that the page shows.

    `status` is what `# exit status N` at the end of the command says; `# leave it running` there, and what
    serves by its nature, goes on in the background. The text `^C` stands for Ctrl-C.
    """

    text: str
    expected: str
    status: int = 0


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path
    text: str

    @property
    def blocks(self) -> list[Block]:
        """Every fenced block, in order."""
        return list(_blocks(self.text.splitlines()))

    @property
    def prose(self) -> list[str]:
        """The lines outside of blocks, without what stands between backticks."""
        lines = []
        inside = False
        for line in self.text.splitlines():
            if line.startswith("```"):
                inside = not inside
            elif not inside:
                lines.append(line)
        return lines

    @property
    def links(self) -> list[str]:
        """The targets of links and images, as written."""
        text = "\n".join(_CODE.sub("", line) for line in self.prose)
        return [plain or quoted for plain, quoted in _LINK.findall(text)]

    @property
    def anchors(self) -> set[str]:
        """What `#...` may name on this page, by GitHub's rule."""
        headings = [line.lstrip("#").strip() for line in self.prose if re.match(r"#{1,6} ", line)]
        return {_NOT_IN_ANCHORS.sub("", heading.lower()).replace(" ", "-") for heading in headings}


def load_page(path: Path) -> Page:
    """Reads a page."""
    return Page(path, path.read_text(encoding="utf-8"))


def read_commands(block: Block) -> list[Command]:
    """The commands of a `console` block; a line that ends in a backslash goes on in the next."""
    commands: list[Command] = []
    lines = block.text.splitlines()
    while lines:
        line = lines.pop(0)
        if line != "^C" and not line.startswith("$ "):
            raise ValueError(
                f"line {block.line}: a console block begins with `$ ` or `^C`, not with {line!r}"
            )
        text = line.removeprefix("$ ")
        while text.endswith("\\"):
            text = f"{text}\n{lines.pop(0)}"
        expected = []
        while lines and not lines[0].startswith("$ ") and lines[0] != "^C":
            expected.append(lines.pop(0))
        commands.append(_command(text, "\n".join(expected)))
    return commands


def _command(text: str, expected: str) -> Command:
    plain, mark, status = text.partition("  # exit status ")
    return Command(plain, expected, int(status) if mark else 0)


def _blocks(lines: list[str]) -> Iterator[Block]:
    numbered = iter(enumerate(lines, 1))
    above: dict[str, str] = {}
    for number, line in numbered:
        if comment := _COMMENT.match(line):
            above = {comment[1]: comment[2]}
        elif fence := _FENCE.match(line):
            content = []
            for _, inner in numbered:
                if inner == "```":
                    break
                content.append(inner)
            text = "".join(f"{inner}\n" for inner in content)
            yield Block(fence[1], text, number, above.get("not run", ""), above.get("file", ""))
            above = {}
        elif line.strip():
            above = {}
