from __future__ import annotations

from dataclasses import replace
from math import inf

from prometheus_client.parser import text_string_to_metric_families

from centralized_ml_api.local.status import EntryStatus, LocalStatus, PartStatus, SleepStatus
from centralized_ml_api.local.traffic.metrics import render_metrics
from centralized_ml_api.local.traffic.types import (
    Counted,
    Durations,
    Requests,
    SpendingLeft,
    TeamLimit,
    TokenCount,
    Traffic,
)
from centralized_ml_api.plan.event import POT

ODD = 'a"b\\c\nd'
PART = PartStatus("chat", "ready", "", 1, 2, 3, (4711,), ("a line of the log",), hangs=2)
ENTRY = EntryStatus("chat", "/chat", "ready", "", "llama.cpp", "api", (PART,))
STATUS = LocalStatus(
    1, "c.json", ".mlapi", 0.0, "http://a", "", "http://b", (ENTRY,), (), "2030-01-01T00:00:00Z"
)
COUNTED = Counted(
    (Requests("chat", ODD, 200, 9),),
    (Durations("chat", ((1.5, 2), (inf, 9)), 4000.0),),
    {"chat": 3},
    (TokenCount("chat", "red", "out", estimated=True, count=12),),
)


def samples(status: LocalStatus, traffic: Traffic) -> dict[str, float]:
    """As a Prometheus would read them."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(render_metrics(status, traffic).decode())
        for sample in family.samples
    }


def test_calls_models_and_the_end_are_there_in_base_units() -> None:
    found = samples(STATUS, Traffic(1.0, COUNTED, waiting={"chat": 2}))
    assert found["mlapi_requests_waiting[('model', 'chat')]"] == 2
    assert found[f"mlapi_requests_total{[('model', 'chat'), ('status', '200'), ('team', ODD)]}"] == 9
    assert found["mlapi_request_duration_seconds_bucket[('le', '0.0015'), ('model', 'chat')]"] == 2
    assert found["mlapi_request_duration_seconds_bucket[('le', '+Inf'), ('model', 'chat')]"] == 9
    assert found["mlapi_request_duration_seconds_sum[('model', 'chat')]"] == 4
    assert found["mlapi_requests_in_flight[('model', 'chat')]"] == 3
    labels = [("estimated", "yes"), ("kind", "out"), ("model", "chat"), ("team", "red")]
    assert found[f"mlapi_tokens_total{labels}"] == 12
    assert found["mlapi_replicas_ready[('model', 'chat'), ('part', 'chat')]"] == 1
    assert found["mlapi_restarts_total[('model', 'chat'), ('part', 'chat')]"] == 3
    assert found["mlapi_hangs_total[('model', 'chat'), ('part', 'chat')]"] == 2
    assert found["mlapi_ends_timestamp_seconds[]"] == 1893456000
    assert found["mlapi_gateway_up[]"] == 1


def test_a_gateway_that_does_not_answer_is_said_and_invents_no_zeros() -> None:
    found = samples(STATUS, Traffic(1.0, None))
    assert found["mlapi_gateway_up[]"] == 0
    assert not [name for name in found if name.startswith("mlapi_request")]
    assert found["mlapi_model_ready[('model', 'chat')]"] == 1


def test_only_limits_that_a_team_has_are_there() -> None:
    found = samples(STATUS, Traffic(1.0, None, (TeamLimit("red", 5.0, None, None),)))
    assert found["mlapi_team_limit_per_second[('team', 'red')]"] == 5
    assert not [name for name in found if "day" in name]


def test_what_is_left_of_tokens_and_dollars_is_told_by_team_and_period() -> None:
    left = (
        SpendingLeft("red", "tokens", "minute", 1000, 250),
        SpendingLeft("red", "nanodollars", "event", 5 * 10**9, 1_250_000_000),
        SpendingLeft(POT, "nanodollars", "event", 25 * 10**9, 0),
    )
    found = samples(STATUS, Traffic(1.0, None, spending=left))
    told = {name: value for name, value in found.items() if "_left_" in name or "_limit_" in name}
    red = "('period', '{}'), ('team', 'red')"
    assert told == {
        f"mlapi_team_limit_tokens[{red.format('minute')}]": 1000,
        f"mlapi_team_left_tokens[{red.format('minute')}]": 250,
        f"mlapi_team_limit_usd[{red.format('event')}]": 5,
        f"mlapi_team_left_usd[{red.format('event')}]": 1.25,
        "mlapi_pot_limit_usd[('period', 'event')]": 25,
        "mlapi_pot_left_usd[('period', 'event')]": 0,
    }


def test_nothing_of_this_machine_or_of_logs_is_told() -> None:
    text = render_metrics(STATUS, Traffic(1.0, COUNTED)).decode()
    assert "4711" not in text
    assert "a line of the log" not in text
    assert ".mlapi" not in text


def test_models_that_sleep_say_so_and_count_as_ready() -> None:
    asleep = replace(ENTRY, name="nap", state="asleep", sleep=SleepStatus(3, 60.5, 2.5))
    waking = replace(ENTRY, name="new", state="waking", sleep=SleepStatus(0, 1.0, None))
    found = samples(replace(STATUS, entries=(ENTRY, asleep, waking)), Traffic(1.0, COUNTED))
    of = {
        name: found.get(f"{name}[('model', 'nap')]")
        for name in ("mlapi_model_asleep", "mlapi_model_ready_in_seconds", "mlapi_wakes_total")
    }
    assert of == {"mlapi_model_asleep": 1, "mlapi_model_ready_in_seconds": 2.5, "mlapi_wakes_total": 3}
    assert found["mlapi_asleep_seconds_total[('model', 'nap')]"] == 60.5
    assert found["mlapi_model_asleep[('model', 'new')]"] == 0
    assert "mlapi_model_ready_in_seconds[('model', 'new')]" not in found
    assert {found[f"mlapi_model_ready[('model', '{name}')]"] for name in ("chat", "nap", "new")} == {1}
    assert not [name for name in found if "asleep" in name and "'chat'" in name]
