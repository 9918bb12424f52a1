"""Streams pass as they come, on both targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.case import AWS, LOCAL
from contract.cases import openai
from contract.differences import STREAM_DIFFERENCES, Difference
from contract.streams import check_events, opened, read_stream

if TYPE_CHECKING:
    from contract.targets import Targets
    from support.odd_server import OddServer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("target", [LOCAL, AWS])
def test_an_event_does_not_wait_for_the_next(targets: Targets, odd: OddServer, target: str) -> None:
    check_events(targets.url(target), odd)


@pytest.mark.parametrize("target", [LOCAL, AWS])
@pytest.mark.parametrize("difference", STREAM_DIFFERENCES, ids=lambda one: one.name)
def test_a_difference_is_just_as_it_is_documented(
    targets: Targets, target: str, difference: Difference
) -> None:
    answer = read_stream(targets.url(target), difference.request)
    (difference.local if target == LOCAL else difference.aws).check(answer, target)


def test_a_chat_that_streams_is_the_same_bytes_on_both(targets: Targets) -> None:
    request = openai.chat(stream=True)
    answers = []
    for target in (LOCAL, AWS):
        with opened(targets.url(target), request.path, request) as answer:
            answers.append(answer.read())
    assert answers[0].replace(b'"model": "chat"', b'"model": "its own"') == answers[1]
