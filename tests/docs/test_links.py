"""Links between pages lead somewhere, and every page can be reached from the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.doc_page import load_page
from support.doc_shell import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support.doc_page import Page

PAGES = [load_page(path) for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])]


def _name(page: Page) -> str:
    return str(page.path.relative_to(ROOT))


def _targets(page: Page) -> list[tuple[Path, str]]:
    """The files that a page links to, with the anchors."""
    inside = [link for link in page.links if "://" not in link]
    parts = [link.partition("#") for link in inside]
    return [((page.path.parent / file).resolve() if file else page.path, anchor) for file, _, anchor in parts]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_of_a_page_lead_somewhere(page: Page) -> None:
    broken = [
        f"{file}#{anchor}"
        for file, anchor in _targets(page)
        if not file.exists() or (anchor and anchor not in load_page(file).anchors)
    ]
    assert broken == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    new = {ROOT / "README.md"}
    while new:
        reached |= new
        pages = [load_page(path) for path in new if path.suffix == ".md"]
        new = {file for page in pages for file, _ in _targets(page)} - reached
    assert {page.path for page in PAGES} - reached == set()


def test_every_decision_has_a_number_of_its_own_and_is_listed_under_its_title() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert len({path.name.partition("-")[0] for path in decisions}) == len(decisions)
    listed = [line for line in (ROOT / "docs/README.md").read_text().splitlines() if "](decisions/" in line]
    titles = [path.read_text().partition("\n")[0].removeprefix("# ") for path in decisions]
    assert listed == [
        f"- [{title}](decisions/{path.name})" for title, path in zip(titles, decisions, strict=True)
    ]
