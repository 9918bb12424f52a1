"""Where the function finds its models when they do not fit into its environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.model_server import answer
from support.moto_server import start_moto
from support.streaming import start_streaming

if TYPE_CHECKING:
    from pathlib import Path

    from support.background import Background


@pytest.mark.slow
def test_more_models_than_parameters_are_read_at_once(loop: Background, tmp_path: Path) -> None:
    with start_moto(tmp_path) as aws:
        names = [f"CFN-Models{number}-x" for number in range(12)]
        for number, name in enumerate(names):
            row = {"endpoint": "openai-chat-endpoint", "speaks": "openai-chat"}
            value = json.dumps({f"m{number}": row})
            aws.client("ssm").put_parameter(Name=name, Type="String", Value=value)
        environment = {
            "MODELS": "",
            "MODEL_PARAMETERS": json.dumps(names),
            "AWS_ENDPOINT_URL_SSM": aws.url,
        }
        with start_streaming(loop, environment=environment) as streaming:
            streaming.model.answering = answer(200, b"{}", Content_Type="application/json")
            assert [streaming.chat(f"m{number}", "Hi").status for number in (0, 11)] == [200, 200]
            unknown = streaming.chat("nobody", "Hi").body.read().decode()
            assert f"Available: {', '.join(f'm{number}' for number in range(12))}." in unknown


@pytest.mark.slow
def test_parameters_that_cannot_be_read_are_the_apis_fault_and_are_tried_again(loop: Background) -> None:
    environment = {
        "MODELS": "",
        "MODEL_PARAMETERS": '["CFN-Models1-x"]',
        "AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:9",
        "AWS_MAX_ATTEMPTS": "1",
    }
    with start_streaming(loop, environment=environment) as streaming:
        assert [streaming.chat("m", "Hi").status for _ in range(2)] == [500, 500]
        streaming.host.wait_for_line("The models could not be read")
