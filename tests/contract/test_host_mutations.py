"""The suite notices what is broken for hosted models, on either target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.case import AWS, LOCAL, send
from contract.mutated import serve_envoy, serve_function
from contract.mutations.gateway import replace_text
from contract.mutations.hosts import ENVOY, FUNCTION
from contract.suite import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from contract.mutated import EnvoyConfig
    from contract.mutations.hosts import TextMutation
    from contract.targets import Targets
    from support.background import Background

pytestmark = pytest.mark.slow
CONTROLS = ("a hosted chat", "a chat of Bedrock")
"""What no mutation breaks."""


@pytest.mark.parametrize("group", FUNCTION)
def test_a_broken_function_is_noticed(targets: Targets, background: Background, group: str) -> None:
    def change(folder: Path) -> None:
        for mutation in FUNCTION[group]:
            file = folder / mutation.file
            assert mutation.old in file.read_text(), mutation
            file.write_text(file.read_text().replace(mutation.old, mutation.new))

    with serve_function(targets, background, change) as url:
        assert_noticed(url, FUNCTION[group], AWS)


@pytest.mark.parametrize("group", ENVOY)
def test_a_broken_gateway_is_noticed(targets: Targets, tmp_path: Path, group: str) -> None:
    def change(config: EnvoyConfig) -> None:
        for mutation in ENVOY[group]:
            replace_text(config.bootstrap, mutation.old, mutation.new)

    with serve_envoy(targets, tmp_path, change) as url:
        assert_noticed(url, ENVOY[group], LOCAL)


def test_unchanged_copies_are_whole(targets: Targets, background: Background, tmp_path: Path) -> None:
    """Otherwise the copies would be what the cases notice."""
    copies = (
        (FUNCTION, AWS, serve_function(targets, background, lambda _: None)),
        (ENVOY, LOCAL, serve_envoy(targets, tmp_path, lambda _: None)),
    )
    for groups, target, copy in copies:
        with copy as url:
            for name in sorted({mutation.noticed_by for group in groups.values() for mutation in group}):
                BY_NAME[name].expected.check(send(url, BY_NAME[name].request), target)


def assert_noticed(url: str, group: Iterable[TextMutation], target: str) -> None:
    """Each case fails by its answer; the others pass."""
    for name in CONTROLS:
        BY_NAME[name].expected.check(send(url, BY_NAME[name].request), target)
    unnoticed = [mutation.what for mutation in group if passes(url, mutation.noticed_by, target)]
    assert unnoticed == []


def passes(url: str, name: str, target: str) -> bool:
    """Returns whether the answer is that of the case."""
    answer = send(url, BY_NAME[name].request)
    try:
        BY_NAME[name].expected.check(answer, target)
    except (AssertionError, LookupError, ValueError):  # what a case reads may not be there
        return False
    return True
