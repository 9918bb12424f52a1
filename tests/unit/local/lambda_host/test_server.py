"""What the supervisor learns about a host before it starts one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.local.lambda_host import FunctionServer, why_not_here
from centralized_ml_api.local.lambda_host.server import HostSpecification, read_specification
from support.function_host import NOWHERE, build_function_plan

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.local.launch import Server

Make = Callable[..., FunctionServer]


def test_python_functions_run_here(tmp_path: Path) -> None:
    assert why_not_here(build_function_plan(tmp_path, runtime="python3.12")) is None


@pytest.mark.parametrize("runtime", ["nodejs22.x", "java21", "provided.al2023"])
def test_functions_in_other_languages_are_refused_by_name(tmp_path: Path, runtime: str) -> None:
    reason = why_not_here(build_function_plan(tmp_path, runtime=runtime))
    assert reason is not None
    assert runtime in reason


def test_a_host_is_a_server_whose_function_reads_path_and_query(make_server: Make) -> None:
    server: Server = make_server("")
    assert server.ping_path == "/ping"


def test_secrets_travel_through_standard_input_and_nowhere_else(make_server: Make) -> None:
    launch = make_server("", environment={"TOKEN": "s3cret"}).launch(1234)
    assert "s3cret" not in " ".join(launch.argv)
    assert "s3cret" not in " ".join(launch.environment.values())
    assert "s3cret" not in repr(launch)
    assert read_specification(launch.stdin).environment == {"TOKEN": "s3cret"}
    assert "s3cret" not in repr(read_specification(launch.stdin))


def test_the_users_environment_is_not_shown_with_the_server(make_server: Make) -> None:
    assert "s3cret" not in repr(replace(make_server(""), inherited={"TOKEN": "s3cret"}))


def test_only_path_region_and_keys_are_taken_from_the_users_environment(
    make_server: Make,
) -> None:
    inherited = {
        "PATH": "/x",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_PROFILE": "work",
        "HOME": "/home/me",
    }
    launch = replace(make_server(""), inherited=inherited).launch(1234)
    specification = read_specification(launch.stdin)
    assert (specification.path, specification.region) == ("/x", "eu-north-1")
    assert specification.credentials == {"AWS_ACCESS_KEY_ID": "k"}
    assert dict(launch.environment) == {"PATH": "/x", "LANG": "C.UTF-8"}


def test_the_region_defaults_to_the_originals(make_server: Make) -> None:
    assert read_specification(make_server("").launch(1).stdin).region == "us-east-1"


def test_the_host_is_told_how_many_workers_and_how_long_one_may_idle(make_server: Make) -> None:
    specification = read_specification(make_server("", max_workers=3, idle_seconds=7).launch(1).stdin)
    assert (specification.max_workers, specification.idle_seconds) == (3, 7)


def test_a_server_shows_nothing_of_the_users_environment(make_server: Make) -> None:
    assert "hunter2" not in repr(make_server(""))


def test_a_specification_shows_no_credentials(make_server: Make) -> None:
    server = replace(make_server(""), inherited={"AWS_SECRET_ACCESS_KEY": "s3cret"})
    specification = read_specification(server.launch(1).stdin)
    assert specification.credentials == {"AWS_SECRET_ACCESS_KEY": "s3cret"}
    assert "s3cret" not in repr(specification)


def test_the_host_is_told_everything_about_its_function(make_server: Make, tmp_path: Path) -> None:
    layers = ("arn:of:a-layer",)
    server = make_server("", timeout_seconds=7, handler="app.main", layers=layers, environment={"A": "b"})
    specification = read_specification(server.launch(1234).stdin)
    assert specification == HostSpecification(
        name="echo",
        code=str(tmp_path / "my function"),
        handler="app.main",
        timeout_seconds=7,
        memory_mib=256,
        endpoint_name="echo-endpoint",
        runtime_url=NOWHERE,
        model_speaks="openai-chat",
        port=1234,
        region="us-east-1",
        path="/usr/bin:/bin",
        scratch=str(tmp_path / "scratch"),
        layers=layers,
        environment={"A": "b"},
        credentials={},
        max_workers=8,
        idle_seconds=300,
    )
    assert specification.function_arn == "arn:aws:lambda:us-east-1:000000000000:function:echo"
    assert read_specification(replace(server, scratch=None).launch(1).stdin).scratch is None
