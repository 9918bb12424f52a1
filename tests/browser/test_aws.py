"""The page as AWS would serve it: by the synthesized template, below the stage, from the same origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from contract.targets import read_targets
from support.background import start_background
from support.local_api import start_local_api
from support.odd_server import OddServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.browser import Visit

pytestmark = pytest.mark.slow

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"


def entry(name: str, path: str, port: int, **more: Any) -> dict[str, Any]:
    local = {"engine": "url", "url": f"http://127.0.0.1:{port}{path}", **more}
    written = {"name": name, "image": IMAGE, "instance": "ml.g5.2xlarge", "local": local, **more}
    return {**written, "integration": {"type": "api"}, "sample": {"text": "Hello."}}


@pytest.fixture(scope="module")
def aws_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("aws-page")
    with OddServer() as odd, start_background() as background:
        entries = [
            entry("chat", "/chat", odd.port, speaks="openai-chat"),
            entry("same", "/same", odd.port),
            entry("refuses", "/refuse/422", odd.port),
        ]
        with (
            start_local_api(folder, {"models": entries}) as local,
            read_targets(local.wait_serving(), folder, background) as targets,
        ):
            yield targets.aws_url


def test_a_model_is_called_below_the_stage(aws_url: str, visit: Callable[..., Visit]) -> None:
    visited = visit(aws_url)
    visited.show("same")
    assert f"{aws_url}/same" in visited.snippet("curl")
    visited.submit()
    visited.answer.wait_for()
    assert visited.answer.inner_text() == "Hello."


def test_a_chat_streams(aws_url: str, visit: Callable[..., Visit]) -> None:
    visited = visit(aws_url)
    visited.show("chat")
    visited.ask("it is so")
    visited.answers.get_by_text("first word after").wait_for()
    assert visited.answers.locator(".markdown").inner_text() == "itisso", "word by word, each an event"


def test_an_error_is_explained(aws_url: str, visit: Callable[..., Visit]) -> None:
    visited = visit(aws_url)
    visited.show("refuses")
    visited.submit()
    visited.problem.wait_for()
    assert "422" in visited.problem.inner_text()
    assert 'it\'s "wrong"' in visited.problem.inner_text()
