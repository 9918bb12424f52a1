"""Streams pass as they come, on both targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.case import AWS, LOCAL
from contract.cases import openai
from contract.streams import check_events, opened

if TYPE_CHECKING:
    from contract.targets import Targets
    from support.odd_server import OddServer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("target", [LOCAL, AWS])
def test_an_event_does_not_wait_for_the_next(targets: Targets, odd: OddServer, target: str) -> None:
    check_events(targets.url(target), odd)


def test_a_chat_that_streams_is_the_same_bytes_on_both(targets: Targets) -> None:
    request = openai.chat(stream=True)
    answers = []
    for target in (LOCAL, AWS):
        with opened(targets.url(target), request.path, request) as answer:
            answers.append(answer.read())
    assert answers[0].replace(b'"model": "chat"', b'"model": "its own"') == answers[1]
