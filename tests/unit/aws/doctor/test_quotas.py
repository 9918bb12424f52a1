"""Whether quotas are enough, given what runs already: pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.aws.doctor.quotas import Account, compare
from centralized_ml_api.aws.doctor.running import Running
from centralized_ml_api.config.schema import ModelEntry
from centralized_ml_api.config.shape.read import read_object

if TYPE_CHECKING:
    from centralized_ml_api.plan.finding import Finding

BIG, SMALL = "ml.g5.2xlarge", "ml.g6.2xlarge"
ALLOW = "and the quotas of its types allow"
USED_UP = "the quotas of all instance types of chat are used up"


def model(name: str = "chat", scaling: tuple[int, int] | None = None, **more: Any) -> ModelEntry:
    """A model, with one instance unless it scales between two numbers."""
    numbers = dict(zip(("min_capacity", "max_capacity"), scaling or (), strict=False))
    scaled = {"autoscaling": {**numbers, "invocations_per_instance": 5}} if scaling else {}
    source = {"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1", "integration": {"type": "api"}}
    return read_object(ModelEntry, {"name": name, **source, **scaled, **more})


def find(
    *models: ModelEntry,
    quotas: dict[str, int],
    own: dict[str, int] | None = None,
    others: dict[str, int] | None = None,
) -> list[Finding]:
    running = Running(Counter(own or {}), Counter(others or {}))
    return list(compare(models, Account("us-east-1", quotas, running)))


def test_what_runs_elsewhere_leaves_less_of_a_quota() -> None:
    (finding,) = find(model(instance=BIG), quotas={BIG: 4}, others={BIG: 4})
    assert (finding.severity, finding.title) == ("error", f"the quota of {BIG} is 4, and 4 run already")
    assert finding.detail.endswith("; now 4 run elsewhere in the account")
    assert f'"{BIG} for endpoint usage" to 5' in finding.fix
    (enough,) = find(model(instance=BIG), quotas={BIG: 5}, others={BIG: 4})
    assert enough.severity == "ok"


def test_what_autoscaling_may_start_is_compared_with_what_is_left() -> None:
    (finding,) = find(model(instance=BIG, scaling=(1, 3)), quotas={BIG: 4}, others={BIG: 2})
    assert (finding.severity, finding.fix.partition(", or ")[2]) == ("warning", "lower max_capacity")
    assert "to 5 in Service Quotas" in finding.fix


def test_a_deploy_starts_one_instance_even_of_a_model_that_may_sleep() -> None:
    (finding,) = find(model(instance=BIG, scaling=(0, 1)), quotas={BIG: 1}, others={BIG: 1})
    assert (finding.severity, finding.title) == ("error", f"the quota of {BIG} is 1, and 1 run already")
    assert "1 allowed, 1 started at first, 1 at most" in finding.detail


def test_what_the_stack_itself_runs_is_no_new_demand_but_an_update_needs_both() -> None:
    (finding,) = find(model(instance=BIG), quotas={BIG: 1}, own={BIG: 1})
    assert finding.severity == "warning"
    assert finding.title == f"the quota of {BIG} leaves no room for an update"
    assert "1 allowed, 1 started at first, 1 at most; now 1 in this stack" in finding.detail
    assert "to 2 in Service Quotas" in finding.fix
    (enough,) = find(model(instance=BIG), quotas={BIG: 2}, own={BIG: 1})
    assert enough.severity == "ok"


@pytest.mark.parametrize(
    ("scaling", "quotas", "others", "severity", "title"),
    [
        ((2, 4), {BIG: 2, SMALL: 2}, {}, "ok", f"chat can start on {BIG} or {SMALL}"),
        ((2, 4), {BIG: 1, SMALL: 1}, {}, "warning", f"chat may scale to 4 instances, {ALLOW} 2"),
        ((2, 2), {BIG: 1}, {}, "error", f"chat starts 2 instances at first, {ALLOW} 1"),
        ((1, 1), {BIG: 2, SMALL: 1}, {BIG: 2, SMALL: 1}, "error", USED_UP),
        ((1, 1), {BIG: 0}, {}, "error", "no instance type of chat has a quota"),
        ((1, 1), {BIG: 1, SMALL: 1}, {BIG: 1}, "ok", f"chat can start on {SMALL}"),
    ],
)  # fmt: skip
def test_several_types_together_must_allow_the_minimum(
    scaling: tuple[int, int], quotas: dict[str, int], others: dict[str, int], severity: str, title: str
) -> None:
    (finding,) = find(model(instances=[BIG, SMALL], scaling=scaling), quotas=quotas, others=others)
    assert (finding.severity, finding.title) == (severity, title)


def test_a_pool_gets_what_other_models_leave() -> None:
    pools = [model(name, instances=[BIG, SMALL]) for name in ("first", "second", "third")]
    found = find(model(instance=BIG), *pools, quotas={BIG: 2, SMALL: 1})
    assert [finding.severity for finding in found] == ["ok", "ok", "ok", "error"]
    assert found[2].title == f"second can start on {SMALL}"
    assert found[2].detail == f"{BIG}: 2 (0 free), {SMALL}: 1"
