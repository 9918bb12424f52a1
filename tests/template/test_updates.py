"""What an edit of the config does to a deployed stack: what is replaced, what is updated in place.

CloudFormation makes a replacement before it removes what it replaces, so nothing replaced may have a name of
ours; and an endpoint that were replaced would be away meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.aws.deploy.template_diff import compare_templates
from centralized_ml_api.catalog.facts import DeployFacts, ModelFacts
from support.synthesis import PACKAGE, Config, build_facts, container, function, model, package

if TYPE_CHECKING:
    from collections.abc import Iterable

    from centralized_ml_api.aws.deploy.template_diff import Change
    from support.synthesis import Deploys

MODEL = "AWS::SageMaker::Model"
CONFIG = "AWS::SageMaker::EndpointConfig"
ENDPOINT = "AWS::SageMaker::Endpoint"
DEPLOYMENT = "AWS::ApiGateway::Deployment"
SCALING = {"min_capacity": 1, "max_capacity": 2, "invocations_per_instance": 5}

HOSTING_ANEW = {(MODEL, "replace"), (CONFIG, "replace"), (ENDPOINT, "update")}
CONFIG_ANEW = {(CONFIG, "replace"), (ENDPOINT, "update")}
ROUTES_ANEW = {("AWS::ApiGateway::RestApi", "update"), ("AWS::ApiGateway::Stage", "update")}
API_MOVED = {*ROUTES_ANEW, ("AWS::Lambda::Function", "update")}
"""Another endpoint was added, and the old one is removed: whoever calls it is told another name."""

DOCUMENTS_ANEW = {*ROUTES_ANEW, ("AWS::IAM::ManagedPolicy", "update")}
"""What participants read has another name when it says something else, and the API may read that one."""

NAMES = {
    "ModelName", "EndpointConfigName", "EndpointName", "FunctionName", "RoleName", "ManagedPolicyName",
    "LogGroupName", "PolicyName",
}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """Two configs, and what must happen to what is there from one to the other."""

    before: Config
    after: Config
    happens: set[tuple[str, str]]
    facts: ModelFacts | None = None


GATED = build_facts(deploy=DeployFacts(600, None, None, None))
EDITS = {
    "instance": Edit(package(), package(instance="ml.g5.4xlarge"), CONFIG_ANEW),
    "instances": Edit(
        package(), package(instance=None, instances=["ml.g5.2xlarge", "ml.g5.4xlarge"]), CONFIG_ANEW
    ),
    "environment": Edit(model(), model(environment={"A": "1"}), HOSTING_ANEW),
    "image": Edit(
        container(image="123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"),
        container(image="123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:2"),
        HOSTING_ANEW,
    ),
    "artifacts": Edit(
        container(),
        container(model_data="s3://mine/b.tar.gz"),
        {*HOSTING_ANEW, ("AWS::IAM::ManagedPolicy", "update")},
    ),
    "package": Edit(package(), package(model_package_arn=f"{PACKAGE}-2"), HOSTING_ANEW),
    "autoscaling added": Edit(package(), package(autoscaling=SCALING), API_MOVED),
    "autoscaling removed": Edit(package(autoscaling=SCALING), package(), API_MOVED),
    "autoscaling and instance": Edit(
        package(autoscaling=SCALING), package(autoscaling=SCALING, instance="ml.g5.4xlarge"), API_MOVED
    ),
    "autoscaling, highest count": Edit(
        package(autoscaling=SCALING),
        package(autoscaling={**SCALING, "max_capacity": 5}),
        {("AWS::ApplicationAutoScaling::ScalableTarget", "update")},
    ),
    "autoscaling, lowest count": Edit(
        package(autoscaling=SCALING),
        package(autoscaling={**SCALING, "min_capacity": 2}),
        {("AWS::ApplicationAutoScaling::ScalableTarget", "update"), *CONFIG_ANEW},
    ),
    "autoscaling, target": Edit(
        package(autoscaling=SCALING),
        package(autoscaling={**SCALING, "invocations_per_instance": 9}),
        {("AWS::ApplicationAutoScaling::ScalingPolicy", "update")},
    ),
    "headers": Edit(package(), package(integration={"type": "api", "headers": ["X-Caller"]}), DOCUMENTS_ANEW),
    "function, timeout": Edit(
        package(integration=function()),
        package(integration=function(timeout=20)),
        {("AWS::Lambda::Function", "update")},
    ),
    "function, memory": Edit(
        package(integration=function()),
        package(integration=function(memory=1024)),
        {("AWS::Lambda::Function", "update")},
    ),
    "function, environment": Edit(
        package(integration=function()),
        package(integration=function(environment={"LEVEL": "b"})),
        {("AWS::Lambda::Function", "update")},
    ),
    "function, permissions": Edit(
        package(integration=function()),
        package(integration=function(permissions=["sagemaker:InvokeEndpoint", "s3:GetObject"])),
        {("AWS::IAM::Role", "update")},
    ),
    "description": Edit(package(), package(description="New."), DOCUMENTS_ANEW),
    "sample": Edit(package(), package(sample={"a": 1}), DOCUMENTS_ANEW),
    "local": Edit(package(), package(local={"engine": "url", "url": "http://box:1"}), set()),
}
"""By the field that is edited; `happens` leaves out what is only added or removed."""


def changes_of(template_of: Deploys, edit: Edit) -> tuple[Change, ...]:
    before = template_of(edit.before, facts=edit.facts).document
    return compare_templates(before, template_of(edit.after, facts=edit.facts).document)


EVENTS = {
    "limits of a team": (
        {"teams": [{"name": "red", "requests_per_day": 5}]},
        {"teams": [{"name": "red", "requests_per_day": 9}]},
        {("AWS::ApiGateway::UsagePlan", "update")},
    ),
    "another team": (
        {"teams": ["red"]},
        {"teams": ["red", "blue"]},
        {("AWS::ApiGateway::Stage", "update")},  # what all teams together may send
    ),
    "the list of a team": (
        {"teams": [{"name": "red", "models": []}]},
        {"teams": [{"name": "red", "models": ["a-package"]}]},
        {("AWS::Lambda::Function", "update"), ("AWS::IAM::Role", "update")},
    ),
    "the end": (
        {"ends": "2030-06-01T18:00:00Z"},
        {"ends": "2030-06-02T18:00:00Z"},
        {*DOCUMENTS_ANEW, ("AWS::Scheduler::Schedule", "update"), ("AWS::Lambda::Function", "update")},
    ),
}
"""Two events, and what happens to what is there; no key is ever made anew."""


@pytest.mark.parametrize("name", EVENTS)
def test_an_edit_of_the_event_keeps_every_key(template_of: Deploys, name: str) -> None:
    before, after, happens = EVENTS[name]
    changes = compare_templates(
        template_of(package(), event=before).document, template_of(package(), event=after).document
    )
    assert kept(changes) == happens


def kept(changes: Iterable[Change]) -> set[tuple[str, str]]:
    return {(change.type, change.action) for change in changes if change.action in {"update", "replace"}}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_touches_what_it_must_and_nothing_else(template_of: Deploys, edit: Edit) -> None:
    assert kept(changes_of(template_of, edit)) == edit.happens


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_no_edit_replaces_an_endpoint_or_the_api(template_of: Deploys, edit: Edit) -> None:
    replaced = {change.type for change in changes_of(template_of, edit) if change.action == "replace"}
    assert replaced <= {MODEL, CONFIG}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_nothing_that_an_edit_replaces_has_a_name_that_its_successor_would_meet(
    template_of: Deploys, edit: Edit
) -> None:
    after = template_of(edit.after, facts=edit.facts).resources
    for change in changes_of(template_of, edit):
        if change.action == "replace":
            assert not NAMES & set(after[change.logical_id]["Properties"])


def test_the_facts_change_and_the_endpoint_stays(template_of: Deploys) -> None:
    before = template_of(model(), facts=GATED).document
    slower = replace(GATED, deploy=replace(GATED.deploy, startup_timeout_seconds=900))
    assert kept(compare_templates(before, template_of(model(), facts=slower).document)) == CONFIG_ANEW


def test_another_integration_leaves_the_model_as_it_is(template_of: Deploys) -> None:
    changes = compare_templates(
        template_of(package()).document, template_of(package(integration=function())).document
    )
    assert not [change for change in changes if change.type.startswith("AWS::SageMaker")]
    assert ("AWS::ApiGateway::RestApi", "update") in kept(changes)


@pytest.mark.parametrize("turned", [False, True], ids=["added", "removed"])
def test_a_model_comes_and_goes_without_touching_another(template_of: Deploys, *, turned: bool) -> None:
    small, large = template_of(package("a")).document, template_of(package("a"), package("b")).document
    changes = compare_templates(large, small) if turned else compare_templates(small, large)
    touched = [change for change in changes if change.type.startswith("AWS::SageMaker")]
    assert {change.action for change in touched} == {"remove" if turned else "add"}
    assert len(touched) == 3


def test_models_change_places_and_keep_their_resources(template_of: Deploys) -> None:
    before = template_of(package("a"), package("b")).document
    changes = compare_templates(before, template_of(package("b"), package("a")).document)
    assert not [change for change in changes if change.type.startswith("AWS::SageMaker")]


@pytest.mark.parametrize(
    "after",
    [
        package(integration={"type": "api", "headers": ["X-Caller"]}),
        package(integration=function()),
        package("b"),
    ],
    ids=["headers", "integration", "name"],
)
def test_a_changed_route_deploys_the_stage_anew(template_of: Deploys, after: Config) -> None:
    before, now = template_of(package()), template_of(after)
    assert before.id_of(DEPLOYMENT) != now.id_of(DEPLOYMENT)


def test_another_instance_does_not(template_of: Deploys) -> None:
    before, now = template_of(package()), template_of(package(instance="ml.g5.4xlarge"))
    assert before.id_of(DEPLOYMENT) == now.id_of(DEPLOYMENT)


def test_another_range_of_the_scaling_does_not(template_of: Deploys) -> None:
    wider = {**SCALING, "max_capacity": 5}
    before, now = template_of(package(autoscaling=SCALING)), template_of(package(autoscaling=wider))
    assert before.id_of(DEPLOYMENT) == now.id_of(DEPLOYMENT)


def test_another_endpoint_deploys_the_stage_anew(template_of: Deploys) -> None:
    before, now = template_of(package()), template_of(package(autoscaling=SCALING))
    assert before.id_of(DEPLOYMENT) != now.id_of(DEPLOYMENT)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_endpoint_is_updated_to_another_configuration_only(template_of: Deploys, edit: Edit) -> None:
    """SageMaker refuses an update to the configuration in use."""
    for change in changes_of(template_of, edit):
        if (change.type, change.action) == (ENDPOINT, "update"):
            assert change.because == ("EndpointConfigName",)
