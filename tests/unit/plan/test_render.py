"""What the notes of a plan say, which differ between the targets."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from centralized_ml_api.config.load import load_config
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.render import Target, plan_notes, render_plan

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
TARGETS: tuple[Target, ...] = ("local", "aws")


def plan_of(folder: Path, integration: str, **event: Any) -> ApiPlan:
    """The plan of one model."""
    model = {"name": "chat", "image": IMAGE, "instance": "ml.g5.2xlarge"}
    config = {"models": [{**model, "integration": {"type": integration}}], "event": event}
    folder.mkdir(exist_ok=True)
    path = folder / "models.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))


def test_who_may_call_one_machine_and_how_often_is_told(tmp_path: Path) -> None:
    (public,) = plan_notes(plan_of(tmp_path / "public", "api", requests_per_second=5), "local")
    (teams,) = plan_notes(plan_of(tmp_path / "teams", "api", teams=["red"]), "local")
    assert public == (
        "No key is needed; without `--host`, only programs on this machine can call."
        " All callers together: 5 requests a second, in bursts of up to 10."
    )
    assert "the key of a team; there is 1 team" in teams


def test_who_may_call_on_aws_is_told(tmp_path: Path) -> None:
    (public,) = plan_notes(plan_of(tmp_path / "public", "api"), "aws")
    (teams,) = plan_notes(plan_of(tmp_path / "teams", "api", teams=["red", "blue"]), "aws")
    assert "public" in public
    assert "the key of a team; there are 2" in teams


def test_aws_is_said_not_to_limit_calls_at_once(tmp_path: Path) -> None:
    limited = plan_of(tmp_path / "limited", "api", teams=["red"], requests_at_once=4)
    (_, note) = plan_notes(limited, "aws")
    assert note.startswith("Not enforced on AWS: requests_at_once.")
    assert "requests_at_once" not in " ".join(plan_notes(limited, "local"))


def test_the_end_is_told_on_both_targets_and_nothing_without_one(tmp_path: Path) -> None:
    ending = plan_of(tmp_path / "ending", "api", ends="2030-06-01T18:00:00+02:00")
    endless = plan_of(tmp_path / "endless", "api")
    for target in TARGETS:
        assert "Ends automatically at 2030-06-01T16:00:00Z." in plan_notes(ending, target)
        assert "Ends" not in " ".join(plan_notes(endless, target))


def test_the_start_is_told_on_both_targets(tmp_path: Path) -> None:
    starting = plan_of(tmp_path, "api", teams=["red"], starts="2030-06-01T09:00:00+02:00")
    for target in TARGETS:
        assert "Keys work from 2030-06-01T07:00:00Z on." in plan_notes(starting, target)[0]


def test_the_instances_on_aws_are_a_count_a_range_or_what_already_exists(tmp_path: Path) -> None:
    scaling = {"min_capacity": 1, "max_capacity": 3, "invocations_per_instance": 5}
    plain = {"image": IMAGE, "integration": {"type": "api"}}
    models = [
        {**plain, "name": "one", "instance": "ml.g5.2xlarge"},
        {**plain, "name": "scaled", "instances": ["ml.g5.xlarge", "ml.g6.xlarge"], "autoscaling": scaling},
    ]
    adopted = {"name": "old", "integration": {"type": "api"}}
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"models": models, "endpoints": [adopted]}), encoding="utf-8")
    plan = build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))
    assert [re.split(" {2,}", line)[2] for line in render_plan(plan, "aws").splitlines()[:4]] == [
        "INSTANCES",
        "1 x ml.g5.2xlarge",
        "1-3 x ml.g5.xlarge or ml.g6.xlarge",
        "as it is",
    ]
