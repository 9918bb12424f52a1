"""A text and its lines: turns offsets into lines and columns."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

from centralized_ml_api.errors import Location


class SourceText:
    """The text of one file; `file` is the name that the user gave it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def _line_starts(self) -> list[int]:
        lengths = (len(line) + 1 for line in self.text.split("\n"))
        return [0, *accumulate(lengths)][:-1]

    @cached_property
    def _last(self) -> int:
        """The offset of the last character that is not space."""
        return max(len(self.text.rstrip()) - 1, 0)

    def line_of(self, offset: int) -> int:
        """The number of the line, from 1, in which the character at `offset` stands."""
        return bisect_right(self._line_starts, offset)

    def location(self, start: int, end: int, path: str = "$") -> Location:
        """The place of `text[start:end]`, cut at the end of its first line, and never outside of the file."""
        start = min(start, self._last)
        line = self.line_of(start)
        line_start = self._line_starts[line - 1]
        line_end = self.text.find("\n", start)
        end = min(end, line_end if line_end >= 0 else len(self.text))
        return Location(self.file, line, start - line_start + 1, path, max(end - start, 1))
