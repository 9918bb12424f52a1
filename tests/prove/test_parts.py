"""What a run deploys, what its report hides, and that its model is the contract's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.config.load import load_config
from contract.api import DOWN
from contract.suite import BY_NAME
from prove.asking import NOT_OF_THIS_CONFIG, Asked, collect, why_skipped
from prove.model import inference
from prove.placing import NOWHERE, WANTED, build_proof_config, image_of, place
from prove.report import Check, Report
from support import odd_server

if TYPE_CHECKING:
    from pathlib import Path

PRICES = {
    "ml.c5.xlarge": Decimal("0.204"),
    "ml.t2.medium": Decimal("0.056"),
    "ml.g5.xlarge": Decimal("0.01"),
    "ml.c5.4xlarge": Decimal("0.01"),
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_each_model_gets_the_cheapest_type_that_is_free_until_the_money_is_used() -> None:
    placed = place(PRICES, {"ml.t2.medium": 2, "ml.c5.xlarge": 9, "ml.g5.xlarge": 9}, Decimal("0.60"))
    first = dict.fromkeys(("echo", "chat"), "ml.t2.medium")
    assert placed.types == first | dict.fromkeys(("same", "refuses"), "ml.c5.xlarge")
    assert placed.hourly == Decimal("0.520")
    assert place(PRICES, {}, Decimal(2)).types == {}, "no quota, no instance"
    assert set(place(PRICES, None, Decimal(2)).types) == set(WANTED), "nobody knows the quotas"


def test_the_config_is_valid_and_what_has_no_instance_is_nowhere(tmp_path: Path) -> None:
    placed = place(PRICES, {"ml.t2.medium": 2}, Decimal(2))
    image = image_of("eu-west-1")
    config = build_proof_config(tmp_path, placed, image=image, model_data="s3://b/model.tar.gz", ends=NOW)
    (tmp_path / "models.json").write_text(json.dumps(config), encoding="utf-8")
    loaded = load_config(tmp_path / "models.json", now=datetime(2025, 12, 31, tzinfo=UTC), region="eu-west-1")
    assert [model.name for model in loaded.config.models] == ["echo", "chat"]
    behaviours = [model.environment["BEHAVES_AS"] for model in loaded.config.models]
    assert behaviours == ["/echo", "/chat"]
    names = {entry.name: entry.endpoint_name for entry in loaded.config.endpoints}
    assert names[DOWN] == f"{NOWHERE}{DOWN}"
    assert loaded.config.event is not None
    assert loaded.config.event.ends == "2026-01-01T00:00:00+00:00", "the stack deletes itself"


def test_what_cannot_be_asked_says_why() -> None:
    asked = {each.name: each for each in collect()}
    entries = {"echo", "hangs", "words", "function", DOWN}

    def reason(name: str) -> str:
        return why_skipped(asked[name], {"echo"}, entries)

    assert reason("a model that is too slow is 504").startswith("it needs a model")
    assert reason("a model's error that is not JSON") == "the account has no room for its model"
    assert reason("a missing Content-Type is application/json") == ""
    assert set(NOT_OF_THIS_CONFIG) <= set(asked), "each is the name of a case"


def test_every_case_that_aws_answers_is_collected_once() -> None:
    collected = list(collect())
    assert len({(each.group, each.name) for each in collected}) == len(collected)
    assert {name for name, case in BY_NAME.items() if case.only != "local"} <= {
        each.name for each in collected
    }
    assert all(isinstance(each, Asked) for each in collected)


def test_a_report_hides_accounts_keys_and_what_it_is_told(tmp_path: Path) -> None:
    report = Report(facts={"caller": "arn:aws:iam::123456789012:user/me"})
    report.hide("abcdef.execute-api.us-east-1.amazonaws.com", "api")
    key = "mlapi_0123456789abcdefghijklmnopqrstuvwxyz"
    report.checks += [
        Check("keys", "a | b", "failed", f"sent {key} to https://abcdef.execute-api.us-east-1.amazonaws.com"),
        Check("contract", "fine", "passed", "", "200 application/json <p>", 1.25),
    ]
    readable, machine = (path.read_text(encoding="utf-8") for path in report.write(tmp_path))
    for secret in ("123456789012", key, "abcdef.execute-api"):
        assert secret not in readable + machine
    assert "**FAILED**: 1 passed, 1 failed, 0 skipped." in readable
    assert "- **keys: a \\| b**" in readable
    assert "| contract | fine | passed | 1.2 | 200 application/json &lt;p> |" in readable
    assert json.loads(machine)["counts"] == {"passed": 1, "failed": 1, "skipped": 0}


def test_a_report_stays_json_whatever_it_hides(tmp_path: Path) -> None:
    report = Report(checks=[Check("keys", "k", "passed", seconds=0.017187255012)])
    report.hide('a "quoted" key', "key")
    report.checks.append(Check("keys", "l", "failed", 'it said: a "quoted" key'))
    _, machine = report.write(tmp_path)
    first, second = json.loads(machine.read_text(encoding="utf-8"))["checks"]
    assert (first["seconds"], second["reason"]) == (0.017187255012, "it said: <key>")


def test_a_report_without_checks_has_not_passed() -> None:
    assert not Report().is_passed
    assert Report(checks=[Check("g", "n", "passed"), Check("g", "m", "skipped", "why")]).is_passed


@pytest.mark.parametrize(
    ("behaviour", "status", "body"),
    [
        ("/refuse/422", 422, odd_server.REFUSAL),
        ("/refuse/500", 500, odd_server.REFUSAL),
        ("/same", 200, b"sent"),
        ("/status/418", 418, b"as it is: \xff"),
    ],
)
def test_the_model_behaves_as_the_odd_server(behaviour: str, status: int, body: bytes) -> None:
    answered = inference.answer(behaviour, b"sent", {"content-type": "a/b"})
    assert (answered[0], answered[2]) == (status, body)


def test_the_model_echoes_and_chats() -> None:
    _, _, body = inference.answer("/echo", b"x", {"content-type": "a/b", "x-forwarded-for": "1", "host": "h"})
    assert json.loads(body)["headers"] == [["content-type", "a/b"]]
    asked = {"messages": [{"role": "user", "content": "it is so"}]}
    _, kind, whole = inference.answer("/chat", json.dumps(asked).encode(), {})
    assert kind == {"Content-Type": "application/json"}
    assert json.loads(whole)["choices"][0]["message"]["content"] == "it is so"
    _, kind, events = inference.answer("/chat", json.dumps({**asked, "stream": True}).encode(), {})
    assert kind == {"Content-Type": "text/event-stream"}
    assert events.count(b"data: {") == 3
    assert events.endswith(b"data: [DONE]\n\n")
