"""The two targets of one config: `mlapi up`, and the synthesized template behind the tests' API Gateway."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contract.api import DOWN, NOBODY_URL, PROVIDER_URL, UNREACHABLE_URL
from contract.case import LOCAL
from support.api_gateway import ApiGateway, build_rest_api, read_document, serve_api
from support.api_gateway.back_ends import BackEnds
from support.api_gateway.control_plane import serve_control_plane
from support.api_gateway.functions import Hosting, run_functions, run_streams
from support.api_gateway.objects import read_objects
from support.api_gateway.usage_plans import read_usage_plans
from support.bedrock import Bedrock
from support.local_api import LocalApi
from support.model_server import start_model_server
from support.provider import KEY, Provider
from support.sagemaker_endpoints import SageMakerEndpoints
from support.secrets_manager import start_secrets_manager
from support.signed_runtime import Keys
from support.synthesis import REGION, STACK, build_plan_of, synthesize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.api_gateway.authorizers import Door
    from support.background import Background


@dataclass(frozen=True)
class Hosts:
    """Who hosts models for both targets: a provider, and Bedrock with the same certificate."""

    provider: Provider
    bedrock: Bedrock


@dataclass(frozen=True)
class Targets:
    """Where both answer; `document` is what API Gateway imports."""

    local: LocalApi
    aws_url: str
    document: Mapping[str, Any]
    back_ends: BackEnds
    gateway: ApiGateway

    @property
    def door(self) -> Door:
        """What admits requests."""
        return self.gateway.door

    def url(self, target: str) -> str:
        """The address of the API of a target."""
        return self.local.url if target == LOCAL else self.aws_url


@contextlib.contextmanager
def read_targets(
    local: LocalApi,
    folder: Path,
    background: Background,
    hosts: Hosts | None = None,
    *,
    tables_url: str = "",
) -> Iterator[Targets]:
    """Synthesizes the config that `local` serves and answers for it, until the end of the block.

    `hosts` have models of the config; at `tables_url` is a DynamoDB.
    """
    output = folder / "cdk.out"
    template = synthesize(build_plan_of(folder / "models.json"), output).document
    with serve_template(template, output, local, background, hosts=hosts, tables_url=tables_url) as targets:
        yield targets


@contextlib.contextmanager
def serve_template(
    template: Mapping[str, Any],
    output: Path,
    local: LocalApi,
    background: Background,
    *,
    keys: Mapping[str, str] | None = None,
    adopted: Mapping[str, str] | None = None,
    hosts: Hosts | None = None,
    tables_url: str = "",
) -> Iterator[Targets]:
    """Answers as API Gateway would with this template, with the models of the local target behind it.

    `output` is the CDK's folder with the template's assets; `keys` are those of the teams, where they are
    known; `adopted` are the entries' names by those of their endpoints, where these differ. `hosts` have
    models; at `tables_url` is a DynamoDB.
    """
    sagemaker = local.status()["sagemaker_runtime"]
    names = [entry["name"] for entry in local.status()["entries"]]
    endpoints = {**_endpoints(template, names), **(adopted or {})}
    with contextlib.ExitStack() as stack:
        usage = read_usage_plans(template)
        for team, value in (keys or {}).items():
            usage.key_of(team).value = value
        control = stack.enter_context(serve_control_plane(background, usage))
        functions = stack.enter_context(
            run_functions(
                background,
                template,
                output,
                sagemaker,
                endpoints,
                control_url=control,
                tables_url=tables_url,
            )
        )
        made = stack.enter_context(start_model_server(background))
        made.answering = _build_endpoints(template, endpoints)
        hosting = stack.enter_context(_host(background, template, hosts)) if hosts else None
        streams = stack.enter_context(
            run_streams(
                background,
                template,
                output,
                sagemaker,
                endpoints,
                control_url=made.url,
                hosting=hosting,
                tables_url=tables_url,
                functions=functions,
            )
        )
        objects = read_objects(output, STACK)
        document = read_document(template)
        back_ends = BackEnds(sagemaker, endpoints, functions, streams, objects)
        gateway = ApiGateway(build_rest_api(document), back_ends, usage)
        url = stack.enter_context(serve_api(background, gateway))
        yield Targets(local, url, document, back_ends, gateway)


def _build_endpoints(template: Mapping[str, Any], endpoints: Mapping[str, str]) -> SageMakerEndpoints:
    """What SageMaker says of the endpoints and components: all are in service, but one."""
    components = [
        resource["Properties"]["InferenceComponentName"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::SageMaker::InferenceComponent"
    ]
    statuses = dict.fromkeys(endpoints.values(), "InService") | {DOWN: "OutOfService"}
    statuses |= dict.fromkeys(components, "InService")
    return SageMakerEndpoints(statuses, copies=dict.fromkeys(components, (0, 0)))


@contextlib.contextmanager
def _host(background: Background, template: Mapping[str, Any], hosts: Hosts) -> Iterator[Hosting]:
    """How the function calls the hosts: it trusts them, and finds the key in every secret of the stack."""
    keys = Keys(REGION, "secretsmanager")
    keys.add("none", "none")
    with start_secrets_manager(background, keys) as secrets:
        resources = template["Resources"].items()
        secrets.values = {
            name: KEY for name, each in resources if each["Type"] == "AWS::SecretsManager::Secret"
        }
        environment = {
            "NODE_EXTRA_CA_CERTS": str(hosts.provider.certificate),
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": hosts.bedrock.url,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.url,
        }
        yield Hosting({PROVIDER_URL: hosts.provider.url, UNREACHABLE_URL: NOBODY_URL}, environment)


def _endpoints(template: Mapping[str, Any], names: list[str]) -> dict[str, str]:
    """The entries' names by what the template calls their endpoints.

    That is a logical id, in which the CDK keeps letters and digits, or for an adopted one its own name.
    """
    ids = [name for name, one in template["Resources"].items() if one["Type"] == "AWS::SageMaker::Endpoint"]
    plain = {re.sub(r"[^A-Za-z0-9]", "", name): name for name in names}
    found = {one: re.fullmatch(r"ApiModels(.+)Endpoint(?:[0-9a-f]{8})?[0-9A-F]{8}", one) for one in ids}
    adopted = dict(zip(names, names, strict=True))
    return adopted | {one: plain[match[1]] for one, match in found.items() if match}
