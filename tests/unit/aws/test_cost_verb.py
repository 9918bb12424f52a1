"""`mlapi cost`, and what `plan` and `deploy` say of money."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.aws_wire import Answer, xml_refusal
from support.price_list import build_query_answer
from support.verbs import mlapi as run_verb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.aws_wire import AwsWire

    Mlapi = Callable[..., subprocess.CompletedProcess[str]]

START = "from centralized_ml_api.cli import main; main()"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
MODEL = {"name": "chat", "image": IMAGE, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
BUDGET = {"usd": 100, "email": "me@example.com"}


@pytest.fixture
def mlapi(tmp_path: Path) -> Mlapi:
    """Runs a verb on a config of one model with this event; `before` is Python that runs first."""

    def run(*arguments: str, before: str = "", **config: Any) -> subprocess.CompletedProcess[str]:
        (tmp_path / "mine.json").write_text(json.dumps({"models": [MODEL], **config}), encoding="utf-8")
        if not before:
            ran = run_verb(*arguments, cwd=tmp_path)
            return subprocess.CompletedProcess(arguments, ran.status, ran.out, ran.talk)
        return subprocess.run(
            [sys.executable, "-c", f"{before}\n{START}", *arguments],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


@pytest.mark.slow
def test_cost_without_aws_uses_the_list_of_the_package(mlapi: Mlapi) -> None:
    before = "import sys; sys.modules['boto3'] = None"
    done = mlapi("cost", "mine.json", "--json", before=before)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["region"], data["prices"]["road"], data["complete"]) == ("us-east-1", "shipped", True)
    assert data["usd_per_hour"] == {"low": 1.515, "high": 1.515}


@pytest.mark.slow
def test_cost_asks_aws_where_there_are_credentials(mlapi: Mlapi, aws: AwsWire) -> None:
    aws.answers["pricing.GetProducts"] = Answer(200, build_query_answer(("Hosting", "ml.g5.2xlarge", "2")))
    done = mlapi("cost", "mine.json", "--hours", "10", "--requests", "1000000")
    assert "chat   1 x ml.g5.2xlarge  2.00         20.00" in done.stdout
    assert "1,000,000 calls: 3.50 USD." in done.stdout
    assert "fetched from AWS just now" in done.stdout
    assert "2026-10-01  AWS's price list" in done.stdout
    assert done.stderr.splitlines()[-1] == "Next: mlapi doctor mine.json"


@pytest.mark.usefixtures("aws")
@pytest.mark.slow
def test_cost_says_what_it_comes_to_until_the_event_ends_and_the_budget(mlapi: Mlapi) -> None:
    event = {"ends": "2999-01-01T00:00:00Z", "budget": BUDGET}
    done = mlapi("cost", "mine.json", event=event)
    assert "USD UNTIL THE EVENT ENDS" in done.stdout
    assert "EXCEED THE BUDGET of 100.00 USD" in done.stdout
    data = json.loads(mlapi("cost", "mine.json", "--json", event=event).stdout)
    assert [period["what"] for period in data["periods"]] == ["a day", "until the event ends"]
    assert data["budget"] == "above"


@pytest.mark.usefixtures("aws")
@pytest.mark.slow
def test_an_unknown_region_is_unknown_and_not_guessed(mlapi: Mlapi) -> None:
    there = {**MODEL, "image": IMAGE.replace("us-east-1", "eu-south-2")}
    data = json.loads(mlapi("cost", "mine.json", "--region", "eu-south-2", "--json", models=[there]).stdout)
    assert (data["complete"], data["entries"][0]["usd_per_hour"]) == (False, None)


@pytest.mark.parametrize("arguments", [["--hours", "0"], ["--hours", "-1"], ["--requests", "-1"]])
@pytest.mark.slow
def test_cost_refuses_hours_and_calls_that_cannot_be(arguments: list[str], mlapi: Mlapi) -> None:
    assert mlapi("cost", "mine.json", *arguments).returncode == 2


@pytest.mark.slow
def test_plan_shows_the_cost_of_an_hour(mlapi: Mlapi, aws: AwsWire) -> None:
    aws.answers["cloudformation.GetTemplate"] = xml_refusal("ValidationError", "there is no such stack", 400)
    assert "Instances cost 1.515 USD an hour" in mlapi("plan", "mine.json", "--target", "aws").stdout
    data = json.loads(mlapi("plan", "mine.json", "--target", "aws", "--json").stdout)
    assert data["cost"]["usd_per_hour"] == {"low": 1.515, "high": 1.515}


@pytest.mark.usefixtures("aws")
@pytest.mark.slow
def test_deploy_says_what_it_costs_before_it_asks(mlapi: Mlapi) -> None:
    said = mlapi("deploy", "mine.json").stderr
    assert "It costs 1.515 USD an hour, 36.36 USD a day (prices of " in said
    assert said.index("It costs") < said.index("this needs your confirmation")


@pytest.mark.usefixtures("aws")
@pytest.mark.slow
def test_deploy_above_the_budget_says_so_and_within_it_too(mlapi: Mlapi) -> None:
    above = mlapi("deploy", "mine.json", event={"budget": BUDGET}).stderr
    assert "This may EXCEED THE BUDGET of 100.00 USD: 1,090.80 USD in 30 days." in above
    within = mlapi("deploy", "mine.json", event={"budget": {**BUDGET, "usd": 2000}}).stderr
    assert "The budget of 2,000.00 USD is enough: 1,090.80 USD in 30 days." in within


@pytest.mark.slow
def test_yes_goes_on_above_the_budget_and_says_so(mlapi: Mlapi, aws: AwsWire) -> None:
    aws.answers["sts.GetCallerIdentity"] = xml_refusal("ExpiredToken", "The security token is expired")
    said = mlapi("deploy", "mine.json", "--yes", event={"budget": BUDGET}).stderr
    assert said.index("EXCEED THE BUDGET") < said.index("the AWS credentials have expired")


@pytest.mark.usefixtures("aws")
@pytest.mark.slow
def test_a_person_is_asked_whether_to_deploy_above_the_budget(tmp_path: Path) -> None:
    config = {"models": [MODEL], "event": {"budget": BUDGET}}
    (tmp_path / "mine.json").write_text(json.dumps(config), encoding="utf-8")
    terminal, their_end = pty.openpty()
    try:
        os.write(terminal, b"n\n")
        done = subprocess.run(
            [sys.executable, "-c", START, "deploy", "mine.json"],
            cwd=tmp_path,
            stdin=their_end,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(terminal)
        os.close(their_end)
    assert "Deploy above the budget? [y/N]:" in done.stderr
    assert done.returncode == 130
