"""Warnings of the config, as the verbs that serve it tell them: one line, not page after page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.local_api import PLAIN, mlapi, models, odd_command, start_local_api, write_config

if TYPE_CHECKING:
    from pathlib import Path


def warned() -> dict[str, Any]:
    config = models(echo=odd_command())
    config["models"][0]["integration"] = {"type": "api", "headers": ["Accept", "Content-Type"]}
    return config


@pytest.mark.slow
def test_up_and_reload_count_warnings_on_one_line(tmp_path: Path) -> None:
    with start_local_api(tmp_path, warned()) as api:
        api.wait_serving()
        ran = mlapi("reload", cwd=tmp_path)
    said = "models.json: 2 warnings. Details: mlapi check models.json"
    assert [line for line in api.output.splitlines() if "warning" in line] == [said]
    assert [line for line in ran.talk.splitlines() if "warning" in line] == [said]


@pytest.mark.slow
@pytest.mark.parametrize("warnings", ["default::FutureWarning", "error::FutureWarning"])
def test_a_start_in_the_background_prints_its_own_lines_and_nothing_else(
    tmp_path: Path, warnings: str
) -> None:
    """It asks for the status from its first moment on, when nothing has an address yet."""
    write_config(
        tmp_path,
        {
            "models": [],
            "endpoints": [{"name": "echo", "integration": PLAIN["integration"], "local": odd_command()}],
        },
    )
    ran = mlapi(
        *("up", "models.json", "--detach", "--port", "0"),
        cwd=tmp_path,
        environment={"PYTHONWARNINGS": warnings},
    )
    stopped = mlapi("down", cwd=tmp_path)
    assert (ran.status, stopped.status) == (0, 0)
    address = ran.out.partition("Serving on ")[2].partition("\n")[0]
    assert ran.out == (
        f'Serving on {address}\nTry: curl -X POST {address}/echo -d \'{{"…": "your own body"}}\'\n'
    )
    runtime = ran.talk.partition("AWS CLI: ")[2].partition("\n")[0]
    progress = "  echo: starting"  # is seen or not, as it happens
    assert [line for line in ran.talk.splitlines() if line != progress] == [
        "Starting models.json in the background:",
        "  echo: ready",
        (
            "  No key is needed; only programs on this machine can call."
            " All callers together: 100 requests a second, in bursts of up to 200."
        ),
        f"  SageMaker runtime for boto3 and the AWS CLI: {runtime}",
        "",
        "To stop it: mlapi down",
        "Next: mlapi status",
    ]
