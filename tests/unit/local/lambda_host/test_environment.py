"""A function's environment is Lambda's, the config's and nothing of the user's.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from centralized_ml_api.local.lambda_host.environment import build_worker_environment
from centralized_ml_api.local.lambda_host.server import HostSpecification, read_specification


def specification(**changes: Any) -> HostSpecification:
    fields: dict[str, Any] = {
        "name": "echo",
        "code": "/functions/echo",
        "handler": "index.lambda_handler",
        "timeout_seconds": 29,
        "memory_mib": 512,
        "endpoint_name": "echo-endpoint",
        "runtime_url": "http://127.0.0.1:1",
        "model_speaks": "openai-chat",
        "port": 1234,
        "region": "eu-west-1",
        "path": "/bin",
    }
    return HostSpecification(**fields | changes)


def environment(**changes: Any) -> dict[str, str]:
    return build_worker_environment(
        specification(**changes),
        runtime_api="127.0.0.1:9001",
        temporary=Path("/tmp/w"),  # noqa: S108
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAMBDA_TASK_ROOT", "/functions/echo"),
        ("PYTHONPATH", "/functions/echo"),
        ("_HANDLER", "index.lambda_handler"),
        ("AWS_LAMBDA_FUNCTION_NAME", "echo"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("TZ", ":UTC"),
        ("ENDPOINT_NAME", "echo-endpoint"),
        ("MODEL_SPEAKS", "openai-chat"),
        ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("PATH", "/bin"),
    ],
)
def test_a_function_finds_what_lambda_and_the_api_promise(name: str, value: str) -> None:
    assert environment()[name] == value


def test_home_is_temporary_so_that_no_profile_of_the_user_is_read() -> None:
    assert environment()["HOME"] == environment()["TMPDIR"] == "/tmp/w"  # noqa: S108


def test_credentials_are_the_users_or_else_dummies() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}
    assert keys.items() <= environment(credentials=keys).items()
    assert environment()["AWS_ACCESS_KEY_ID"] == "local"
    assert "AWS_SESSION_TOKEN" not in environment()


@pytest.mark.parametrize("name", ["MODEL_SPEAKS", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "TZ", "MINE"])
def test_the_config_wins_over_defaults(name: str) -> None:
    assert environment(environment={name: "mine"})[name] == "mine"


@pytest.mark.parametrize("name", ["ENDPOINT_NAME", "AWS_REGION", "LAMBDA_TASK_ROOT", "AWS_ACCESS_KEY_ID"])
def test_reserved_variables_win_over_the_config(name: str) -> None:
    assert environment(environment={name: "mine"})[name] == environment()[name]


def test_a_python_path_of_the_config_comes_after_the_task_root() -> None:
    assert environment(environment={"PYTHONPATH": "lib"})["PYTHONPATH"] == "/functions/echo:lib"


def test_a_specification_survives_its_way_through_standard_input() -> None:
    written = specification(environment={"A": "ü"}, layers=("arn",), credentials={"AWS_ACCESS_KEY_ID": "a"})
    assert read_specification(written.to_json()) == written


def test_a_specification_does_not_show_its_secrets() -> None:
    assert "hunter2" not in repr(specification(environment={"A": "hunter2"}, credentials={"B": "hunter2"}))
