"""The tests of the pages can fail: what they run, match and find."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest

from support.doc_page import Page, read_commands
from support.doc_shell import PageShell, matches, split_verb


def page_of(text: str) -> Page:
    return Page(Path("page.md"), dedent(text))


def run(text: str, folder: Path, *, in_this_process: bool = False) -> None:
    shell = PageShell(folder, copied=(), in_this_process=in_this_process)
    try:
        for block in page_of(text).blocks:
            shell.run(block)
    finally:
        shell.close()


def test_an_ellipsis_stands_for_anything_and_nothing_else_does() -> None:
    assert matches("a…d", "a\nb\nc d")
    assert matches("a\n…\nd", "a\nb\nc\nd")
    assert matches("a\n…\nd", "a\nd")
    assert not matches("a\n…\nd", "a\nbd")
    assert matches("a", "a  \n\n")
    assert not matches("a", "a\nb")
    assert not matches("a.c", "abc")


def test_a_command_that_prints_something_else_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="printed"):
        run("```console\n$ echo one\ntwo\n```\n", tmp_path)


def test_a_command_that_ends_with_another_status_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="status 3, not 0"):
        run("```console\n$ exit 3\n```\n", tmp_path)
    with pytest.raises(AssertionError, match="status 0, not 2"):
        run("```console\n$ true  # exit status 2\n```\n", tmp_path / "other")


def test_a_verb_in_this_process_fails_likewise(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="printed"):
        run("```console\n$ mlapi --version\nanother\n```\n", tmp_path, in_this_process=True)
    with pytest.raises(AssertionError, match="status 2, not 0"):
        run("```console\n$ mlapi nothing\n```\n", tmp_path / "other", in_this_process=True)


def test_a_verb_in_this_process_runs_in_the_folder_and_environment_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    run(
        """
        <!-- file: mine.json -->
        ```json
        {"models": [
          {"name": "a", "model_id": "b", "instance": "ml.m5.large", "integration": {"type": "api"}}
        ]}
        ```

        ```console
        $ mlapi cost mine.json
        …us-east-1…
        ```
        """,
        tmp_path,
        in_this_process=True,
    )
    assert os.environ["AWS_REGION"] == "eu-west-1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mlapi check 'my class.json'", ["check", "my class.json"]),
        ("mlapi check a.json | head", []),
        ("mlapi check a.json > b", []),
        ("mlapi check $CONFIG", []),
        ("mlapi check *.json", []),
        ("cd config; mlapi check", []),
        ("mlapi check a.json\nmlapi plan a.json", []),
        ("make up", []),
    ],
)
def test_only_what_needs_no_shell_runs_in_this_process(text: str, words: list[str]) -> None:
    assert split_verb(text) == words


def test_a_script_that_fails_midway_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="status 1"):
        run("```sh\nfalse\ntrue\n```\n", tmp_path)


def test_a_python_block_that_raises_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="ValueError"):
        run("```python\nraise ValueError\n```\n", tmp_path)


def test_a_file_is_written_for_the_commands_that_follow(tmp_path: Path) -> None:
    run(
        """
        <!-- file: a/b.txt -->
        ```text
        hello
        ```

        ```console
        $ cat a/b.txt
        hello
        ```
        """,
        tmp_path,
    )


def test_what_is_left_running_answers_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    run(
        """
        ```console
        $ echo up; trap 'echo bye; exit' INT; while :; do sleep 0.1; done  # leave it running
        up
        ^C
        …bye
        ```
        """,
        tmp_path,
    )


def test_a_comment_is_about_the_next_block_only() -> None:
    blocks = page_of(
        """
        <!-- not run: needs the network -->
        ```sh
        a
        ```
        ```sh
        b
        ```
        """
    ).blocks
    assert [(block.text, block.not_run) for block in blocks] == [("a\n", "needs the network"), ("b\n", "")]


def test_commands_with_their_output_are_read() -> None:
    [block] = page_of("```console\n$ one \\\n  two\nout\n$ three  # exit status 2\n^C\n```\n").blocks
    commands = [(one.text, one.expected, one.status) for one in read_commands(block)]
    assert commands == [("one \\\n  two", "out", 0), ("three", "", 2), ("^C", "", 0)]


def test_links_and_anchors_are_found_outside_of_code_only() -> None:
    page = page_of("## What's `new`?\n[a](b.md#c) `[d](e.md)`\n```text\n[f](g.md)\n# no heading\n```\n")
    assert (page.links, page.anchors) == (["b.md#c"], {"whats-new"})
