"""The functions of a template: Python's under AWS's own runtime client, the one that streams under Node."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from centralized_ml_api.aws.constructs.stream_function_code import OTHER_PATHS
from centralized_ml_api.local.lambda_host.pool import Pool
from centralized_ml_api.local.lambda_host.runtime_api import Invocation, Returned
from centralized_ml_api.local.lambda_host.server import HostSpecification
from centralized_ml_api.plan.aws.spending import NOT_COUNTED
from support.api_gateway.document import resolve
from support.api_gateway.job_function import serve_events
from support.api_gateway.message import Streamed
from support.stream_host import StreamHost, start_stream_host
from support.stream_host.host import write_function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.api_gateway.back_ends import Invoke, Stream
    from support.api_gateway.document import Template
    from support.background import Background

_OF_THE_HOST = {"ENDPOINT_NAME", "MODEL_SPEAKS"}
_AS_IT_IS = {
    *("EVENT_ENDS", "EVENT_MESSAGE", "HEALTH_NAMES", "HEALTH_SECONDS"),
    *("JOBS_TABLE", "JOB_FUNCTION", "KEY_FUNCTION"),
}
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class Functions(dict[str, "Invoke"]):
    """What runs functions, by their ARNs; `pools` are all that ever did, `called` what other functions asked.

    Args:
        specifications: By the same.
    """

    def __init__(self, specifications: Mapping[str, HostSpecification]) -> None:
        super().__init__()
        self._specifications = dict(specifications)
        self.pools: list[Pool] = []
        self.called: list[bytes] = []
        for arn in specifications:
            self._run(arn)

    def set_variables(self, part: str, **variables: str) -> None:
        """Changes variables of the function that has a part in its ARN; later calls find them.

        Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
        """
        (arn,) = (arn for arn in self._specifications if part in arn)
        known = self._specifications[arn]
        self._specifications[arn] = replace(known, environment={**known.environment, **variables})
        self._run(arn)

    def _run(self, arn: str) -> None:
        pool = Pool(self._specifications[arn])
        self.pools.append(pool)
        self[arn] = _invoke(pool)


@dataclass(frozen=True)
class Hosting:
    """Where providers are, by their addresses in the template, and variables for calling them."""

    urls: Mapping[str, str]
    environment: Mapping[str, str]


@contextlib.contextmanager
def run_functions(
    background: Background,
    template: Template,
    assets: Path,
    sagemaker_url: str,
    endpoints: Mapping[str, str],
    *,
    control_url: str = "",
    tables_url: str = "",
) -> Iterator[Functions]:
    """The Python functions of the template by their ARNs, until the end of the block.

    What they ask API Gateway itself goes to `control_url`, what they ask DynamoDB to `tables_url`.
    """
    aws = {**_CREDENTIALS, "AWS_ENDPOINT_URL_API_GATEWAY": control_url} if control_url else {}
    aws |= {"AWS_ENDPOINT_URL_DYNAMODB": tables_url} if tables_url else {}
    functions = Functions(
        {
            _arn(name, template): _specification(name, properties, assets, sagemaker_url, endpoints, aws=aws)
            for name, properties in _functions(template, "python")
        }
    )
    try:
        yield functions
    finally:
        for pool in functions.pools:
            background.run(pool.stop(grace_seconds=0))


@contextlib.contextmanager
def run_streams(
    background: Background,
    template: Template,
    assets: Path,
    sagemaker_url: str,
    endpoints: Mapping[str, str],
    *,
    control_url: str,
    hosting: Hosting | None = None,
    tables_url: str = "",
    functions: Functions | None = None,
) -> Iterator[dict[str, Stream]]:
    """The function of the template that streams, by its ARN, until the end of the block.

    It is told of the models and calls in its asset in `assets`. It asks at `control_url` how the endpoints
    are, and DynamoDB at `tables_url`; `hosting` says how it calls providers. Behind it runs the function of
    jobs, where there is one, which may ask `functions`, those of `run_functions`.
    """
    with contextlib.ExitStack() as stack:
        streams: dict[str, Stream] = {}
        later: dict[str, str] = {}
        for name, properties in sorted(
            _functions(template, "nodejs"), key=lambda each: _is_streaming(each[1])
        ):
            variables = properties["Environment"]["Variables"]
            start = partial(
                start_stream_host,
                models=_read_hosts(variables, template, endpoints, hosting),
                sagemaker_url=sagemaker_url,
                idle_seconds=float(variables["IDLE_SECONDS"]),
                environment={
                    "_HANDLER": properties["Handler"],
                    "AWS_ENDPOINT_URL_SAGEMAKER": control_url,
                    "AWS_ENDPOINT_URL_DYNAMODB": tables_url,
                    **later,
                    **(hosting.environment if hosting else {}),
                    **{name: variables[name] for name in _AS_IT_IS if name in variables},
                },
                folder=write_function(NOT_COUNTED, _read_other_paths(properties, assets)),
            )
            if _is_streaming(properties):
                streams[_arn(name, template)] = stack.enter_context(Instances(start))
            else:
                url = stack.enter_context(
                    serve_events(
                        background,
                        partial(_start_beside, start, start.keywords["environment"]),
                        name,
                        _by_names(template, functions) if functions else {},
                    )
                )
                later = {"AWS_ENDPOINT_URL_LAMBDA": url}
        yield streams


def _start_beside(
    start: Callable[..., AbstractContextManager[StreamHost]], environment: Mapping[str, str], url: str
) -> AbstractContextManager[StreamHost]:
    """Starts a function that finds Lambda at an address."""
    return start(environment={**environment, "AWS_ENDPOINT_URL_LAMBDA": url})


def _by_names(template: Template, functions: Functions) -> dict[str, Invoke]:
    """What runs the functions by the present, by what the template calls them."""
    arns = {name: _arn(name, template) for name, _ in _functions(template, "python")}
    return {name: partial(_run_present, functions, arn) for name, arn in arns.items() if arn in functions}


async def _run_present(functions: Functions, arn: str, request_id: str, event: bytes) -> bytes:
    functions.called.append(event)
    return await functions[arn](request_id, event)


def _is_streaming(properties: Mapping[str, Any]) -> bool:
    found: bool = properties["Handler"] == "index.handler"
    return found


def _read_hosts(
    variables: Mapping[str, str], template: Template, endpoints: Mapping[str, str], hosting: Hosting | None
) -> dict[str, Any]:
    """The table of the entries, with the addresses of the tests."""
    models = _read_models(variables, template)
    for model in models.values():
        if "endpoint" in model:
            model["endpoint"] = endpoints[model["endpoint"]]
        elif hosting and "provider" in model:
            model["provider"]["url"] = hosting.urls[model["provider"]["url"]]
    return models


def _read_other_paths(properties: Mapping[str, Any], assets: Path) -> Any:
    return json.loads((_code_of(properties, assets) / OTHER_PATHS).read_bytes())


def _code_of(properties: Mapping[str, Any], assets: Path) -> Path:
    return assets / f"asset.{properties['Code']['S3Key'].removesuffix('.zip')}"


def _read_models(variables: Mapping[str, str], template: Template) -> dict[str, Any]:
    """The table of the entries: from the environment, or from the parameters that it names."""
    if "MODELS" in variables:
        models: dict[str, Any] = json.loads(variables["MODELS"])
        return models
    parameters = (template["Resources"][name] for name in json.loads(variables["MODEL_PARAMETERS"]))
    tables = [json.loads(resolve(each["Properties"]["Value"], template)) for each in parameters]
    return {name: row for table in tables for name, row in table.items()}


class Instances:
    """The instances of a function that streams: where none is free, a call gets a new one, as on Lambda."""

    def __init__(self, start: Callable[..., AbstractContextManager[StreamHost]]) -> None:
        self._start = start
        self._stack = contextlib.ExitStack()
        self._free: list[StreamHost] = []
        self._changing = threading.Lock()

    def __enter__(self) -> Self:
        self._free.append(self._stack.enter_context(self._start()))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def with_code(self, folder: Path) -> Instances:
        """Returns those of the same function with the code in a folder."""
        return Instances(partial(self._start, folder=folder))

    def __call__(self, event: dict[str, Any]) -> Streamed:
        """Answers an event; the instance is free once status and headers are there."""
        with self._changing:
            host = self._free.pop() if self._free else self._stack.enter_context(self._start())
        try:
            answer = host.invoke(event)
        finally:
            with self._changing:
                self._free.append(host)
        return Streamed(answer.status, tuple(answer.headers.items()), answer.body)


def _functions(template: Template, runtime: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Function" and properties["Runtime"].startswith(runtime):
            yield name, resolve(properties, template)


def _arn(name: str, template: Template) -> str:
    found: str = resolve({"Fn::GetAtt": [name, "Arn"]}, template)
    return found


def _specification(
    name: str,
    properties: Mapping[str, Any],
    assets: Path,
    sagemaker_url: str,
    endpoints: Mapping[str, str],
    *,
    aws: Mapping[str, str],
) -> HostSpecification:
    """As the template says, but for the names of endpoints, which are those of the listener."""
    variables = properties["Environment"]["Variables"]
    return HostSpecification(
        name=name,
        code=str(_code_of(properties, assets)),
        handler=properties["Handler"],
        timeout_seconds=properties["Timeout"],
        memory_mib=properties["MemorySize"],
        endpoint_name=endpoints[variables["ENDPOINT_NAME"]] if "ENDPOINT_NAME" in variables else "",
        runtime_url=sagemaker_url,
        model_speaks=variables.get("MODEL_SPEAKS", ""),
        environment={**_own(variables), **aws},
        port=0,
        region="us-east-1",
        path=os.environ["PATH"],
        max_workers=1,
    )


def _own(variables: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in variables.items() if key not in _OF_THE_HOST}


def _invoke(pool: Pool) -> Invoke:
    """Lambda's own word for a function that raised or took too long is an object with `errorMessage`.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """

    async def invoke(request_id: str, event: bytes) -> bytes:
        outcome = await pool.invoke(Invocation(request_id, event))
        if isinstance(outcome, Returned):
            return outcome.payload
        return json.dumps({"errorMessage": outcome.reason}).encode()

    return invoke
