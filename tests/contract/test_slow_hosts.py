"""A host whose first byte is late is waited for, and nobody else is asked meanwhile, on both targets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from contract.case import AWS, LOCAL, Expected, send
from contract.cases.every_host import Said
from contract.cases.openai import tell
from support import bedrock, openai_answers
from support.waiting import wait_until

if TYPE_CHECKING:
    from contract.targets import Hosts, Targets
    from support.background import Background

pytestmark = pytest.mark.slow
SILENT = {
    "falls": ("slow", Said("".join(openai_answers.WORDS)), {"x-served-by": "falls"}),
    "claude": ("anthropic.silent", Said("".join(bedrock.WORDS)), {}),
}
"""Entries, what their models are told to do, what these say in the end, and with which headers."""


@pytest.mark.parametrize("target", [LOCAL, AWS])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", SILENT)
def test_a_slow_first_byte_is_waited_for(
    targets: Targets, hosts: Hosts, background: Background, target: str, *, stream: bool, name: str
) -> None:
    act, said, headers = SILENT[name]
    host = hosts.provider if name == "falls" else hosts.bedrock
    before = len(host.seen)
    with ThreadPoolExecutor(1) as pool:
        try:
            answer = pool.submit(send, targets.url(target), tell(name, act, stream=stream))
            wait_until(lambda: len(host.seen) > before, "the host has the call")
            assert not answer.done()
        finally:
            background.run(host.speak())
    Expected(200, said, headers=headers).check(answer.result(), target)
    assert len(host.seen) == before + 1, "it was asked once"
    host.release.clear()
