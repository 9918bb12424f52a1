from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.schema import Local
from centralized_ml_api.config.shape.read import read_value
from centralized_ml_api.config.weights import parse_weights
from centralized_ml_api.local.servers.not_served import why_not_served
from centralized_ml_api.plan.engines import (
    CommandServing,
    LlamaCppServing,
    PythonServing,
    SageMakerServing,
    UrlServing,
)
from centralized_ml_api.plan.types import JumpStartModel, LocalPlan, ModelDeployment, PackageModel
from support.file_server import FileServer

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.serving import Serving

COMMAND = CommandServing(("serve",), ping="/ping", invocations="/run")


def deployment(serving: Serving | None, *, name: str = "sd-1-0", model_id: str = "") -> ModelDeployment:
    return ModelDeployment(
        name=name,
        endpoint_name=f"{name}-endpoint",
        origin=JumpStartModel(model_id, "*", None, accept_eula=False) if model_id else PackageModel("arn:x"),
        instances=("ml.g5.2xlarge",),
        autoscaling=None,
        environment={},
        integration="api",
        headers=(),
        function=None,
        description="",
        sample=None,
        local=None if serving is None else LocalPlan(serving, 1, {}),
    )


def llama(written: str, fetch: str = "manual") -> LlamaCppServing:
    return LlamaCppServing(parse_weights(written), 2048, "manual" if fetch == "manual" else "auto")


@pytest.mark.parametrize(
    "serving",
    [COMMAND, UrlServing("http://gpu/x", None), llama("hf://a/b/c", "auto"), SageMakerServing(None)],
)
def test_what_is_served_has_no_message(serving: Serving) -> None:
    assert why_not_served(deployment(serving), ()) is None


@pytest.mark.parametrize(
    ("model_id", "engine"),
    [("", "url"), ("huggingface-textgeneration-open-llama", "llama.cpp")],
)
def test_an_entry_without_a_local_block_is_told_one_that_suits_it(model_id: str, engine: str) -> None:
    message = why_not_served(deployment(None, model_id=model_id), ()) or ""
    assert message.startswith("sd-1-0 is not served on this machine")
    example = json.loads(message.partition('"local": ')[2])
    assert example["engine"] == engine
    read_value(Local, example)


def test_an_address_that_is_none_is_said_to_be_none() -> None:
    assert "is not an http:// or https:// address" in (
        why_not_served(deployment(UrlServing("gpu:8000", None)), ()) or ""
    )


def test_weights_that_are_fetched_by_hand_are_asked_for_with_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLAPI_CACHE", str(tmp_path))
    with FileServer(bytes(98_000_000)) as server:
        message = why_not_served(deployment(llama(f"{server.url}/model.gguf")), ())
    assert message == (
        "The weights of sd-1-0 (98 MB) are not on this machine yet. Fetch them: mlapi pull sd-1-0"
    )
    assert "sd-1-0 are not on" in (why_not_served(deployment(llama("pypi://a==1/m.gguf")), ()) or "")


def test_a_python_model_waits_for_its_weights_only_where_it_has_some(tmp_path: Path) -> None:
    without = PythonServing(tmp_path, None, "manual")
    assert why_not_served(deployment(without), ()) is None
    waiting = PythonServing(tmp_path, parse_weights("pypi://a==1/m.onnx"), "manual")
    assert "mlapi pull sd-1-0" in (why_not_served(deployment(waiting), ()) or "")


def test_weights_that_are_there_are_served(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").touch()
    assert why_not_served(deployment(llama("model.gguf")), (tmp_path,)) is None
