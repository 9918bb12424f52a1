"""Templates synthesized in this process: one CDK app each, without validator, kept for all tests."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from centralized_ml_api.aws.app import choose_node
from centralized_ml_api.catalog.facts import DeployFacts, Eula, ModelData, ModelFacts
from centralized_ml_api.config.load import load_config

choose_node()

from aws_cdk import App  # noqa: E402  # starts Node when it is imported

from centralized_ml_api.aws.constructs.stack import CentralizedMlApiStack  # noqa: E402
from centralized_ml_api.aws.planning.load import plan_for_aws  # noqa: E402
from centralized_ml_api.plan.aws.hours import keep_hours  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Unpack

    from centralized_ml_api.api.entry_details import Sample
    from centralized_ml_api.catalog.resolve import Asked
    from centralized_ml_api.plan.aws.types import AwsPlan

STACK = "CentralizedMlApiStack"
REGION = "us-east-1"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.0-cu121"
BUCKET = "jumpstart-cache-prod-us-east-1"
PACKAGE = "arn:aws:sagemaker:us-east-1:865070037744:model-package/a-package"

Config = dict[str, Any]
Resource = dict[str, Any]


def build_facts(**changes: Any) -> ModelFacts:
    """The facts of a prepacked model, with changes; with the task `textgeneration` it chats."""
    facts: dict[str, Any] = {
        "model_id": "huggingface-textgeneration-tiny",
        "version": "1.0.0",
        "source": "live",
        "fidelity": "full",
        "config": None,
        "region": REGION,
        "instance": "ml.g5.2xlarge",
        "supported_instances": ("ml.g5.2xlarge",),
        "default_instance": "ml.g5.2xlarge",
        "image": IMAGE,
        "model_package_arn": None,
        "model_data": ModelData(f"s3://{BUCKET}/tiny/prepack/", "S3Prefix", "None"),
        "environment": {"SM_NUM_GPUS": "1"},
        "network_isolation": False,
        "eula": Eula(required=False, url=None),
        "deploy": DeployFacts(None, None, None, None),
        "resources": {},
        "payloads": (),
        "task": "summarization",
        "streams": False,
        "warnings": (),
    }
    return ModelFacts(**{**facts, **changes})


@dataclass(frozen=True)
class KnownModels:
    """A catalogue of one model, whatever is asked for; the user's environment wins, as in the real one."""

    facts: ModelFacts

    def resolve(self, model_id: str, version: str, *, region: str, **asked: Unpack[Asked]) -> ModelFacts:
        del model_id, version, region
        values = {name: getattr(self.facts, name) for name in self.facts.__dataclass_fields__}
        return ModelFacts(**{**values, "environment": {**self.facts.environment, **asked["environment"]}})


class Template:
    """A synthesized template, and what tests ask of it."""

    def __init__(self, document: dict[str, Any], nested: dict[str, dict[str, Any]]) -> None:
        self.document = document
        self.nested = nested

    @property
    def resources(self) -> dict[str, Resource]:
        found: dict[str, Resource] = self.document["Resources"]
        return found

    def of_type(self, kind: str) -> list[Resource]:
        """The properties of the resources of a type, nested stacks included, in order."""
        documents = [self.document, *self.nested.values()]
        return [
            resource["Properties"]
            for document in documents
            for resource in document["Resources"].values()
            if resource["Type"] == kind
        ]

    def only(self, kind: str) -> Resource:
        """The properties of the only resource of a type."""
        (found,) = self.of_type(kind)
        return found

    @property
    def api(self) -> dict[str, Any]:
        """The OpenAPI document as API Gateway gets it."""
        body: dict[str, Any] = self.only("AWS::ApiGateway::RestApi")["Body"]
        return body

    def id_of(self, kind: str) -> str:
        """The logical id of the only resource of a type."""
        (found,) = [name for name, resource in self.resources.items() if resource["Type"] == kind]
        return found


class Deploys(Protocol):
    """The fixture `template_of`: the template of a config with these models."""

    def __call__(self, *models: Config, facts: ModelFacts | None = None, **root: object) -> Template: ...


def build_test_plan(
    config: Config, folder: Path, facts: ModelFacts | None = None, region: str = REGION
) -> AwsPlan:
    """The plan of a config whose functions exist, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("echo", "other"):
        code = folder / "functions" / name / "index.py"
        code.parent.mkdir(parents=True, exist_ok=True)
        code.write_text("def lambda_handler(event, context): ...\n\n\ndef other(event, context): ...\n")
    (folder / "cdk.json").write_text("{}")
    file = folder / "models.json"
    file.write_text(json.dumps(config))
    return build_plan_of(file, facts, region)


def build_plan_of(file: Path, facts: ModelFacts | None = None, region: str = REGION) -> AwsPlan:
    """The plan of a config file."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    loaded = load_config(file, now=now, region=region)
    known = KnownModels(facts or build_facts())
    return keep_hours(plan_for_aws(loaded, known, region=region, talk=lambda _: None), now)


def synthesize(
    plan: AwsPlan,
    output: Path,
    stack: str = STACK,
    samples: Mapping[str, Sample] | None = None,
    logo: Sample | None = None,
) -> Template:
    """What CloudFormation would get."""
    app = App(builtin_cloud_formation_validation=False, analytics_reporting=False, outdir=str(output))
    CentralizedMlApiStack(app, stack, plan=plan, samples=samples, logo=logo)
    app.synth()
    return read_template(output, stack)


def read_template(output: Path, stack: str = STACK) -> Template:
    """A template of a cloud assembly, with its nested ones."""
    nested = {
        file.name: json.loads(file.read_text()) for file in sorted(output.glob("*.nested.template.json"))
    }
    return Template(json.loads((output / f"{stack}.template.json").read_text()), nested)


def normalised(document: dict[str, Any]) -> dict[str, Any]:
    """Without what changes with the content of assets, which names the deployment too."""
    text = re.sub(r"[0-9a-f]{64}", "<ASSET>", json.dumps(document, sort_keys=True))
    text = re.sub(r"(Deployment[0-9A-F]{8})[0-9a-f]{32}", r"\1<DOCUMENT>", text)
    plain: dict[str, Any] = json.loads(text)
    return plain


def model(name: str = "a-model", **changes: Any) -> Config:
    """A JumpStart model reached directly."""
    entry = {
        "name": name,
        "model_id": "huggingface-textgeneration-tiny",
        "instance": "ml.g5.2xlarge",
        "integration": {"type": "api"},
    }
    return {key: value for key, value in {**entry, **changes}.items() if value is not None}


def function(**changes: Any) -> Config:
    """An integration by function."""
    properties = {"code": "functions/echo", "permissions": ["sagemaker:InvokeEndpoint"], "timeout": 29}
    return {"type": "lambda", "properties": {**properties, **changes}}


def package(name: str = "a-package", **changes: Any) -> Config:
    """A Marketplace package reached directly."""
    return model(name, **{"model_id": None, "model_package_arn": PACKAGE, **changes})


def container(name: str = "a-container", region: str = REGION, **changes: Any) -> Config:
    """An own container reached directly, whose image is in a region."""
    suffix = ".cn" if region.startswith("cn-") else ""
    image = f"123456789012.dkr.ecr.{region}.amazonaws.com{suffix}/mine:1"
    return model(name, **{"model_id": None, "image": image, "model_data": "s3://mine/a.tar.gz", **changes})
