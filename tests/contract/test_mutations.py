"""The suite notices what is broken: every mutation of either target makes its named case fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.case import AWS, LOCAL, send
from contract.mutated import serve_document, serve_envoy
from contract.mutations import document, gateway
from contract.streams import check_events
from contract.suite import BY_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from contract.mutations.mutation import Mutation
    from contract.targets import Targets
    from support.background import Background
    from support.odd_server import OddServer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mutation", document.MUTATIONS, ids=lambda one: one.what)
def test_a_broken_document_is_noticed(targets: Targets, background: Background, mutation: Mutation) -> None:
    with serve_document(targets, background, mutation.change) as url:
        assert_noticed(url, mutation, AWS)


@pytest.mark.parametrize("mutation", gateway.MUTATIONS, ids=lambda one: one.what)
def test_a_broken_gateway_is_noticed(targets: Targets, tmp_path: Path, mutation: Mutation) -> None:
    with serve_envoy(targets, tmp_path, mutation.change) as url:
        assert_noticed(url, mutation, LOCAL)


def test_a_stream_that_is_held_is_noticed(targets: Targets, odd: OddServer, tmp_path: Path) -> None:
    """By the model: it waits until its first event was read."""
    with serve_envoy(targets, tmp_path, gateway.hold_events) as url, pytest.raises(TimeoutError):
        check_events(url, odd, seconds=1)


def test_an_unchanged_copy_of_either_target_is_whole(
    targets: Targets, background: Background, tmp_path: Path
) -> None:
    """Otherwise the copies would be what the cases notice."""
    with (
        serve_document(targets, background, lambda _: None) as aws,
        serve_envoy(targets, tmp_path, lambda _: None) as local,
    ):
        for mutations, url, target in ((document.MUTATIONS, aws, AWS), (gateway.MUTATIONS, local, LOCAL)):
            for name in sorted({one.noticed_by for one in mutations}):
                case = BY_NAME[name]
                case.expected.check(send(url, case.request), target)


def assert_noticed(url: str, mutation: Mutation, target: str) -> None:
    """The case fails, and by the answer: there is one."""
    case = BY_NAME[mutation.noticed_by]
    answer = send(url, case.request)
    with pytest.raises(AssertionError):
        case.expected.check(answer, target)
