"""The table that sends contributors to a file names what is there."""

from __future__ import annotations

import re

import pytest

from support.doc_shell import ROOT

PAGE = ROOT / "docs/explanation/architecture.md"
TABLE = PAGE.read_text(encoding="utf-8").partition("| to change | begin in |\n")[2].partition("\n\n")[0]
PLACES = re.findall(r"\[[\w/.]+\]\(([^)]+)\)((?:[:,] `\w+`)*)", TABLE)


@pytest.mark.parametrize(("link", "names"), PLACES, ids=[link for link, _ in PLACES])
def test_a_file_of_the_table_defines_the_names_beside_it(link: str, names: str) -> None:
    place = PAGE.parent / link
    assert place.exists()
    text = place.read_text(encoding="utf-8") if place.is_file() else ""
    for name in re.findall(r"\w+", names):
        assert re.search(rf"^(class |def |async def |export function )?{name}\b", text, re.MULTILINE)


def test_the_table_is_read_to_its_end() -> None:
    rows = TABLE.count("\n|")
    assert len(PLACES) > rows > 1
