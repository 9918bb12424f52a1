from __future__ import annotations

from pathlib import Path

import pytest

from centralized_ml_api.errors import Location, Problem
from centralized_ml_api.plan.finding import Finding, Severity, build_config_findings, is_healthy

CONFIG = Path("models.json")
PLACE = Location("models.json", 3, 5, "$.models[0]")


def test_a_config_without_problems_is_one_finding_that_is_ok() -> None:
    assert build_config_findings(CONFIG, []) == [Finding("config", "ok", "models.json has no problems")]


def test_each_problem_of_a_config_is_a_finding_with_its_place_fix_and_page() -> None:
    problem = Problem(
        "C102", "unknown instance", PLACE, found='"ml.x"', fix="choose another", severity="warning"
    )
    assert build_config_findings(CONFIG, [problem, problem]) == 2 * [
        Finding(
            "config",
            "warning",
            "unknown instance [C102]",
            'models.json:3:5 "ml.x"',
            "choose another",
            "mlapi explain C102",
        )
    ]


@pytest.mark.parametrize(
    ("worst", "healthy"), [("ok", True), ("warning", True), ("unknown", True), ("error", False)]
)
def test_only_an_error_stands_in_the_way(worst: Severity, *, healthy: bool) -> None:
    assert is_healthy([Finding("a", "ok", ""), Finding("b", worst, "")]) is healthy
