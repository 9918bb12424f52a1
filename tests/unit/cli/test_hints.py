"""Every command that the program prints works as printed, in the situation in which it is printed.

The source says where commands are made; the situations say when they are printed. A place that no situation
reaches fails, and so does a command that is written by hand.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import pytest

from support.aws_wire import healthy_account, serve_aws
from support.hints import aws, local, starts
from support.hints.sites import find_sites, find_written_by_hand, watch_commands
from support.hints.stage import Stage
from support.jumpstart import make_spec, write_mirror
from support.odd_server import OddServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.hints.sites import Site

SITUATIONS = {
    situation.__name__: situation for place in (local, starts, aws) for situation in place.SITUATIONS
}


@pytest.fixture
def stages(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Stage]]:
    """Makes the stage of a situation: an empty folder, a server, an AWS, a JumpStart."""
    old = make_spec(model_id="acme-old", deprecated=True)
    vulnerable = make_spec(model_id="acme-vulnerable", inference_vulnerable=True)
    gated = make_spec(model_id="acme-vlm-gated", hosting_eula_key="eula.txt")
    mirror = write_mirror(tmp_path_factory.mktemp("mirror"), make_spec(), gated, old, vulnerable)
    monkeypatch.setenv("MLAPI_JUMPSTART_MIRROR", str(mirror))
    for name, value in aws.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with OddServer() as server, serve_aws(healthy_account()) as wire:
        monkeypatch.setenv("AWS_ENDPOINT_URL", wire.url)

        def make(name: str) -> Stage:
            folder = tmp_path / name
            folder.mkdir()
            server.catalogue = None
            wire.answers = healthy_account()
            monkeypatch.chdir(folder)
            return Stage(folder, server, wire)

        yield make


def play(name: str, stage: Stage) -> AbstractContextManager[object]:
    """Sets the stage; what the situation runs goes on until the end of the block."""
    left = SITUATIONS[name](stage)
    return left if isinstance(left, AbstractContextManager) else nullcontext()


def read_printed(stage: Stage, made: list[tuple[Site, str]]) -> dict[str, set[Site]]:
    """The commands that were printed, and what made them.

    Each has nothing behind it on its line, unless the shell puts what it prints into another command.
    """
    sites: dict[str, set[Site]] = {}
    for site, command in made:
        sites.setdefault(command, set()).add(site)
    printed = {}
    for line in stage.said.splitlines():
        within = [command for command in sites if command in line]
        if within:
            longest = max(within, key=len)
            is_last = line.rstrip('",').endswith(longest) or f"$({longest})" in line
            assert is_last, f"something stands behind the command: {line}"
            printed[longest] = sites[longest]
    return printed


TRIED: dict[str, set[Site]] = {}
"""The places that each situation reached, in this process."""


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_command_works_as_printed(name: str, stages: Callable[[str], Stage]) -> None:
    stage = stages(name)
    with watch_commands() as made, play(name, stage):
        printed = read_printed(stage, made)
        assert printed, stage.said
        for line in printed:
            stage.try_out(line)
    TRIED[name] = set().union(*printed.values())


def test_every_command_is_tried(stages: Callable[[str], Stage]) -> None:
    for name in SITUATIONS.keys() - TRIED.keys():
        stage = stages(name)
        with watch_commands() as made, play(name, stage):
            TRIED[name] = set().union(*read_printed(stage, made).values())
    left = sorted(find_sites().difference(*TRIED.values()))
    assert [f"{site.file}:{site.line}" for site in left] == []


def test_no_command_is_written_by_hand() -> None:
    assert find_written_by_hand() == []
