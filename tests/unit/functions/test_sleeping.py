"""The example function before a model that may sleep: names the component, and says who wakes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from contract.sagemaker_errors import ASLEEP

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTION = Path(__file__).parents[3] / "functions" / "example_function"
ASKED = {"EndpointName": "e", "InferenceComponentName": "dozer-1", "Body": b"{}"}


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of a function whose model may sleep."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("INFERENCE_COMPONENT_NAME", "dozer-1")
    monkeypatch.syspath_prepend(str(FUNCTION))
    sys.modules.pop("endpoint", None)
    yield importlib.import_module("endpoint")
    del sys.modules["endpoint"]


def test_a_call_names_the_component_and_one_that_finds_it_asleep_is_told_to_come_back(endpoint: Any) -> None:
    answers = importlib.import_module("answers")
    with Stubber(endpoint._client) as sagemaker:  # noqa: SLF001  # botocore's stub answers for SageMaker
        sagemaker.add_client_error("invoke_endpoint", "ValidationError", ASLEEP, 400, expected_params=ASKED)
        with pytest.raises(answers.Failure) as raised:
            endpoint.invoke("e", b"{}", {})
    answer = answers.build_error_answer(raised.value, "an-id")
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "60")
    assert raised.value.code == "model_waking"
