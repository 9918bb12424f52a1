"""What a user reads when a model is looked up, to the letter, and what comes of a config that is right.

After an intended change of a text, `MLAPI_REWRITE_TEXTS=1 pytest` writes the new ones; read the diff.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.catalog.catalog import Catalog, open_catalog
from centralized_ml_api.catalog.sources.lock import LOCK_NAME, Locked, render_lock
from centralized_ml_api.catalog.sources.source import Found
from centralized_ml_api.config.checks.registry import RULES
from centralized_ml_api.config.load import read_config
from centralized_ml_api.config.render import render_problems
from centralized_ml_api.plan.jumpstart_lookup import merge_problems, resolve_facts
from support.jumpstart import CPU, DRAFT, GPU, NEURON, component, make_configured, make_spec, write_mirror

if TYPE_CHECKING:
    from typing import Unpack

    from centralized_ml_api.catalog.facts import ModelFacts
    from centralized_ml_api.catalog.resolve import Asked
    from centralized_ml_api.config.rule import Rule
    from centralized_ml_api.errors import Problem

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
LOOKED_UP = Path(__file__).parent / "looked_up"
TEXTS = sorted(LOOKED_UP.glob("*.txt"))
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TINY = "acme-textgeneration-tiny"


def made(name: str, **changes: Any) -> dict[str, Any]:
    return make_spec(model_id=f"acme-textgeneration-{name}", **changes)


QUICK = component(hosting_additional_data_sources=DRAFT)
SPECS = [
    make_spec(),
    {
        **make_configured(["quick", "plain"], quick=QUICK, plain=component()),
        "model_id": f"{TINY[:-4]}configured",
    },
    made("gated", hosting_eula_key="fmhMetadata/eula/acme.txt"),
    made("old", deprecated=True, deprecated_message="use acme-textgeneration-tiny"),
    made("leaky", inference_vulnerable=True, inference_vulnerabilities=["CVE-1"]),
    made("far", hosting_model_package_arns={"eu-west-1": "arn"}),
    made("script", hosting_prepacked_artifact_key=None, hosting_use_script_uri=True),
    made(
        "shares",
        dynamic_container_deployment_supported=True,
        hosting_resource_requirements={"min_memory_mb": 1024, "num_accelerators": 1},
    ),
    made("empty", hosting_prepacked_artifact_key=None),
]
LOOKED_UP_RULES = [rule for rule in RULES if rule.id.startswith("C5")]


class Untouched:
    """A catalogue that nobody may ask."""

    def resolve(self, model_id: str, version: str, *, region: str, **asked: Unpack[Asked]) -> ModelFacts:
        raise AssertionError(f"{model_id} {version} was looked up in {region}: {asked}")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    mirror = write_mirror(tmp_path / "mirror", *SPECS)
    return open_catalog(
        offline=True, environment={"MLAPI_JUMPSTART_MIRROR": str(mirror), "MLAPI_CACHE": str(tmp_path)}
    )


def locked_catalog(folder: Path) -> Catalog:
    (folder / LOCK_NAME).write_text(render_lock([Locked.of(Found(make_spec(), "live"), "*")]))
    environment = {"MLAPI_CACHE": str(folder)}
    return open_catalog(folder / "models.json", offline=True, environment=environment)


def look_up(text: str, catalog: Catalog, folder: Path) -> tuple[dict[str, ModelFacts], tuple[Problem, ...]]:
    path = folder / "models.json"
    path.write_text(text)
    loaded, written = read_config(path, now=NOW)
    facts, problems = resolve_facts(loaded, catalog, region="us-east-1")
    return facts, merge_problems(written, problems)


def entry(**changes: Any) -> dict[str, Any]:
    return {"name": "tiny", "model_id": TINY, "instance": GPU, "integration": {"type": "api"}, **changes}


def config(*entries: dict[str, Any]) -> str:
    return json.dumps({"models": entries}, indent=1)


@pytest.mark.parametrize("expected", [pytest.param(text, id=text.stem) for text in TEXTS])
def test_the_text_of_a_model_that_cannot_be_had(expected: Path, catalog: Catalog, tmp_path: Path) -> None:
    text = expected.with_suffix(".json").read_text()
    if expected.stem == "C511":
        catalog = locked_catalog(tmp_path)
    _, problems = look_up(text, catalog, tmp_path)
    actual = render_problems(problems, text).replace(str(tmp_path), "<root>") + "\n"
    if os.environ.get("MLAPI_REWRITE_TEXTS"):
        expected.write_text(actual)
    assert actual == expected.read_text()


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.id.startswith("C5")], ids=lambda rule: rule.id
)
def test_every_id_has_a_config_that_shows_it(rule: Rule) -> None:
    named = [text for text in TEXTS if text.stem.startswith(rule.id)]
    assert any(re.search(rf"\[{rule.id}\]", text.read_text()) for text in named)


def test_facts_come_by_the_name_of_the_entry(catalog: Catalog, tmp_path: Path) -> None:
    second = entry(name="other", instance=CPU, environment={"OWN": "1"})
    facts, problems = look_up(config(entry(), second), catalog, tmp_path)
    assert problems == ()
    assert {name: fact.instance for name, fact in facts.items()} == {"tiny": GPU, "other": CPU}
    assert facts["other"].environment["OWN"] == "1"


def test_a_config_without_jumpstart_models_asks_nothing(tmp_path: Path) -> None:
    own = entry(image=IMAGE)
    del own["model_id"]
    path = tmp_path / "models.json"
    path.write_text(config(own))
    loaded, _ = read_config(path, now=NOW)
    assert resolve_facts(loaded, Untouched(), region="us-east-1") == ({}, ())


def test_a_pool_of_one_family_has_the_facts_of_its_first_type(catalog: Catalog, tmp_path: Path) -> None:
    pool = entry(instances=[GPU, "ml.g5.4xlarge"], instance_check=False)
    del pool["instance"]
    facts, problems = look_up(config(pool), catalog, tmp_path)
    assert problems == ()
    assert facts["tiny"].instance == GPU


def test_an_instance_pool_that_needs_two_containers_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    pool = entry(instances=[GPU, NEURON])
    del pool["instance"]
    facts, problems = look_up(config(pool), catalog, tmp_path)
    assert [(problem.id, problem.location.path) for problem in problems] == [
        ("C512", "$.models[0].instances[1]")
    ]
    assert facts == {}


def test_the_instance_check_can_be_turned_off(catalog: Catalog, tmp_path: Path) -> None:
    unchecked = entry(instance="ml.g5.8xlarge", instance_check=False)
    assert look_up(config(unchecked), catalog, tmp_path)[1] == ()


@pytest.mark.parametrize(
    ("model", "resources"),
    [(f"{TINY[:-4]}shares", None), (TINY, {"memory_mb": 1024})],
    ids=["JumpStart says it", "the config says it"],
)
def test_a_model_may_sleep_where_somebody_says_what_a_copy_reserves(
    model: str, resources: dict[str, int] | None, catalog: Catalog, tmp_path: Path
) -> None:
    scaling = {"min_capacity": 0, "max_capacity": 1, "invocations_per_instance": 5}
    if resources:
        scaling["resources"] = resources  # type: ignore[assignment]  # a block among numbers
    assert look_up(config(entry(model_id=model, autoscaling=scaling)), catalog, tmp_path)[1] == ()


def test_an_accepted_licence_is_no_problem(catalog: Catalog, tmp_path: Path) -> None:
    accepted = entry(model_id="acme-textgeneration-gated", accept_eula=True)
    facts, problems = look_up(config(accepted), catalog, tmp_path)
    assert problems == ()
    assert facts["tiny"].eula.required


def test_everything_wrong_in_the_file_and_in_the_catalogue_at_once(catalog: Catalog, tmp_path: Path) -> None:
    wrong = entry(name="Tiny", model_id="acme-textgeneration-gated", instance="g5.2xlarge")
    _, problems = look_up(config(wrong), catalog, tmp_path)
    assert [problem.id for problem in problems] == ["C101", "C505", "C102"]
    assert problems[-1].expected.startswith('a type that "Tiny" supports: ml.g5.2xlarge, ')
