"""Which bootstrap of an account a deploy uses, and when it makes one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from centralized_ml_api.aws.cdk.bootstrap import (
    Bootstrap,
    check_qualifier,
    find_qualifier,
    load_bootstrap,
    provide_bootstrap,
    read_qualifier,
)
from centralized_ml_api.aws.cdk.target import QUALIFIER_CONTEXT, AwsTarget
from centralized_ml_api.aws.clients import AwsClients
from centralized_ml_api.errors import DeployError, UsageError
from support.aws_wire import ACCOUNT, Answer, refusal, stack_in, xml_refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.aws_wire import AwsWire

NOT_FOUND = refusal("ParameterNotFound", "no such parameter")
DENIED = "User: me is not authorized to perform: cloudformation:DescribeStacks"


def target(folder: Path, qualifier: str | None = None) -> AwsTarget:
    """A deployment of a config in a folder."""
    return AwsTarget(folder / "models.json", "Autumn", "us-east-1", folder / "state", qualifier)


def stacks(**by_name: Answer) -> Callable[[str], Answer]:
    """What CloudFormation answers about stacks; the others do not exist."""

    def describe(body: str) -> Answer:
        for name, answer in by_name.items():
            if f"StackName={name}" in body:
                return answer
        return xml_refusal("ValidationError", "Stack with id it does not exist", 400)

    return describe


def settings(said: str) -> str:
    """A file of the CDK that names a qualifier."""
    return json.dumps({"context": {QUALIFIER_CONTEXT: said}})


def never(what: str) -> None:
    """Agrees to nothing, and may not be asked."""
    raise AssertionError(what)


def test_the_settings_of_the_cdk_name_the_qualifier(tmp_path: Path) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    for folder in (project, home):
        folder.mkdir()
    assert read_qualifier(project, home) is None
    (home / ".cdk.json").write_text(settings("personal"))
    assert read_qualifier(project, home) == "personal"
    (project / "cdk.context.json").write_text(json.dumps({QUALIFIER_CONTEXT: "cached"}))
    assert read_qualifier(project, home) == "cached"
    (project / "cdk.json").write_text('{"app": "python app.py"}')
    assert read_qualifier(project, home) == "cached", "a cdk.json that names none"
    (project / "cdk.json").write_text(settings("acme"))
    assert read_qualifier(project, home) == "acme"
    (project / "cdk.json").write_text("no JSON")
    assert read_qualifier(project, home) == "cached"


def test_what_cannot_be_a_qualifier_is_refused(tmp_path: Path) -> None:
    assert check_qualifier("Acme_1-x") == "Acme_1-x"
    for wrong in ("", "eleven-long", "a b", "a/b", "a\n"):
        with pytest.raises(UsageError, match="is not a qualifier"):
            check_qualifier(wrong)
    (tmp_path / "cdk.json").write_text(settings("$(whoami)"))
    with pytest.raises(UsageError, match="is not a qualifier"):
        read_qualifier(tmp_path, tmp_path)


def test_the_app_is_told_the_qualifier(tmp_path: Path) -> None:
    arguments = target(tmp_path, "acme").arguments("synth")
    assert f"{QUALIFIER_CONTEXT}=acme" in arguments
    assert not [part for part in target(tmp_path).arguments("synth") if QUALIFIER_CONTEXT in part]


def test_a_deployed_stack_names_the_qualifier_unless_something_else_does(
    aws: AwsWire, tmp_path: Path
) -> None:
    clients = AwsClients("us-east-1")
    deployed = stack_in("CREATE_COMPLETE", Mine="x", BootstrapVersion="/cdk-bootstrap/acme/version")
    aws.spoken["cloudformation.DescribeStacks"] = stacks(Autumn=deployed)
    assert find_qualifier(target(tmp_path), clients).qualifier == "acme"
    assert find_qualifier(target(tmp_path, "other"), clients).qualifier == "other"
    aws.spoken["cloudformation.DescribeStacks"] = stacks()
    assert find_qualifier(target(tmp_path), clients).qualifier is None
    aws.spoken["cloudformation.DescribeStacks"] = lambda _: xml_refusal("AccessDenied", DENIED)
    assert find_qualifier(target(tmp_path), clients).qualifier is None


def test_the_bootstrap_of_the_qualifier_is_looked_up(aws: AwsWire) -> None:
    def answer(body: str) -> Answer:
        return aws.answers["ssm.GetParameter"] if "/cdk-bootstrap/acme/version" in body else NOT_FOUND

    aws.spoken["ssm.GetParameter"] = answer
    clients = AwsClients("us-east-1")
    assert load_bootstrap(clients, "acme") == Bootstrap("acme", 30)
    assert load_bootstrap(clients, None) == Bootstrap("hnb659fds", None)


def test_other_bootstraps_are_found_by_their_parameters_and_by_the_stack(aws: AwsWire) -> None:
    aws.answers["ssm.GetParameter"] = NOT_FOUND
    names = ("/cdk-bootstrap/data/version", "/cdk-bootstrap/acme/version", "/cdk-bootstrap/odd")
    parameters = [{"Name": name, "Value": "30"} for name in names]
    aws.answers["ssm.GetParametersByPath"] = Answer(200, {"Parameters": parameters})
    clients = AwsClients("us-east-1")
    assert load_bootstrap(clients, None) == Bootstrap("hnb659fds", None, ("acme", "data"))
    del aws.answers["ssm.GetParametersByPath"]
    toolkit = stack_in("UPDATE_COMPLETE", Qualifier="team")
    aws.spoken["cloudformation.DescribeStacks"] = stacks(CDKToolkit=toolkit)
    found = load_bootstrap(clients, None)
    assert found == Bootstrap("hnb659fds", None, ("team",), toolkit_exists=True)


@pytest.mark.parametrize(
    ("toolkit", "message", "fix"),
    [
        (
            stack_in("CREATE_COMPLETE", Qualifier="acme"),
            "with qualifier acme, not hnb659fds",
            "--qualifier acme",
        ),
        (
            stack_in("ROLLBACK_COMPLETE"),
            "has a stack CDKToolkit, but no bootstrap",
            "ask whoever bootstrapped",
        ),
    ],
)
def test_what_somebody_else_bootstrapped_is_not_touched(
    toolkit: Answer, message: str, fix: str, aws: AwsWire, tmp_path: Path
) -> None:
    aws.answers["ssm.GetParameter"] = NOT_FOUND
    aws.spoken["cloudformation.DescribeStacks"] = stacks(CDKToolkit=toolkit)
    with pytest.raises(DeployError, match=message) as caught:
        provide_bootstrap(target(tmp_path), AwsClients("us-east-1"), ACCOUNT, say=never, agree=never)
    assert fix in caught.value.fix
    assert "troubleshoot-aws.md#not-bootstrapped" in caught.value.fix


@pytest.mark.usefixtures("aws")
def test_a_bootstrap_that_is_there_is_used_without_a_word(tmp_path: Path) -> None:
    provide_bootstrap(target(tmp_path), AwsClients("us-east-1"), ACCOUNT, say=never, agree=never)


@pytest.mark.parametrize("asked", ["ssm.GetParameter", "cloudformation.DescribeStacks"])
def test_who_may_not_look_bootstraps_nothing(asked: str, aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["ssm.GetParameter"] = NOT_FOUND
    aws.answers[asked] = (refusal if asked.startswith("ssm") else xml_refusal)("AccessDenied", DENIED)
    provide_bootstrap(target(tmp_path), AwsClients("us-east-1"), ACCOUNT, say=never, agree=never)


def test_bootstrapping_is_described_and_waits_for_consent(aws: AwsWire, tmp_path: Path) -> None:
    aws.answers["ssm.GetParameter"] = NOT_FOUND

    def refuse(what: str) -> None:
        assert "AdministratorAccess" in what
        assert f"Account {ACCOUNT} is not bootstrapped for the CDK in us-east-1" in what
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        provide_bootstrap(target(tmp_path), AwsClients("us-east-1"), ACCOUNT, say=never, agree=refuse)


@pytest.mark.parametrize(("qualifier", "more"), [(None, ""), ("acme", " --qualifier acme")])
def test_it_is_made_under_the_qualifier_that_the_deploy_uses(
    qualifier: str | None, more: str, aws: AwsWire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    aws.answers["ssm.GetParameter"] = NOT_FOUND
    chosen = target(tmp_path, qualifier)
    script = chosen.state / "node_modules/aws-cdk/bin/cdk"
    script.parent.mkdir(parents=True)
    script.write_text("console.log(process.argv.slice(2).join(' '))\n")
    said: list[str] = []
    provide_bootstrap(chosen, AwsClients("us-east-1"), ACCOUNT, say=said.append, agree=said.append)
    assert said[1].startswith("Bootstrapping account")
    assert f"bootstrap aws://{ACCOUNT}/us-east-1 --no-notices{more} --no-color" in chosen.log.read_text()
