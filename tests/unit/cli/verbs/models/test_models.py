"""`mlapi models show` says what JumpStart knows of a model."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.catalog.facts import ModelFacts
from support.jumpstart import CPU, GPU_IMAGE
from support.verbs import TINY

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


def test_models_show_json_has_the_names_of_the_facts(mlapi: Mlapi) -> None:
    shown = json.loads(mlapi("models", "show", TINY, "--json").out)
    assert list(shown) == [*(field.name for field in fields(ModelFacts)), "parameters_billions", "licence"]
    assert (shown["image"], shown["source"], shown["region"]) == (GPU_IMAGE, "mirror", "us-east-1")
    assert shown["eula"] == {"required": False, "url": None}


def test_models_show_takes_region_instance_and_version(mlapi: Mlapi) -> None:
    asked = ("--region", "cn-north-1", "--instance", CPU, "--version", "1.*")
    shown = json.loads(mlapi("models", "show", TINY, *asked, "--json").out)
    assert (shown["region"], shown["instance"], shown["version"]) == ("cn-north-1", CPU, "1.2.0")
    assert ".cn-north-1.amazonaws.com.cn/" in shown["image"]


def test_models_show_as_text_has_a_line_a_fact(mlapi: Mlapi) -> None:
    shown = mlapi("models", "show", TINY).out.splitlines()
    assert f"image: {GPU_IMAGE}" in shown
    assert "    WORKERS = 1" in shown


def test_models_show_looks_at_a_gated_model_without_using_it(mlapi: Mlapi) -> None:
    shown = json.loads(mlapi("models", "show", "acme-vlm-gated", "--json").out)
    assert shown["eula"]["required"] is True
    assert shown["eula"]["url"].endswith("/eula.txt")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("acme-textgeneration-tyni",), f'write "{TINY}"'),
        ((TINY, "--instance", "ml.g5.2xlrage"), 'write "ml.g5.2xlarge"'),
        ((TINY, "--config", "fast"), "no inference configuration"),
        ((TINY, "--version", "9.*"), "has no version 9.*"),
        ((TINY, "--region", "mars-north-1"), "JumpStart is not available in mars-north-1"),
    ],
)
def test_models_show_fails_with_a_message(arguments: tuple[str, ...], said: str, mlapi: Mlapi) -> None:
    failed = mlapi("models", "show", *arguments)
    assert (failed.status, failed.out) == (1, "")
    assert said in failed.talk
    assert "Traceback" not in failed.talk


def test_models_show_names_every_instance_type_that_is_supported(mlapi: Mlapi) -> None:
    done = mlapi("models", "show", TINY, "--instance", "ml.p5.48xlarge")
    supported = json.loads(mlapi("models", "show", TINY, "--json").out)["supported_instances"]
    assert done.status == 1
    assert f"expected: {', '.join(supported)}" in done.talk


def test_show_says_who_says_so(mlapi: Mlapi) -> None:
    shown = json.loads(mlapi("models", "show", "huggingface-asr-whisper-tiny", "--json").out)
    assert shown["parameters_billions"] == 0.039
    assert shown["licence"] == {"name": "MIT", "source": "https://github.com/openai/whisper#license"}
