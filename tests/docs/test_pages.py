"""What the pages tell their readers to do works: every block is run, loaded or named as not runnable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.doc_page import load_page, read_commands
from support.doc_shell import ROOT, USED_BY_VERBS, PageShell

if TYPE_CHECKING:
    from pathlib import Path

    from support.doc_page import Page

RUN = ("console", "python", "sh", "bash")
LANGUAGES = (*RUN, "json", "yaml", "text")
NOT_RUN = {
    "downloads something large",
    "needs another program",
    "needs another machine",
    "needs the network",
    "runs every test",
    "needs an AWS account",
    "sets up the machine",
}
"""The only reasons for which a block may be left out."""

MOST_FAST_COMMANDS = 3
"""Those that are more than a verb need a process of their own each."""

GENERATED = {"docs/reference/config.md", "docs/reference/errors.md"}
"""Tested with the config: they show wrong configs, too."""

PAGES = [
    load_page(path)
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    if str(path.relative_to(ROOT)) not in GENERATED
]


def _name(page: Page) -> str:
    return str(page.path.relative_to(ROOT))


def _runnable(page: Page) -> bool:
    return any(block.language in RUN and not block.not_run for block in page.blocks)


def _is_slow(page: Page) -> bool:
    """It starts servers, asks the CDK for a template, or runs one program after the other."""
    blocks = [block for block in page.blocks if block.language in RUN and not block.not_run]
    commands = sum(len(read_commands(block)) for block in blocks if block.language == "console")
    return commands > MOST_FAST_COMMANDS or any(
        " up" in block.text or "choose_node()" in block.text for block in blocks
    )


RUNNABLE = [
    pytest.param(page, id=_name(page), marks=[pytest.mark.slow] if _is_slow(page) else [])
    for page in PAGES
    if _runnable(page)
]


@pytest.mark.parametrize("page", RUNNABLE)
def test_the_commands_of_a_page_do_what_it_shows(page: Page, tmp_path: Path) -> None:
    shell = (
        PageShell(tmp_path) if _is_slow(page) else PageShell(tmp_path, USED_BY_VERBS, in_this_process=True)
    )
    try:
        for block in page.blocks:
            if not block.not_run and (block.file or block.language in RUN):
                shell.run(block)
    finally:
        shell.close()


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_a_block_says_what_it_is_and_why_it_is_not_run(page: Page) -> None:
    languages = {block.language for block in page.blocks if not block.file}
    reasons = {block.not_run for block in page.blocks if block.not_run}
    assert (languages - set(LANGUAGES), reasons - NOT_RUN) == (set(), set())
