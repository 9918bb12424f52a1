"""Builds the API's own paths: documents in S3, `/health`, and OpenAI's API under `/v1`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api import error_shape as errors
from centralized_ml_api.api.documents import METHODS, ServedDocument
from centralized_ml_api.api.http import JOB_PATH, JOBS_PATH
from centralized_ml_api.api.openai import (
    MODEL_PATH,
    MODELS_PATH,
    ListedModel,
    build_model,
    spell_in_path,
    unknown_model,
)
from centralized_ml_api.api.openai_operations import MODEL_PARAMETER
from centralized_ml_api.api.openapi import build_header_parameter
from centralized_ml_api.aws.document.integrations import INTEGRATION, build_path, build_text
from centralized_ml_api.aws.document.responses import (
    MadeResponse,
    PassedResponse,
    build_integration_responses,
    build_responses,
)
from centralized_ml_api.aws.document.templates import render_body, render_fixed
from centralized_ml_api.plan.apis import list_paths
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from centralized_ml_api.aws.document.integrations import Operation, PathItem
    from centralized_ml_api.aws.document.responses import Response
    from centralized_ml_api.plan.speaks import OpenAiModels

_REFUSED = """#set($r="$!context.authorizer.refused")#set($q='"')"""
_ALLOWED = '!$r.contains("$q$n$q")'
"""Whether the caller's team may call `$n`: the authorizer gives what it may not, as a JSON list."""

_READING = tuple(method.lower() for method in METHODS)


@record
class StoredDocument:
    """A document in S3; `object_path` is its bucket and key as `<bucket>/<key>`."""

    document: ServedDocument
    object_path: str


def build_health_path(function: Operation) -> PathItem:
    """Builds `/health`, which the streaming function answers; `function` is the operation that calls it."""
    return build_path(dict.fromkeys(_READING, function))


def build_job_paths(function: Operation) -> dict[str, PathItem]:
    """Builds the paths of jobs, which the streaming function answers; `function` is what calls it."""
    job = {"parameters": [{**build_header_parameter("id"), "in": "path", "required": True}], **function}
    return {
        JOBS_PATH: build_path(dict.fromkeys(_READING, function)),
        JOB_PATH: build_path(dict.fromkeys((*_READING, "delete"), job)),
    }


def build_stored_paths(
    stored: Iterable[StoredDocument], service: str, role: str, posts: Mapping[str, Operation]
) -> dict[str, PathItem]:
    """Builds a path for each document: reading passes it from S3, every other method is a 405.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html

    Args:
        stored: The documents.
        service: `arn:<partition>:apigateway:<region>`.
        role: The ARN of the role that may read them.
        posts: What `POST` does, by path, where it does anything.
    """
    paths = {}
    for entry in stored:
        uri, responses = f"{service}:s3:path/{entry.object_path}", _document_responses(entry.document)
        path = entry.document.path
        operations = {method: _read(method.upper(), uri, role, responses) for method in _READING}
        paths[path] = build_path({**operations, **({"post": posts[path]} if path in posts else {})})
    return paths


def _read(method: str, uri: str, role: str, responses: list[Response]) -> Operation:
    return {
        "responses": build_responses(responses),
        INTEGRATION: {
            "type": "aws",
            "httpMethod": method,
            "uri": uri,
            "credentials": role,
            "passthroughBehavior": "when_no_match",
            "responses": build_integration_responses(responses),
        },
    }


def _document_responses(document: ServedDocument) -> list[Response]:
    """Sets type and headers here: S3 knows none of our own for these objects."""
    said = {"content-type": document.content_type, **dict(document.headers)}
    headers = {name: f"'{value}'" for name, value in said.items()}
    return [
        PassedResponse("200", 200, headers, is_text=True),
        MadeResponse("default", errors.API_FAILED.status, render_fixed(errors.API_FAILED)),
    ]


def build_openai_paths(
    public: Mapping[str, Any], models: OpenAiModels, stream: Operation
) -> dict[str, PathItem]:
    """Builds the paths under `/v1` that these models need: none without models.

    Args:
        public: The participants' document, which names the operations.
        models: The entries under `/v1`.
        stream: The operation that answers calls of models.
    """
    paths = {path: build_path({"post": stream}) for path in _calls_of_models(models)}
    if models.names:
        paths[MODELS_PATH] = _build_reading(_render_models(models))
        paths[MODEL_PATH] = {
            method: {"parameters": [MODEL_PARAMETER], **operation}
            for method, operation in _build_reading(_render_model(models)).items()
        }
    return {path: _with_operation_ids(public["paths"][path], item) for path, item in paths.items()}


def list_openai_calls(models: OpenAiModels) -> list[str]:
    """Lists the methods and paths under `/v1`, such as `POST /v1/embeddings`."""
    listing = [f"GET {MODELS_PATH}"] if models.names else []
    return [*(f"POST {path}" for path in _calls_of_models(models)), *listing]


def _calls_of_models(models: OpenAiModels) -> list[str]:
    return [path for path in list_paths(models.by_api) if models.names_at(path)]


def _with_operation_ids(public: PathItem, item: PathItem) -> PathItem:
    named = {
        method: {"operationId": operation["operationId"]}
        for method, operation in public.items()
        if method in {"get", "post"}
    }
    return {method: {**named.get(method, {}), **operation} for method, operation in item.items()}


def _build_reading(template: str) -> PathItem:
    """Builds the path that answers with this template."""
    return build_path({method: build_text(template) for method in _READING})


def _render_models(models: OpenAiModels) -> str:
    """Renders the list, without what the caller's team may not call."""
    kinds, one = _render_any(models)
    listed = f"#foreach($n in {json.dumps(models.names)}){_render_one_of_list(one, '$n')}#end"
    for name, aliases in _list_aliases(models):
        each = _render_one_of_list(_render_alias(models, name), "$a")
        listed += f'#set($n="{name}")#foreach($a in {json.dumps(aliases)}){each}#end'
    start = f'{_REFUSED}{kinds}#set($c="")#set($first="null")#set($last="null")'
    ends = '"has_more":false,"first_id":$first,"last_id":$last'
    return f'{start}{{"object":"list","data":[{listed}],{ends}}}'


def _render_one_of_list(one: str, id_: str) -> str:
    """Renders a model whose id is that variable, and remembers it as the last, and maybe the first."""
    ends = f'#if($first=="null")#set($first="$q{id_}$q")#end#set($last="$q{id_}$q")'
    return f'#if({_ALLOWED})${{c}}{one}#set($c=","){ends}#end'


def _list_aliases(models: OpenAiModels) -> list[tuple[str, tuple[str, ...]]]:
    """Lists the entries that have aliases, and these."""
    return [(name, aliases) for name in models.names if (aliases := models.aliases_of(name))]


def _render_alias(models: OpenAiModels, name: str) -> str:
    """Renders the alias `$a` of an entry."""
    return _as_text(build_model(describe_entry(models, name, "$a", root=name)))


def _render_model(models: OpenAiModels) -> str:
    """Renders the model that the end of the path names, or a 404; a path each would need a resource each.

    `$context.path` is the path as it was sent, so a slash may follow the name.
    """
    kinds, one = _render_any(models)
    is_own = f'!$n.contains("|")&&$all.contains("|$n|")&&{_ALLOWED}'
    chosen, found = "", f"#if({is_own}){one}"
    if models.aliases:
        chosen, answers = _choose_alias(models)
        found = f'{answers}#elseif("$!a"==""&&{is_own}){one}'
    unknown = unknown_model(models.with_aliases(models.names))
    return (
        f'{_REFUSED}{kinds}#set($n=$context.path.replaceAll(".*/(?=[^/])","").replaceAll("/",""))'
        f'#set($all="{_join(models.names)}")'
        f"{chosen}{found}"
        f"#else#set($context.responseOverride.status=404){render_body(unknown)}#end"
    )


def _choose_alias(models: OpenAiModels) -> tuple[str, str]:
    """Renders what finds the alias `$a` of an entry `$n` in the path, and the answer for each such entry."""
    chosen, answers = f'#set($s=$context.path.replaceAll(".*{MODELS_PATH}/","").replaceAll("/(?!.)",""))', ""
    for alias, name in models.aliases.items():
        same = "||".join(f'$s=="{spelling}"' for spelling in spell_in_path(alias))
        chosen += f'#if({same})#set($a="{alias}")#set($n="{name}")#end'
    for name, _ in _list_aliases(models):
        start = "#elseif" if answers else "#if"
        answers += f'{start}("$!a"!=""&&$n=="{name}"&&{_ALLOWED}){_render_alias(models, name)}'
    return chosen, answers


def _render_any(models: OpenAiModels) -> tuple[str, str]:
    """Renders the names of each kind of model, and the model `$n`: few kinds differ in what they can do."""
    kinds: dict[str, list[str]] = {}
    for name in models.names:
        kinds.setdefault(_as_text(build_model(describe_entry(models, name, "$n"))), []).append(name)
    *kinds_but_last, last = kinds
    names = "".join(f'#set($k{number}="{_join(kinds[kind])}")' for number, kind in enumerate(kinds_but_last))
    one = last
    for number, kind in reversed([*enumerate(kinds_but_last)]):
        one = f'#if($k{number}.contains("|$n|")){kind}#else{one}#end'
    return names, one


def describe_entry(models: OpenAiModels, name: str, as_name: str, root: str | None = None) -> ListedModel:
    """Describes an entry under `/v1`, under another name.

    Args:
        models: All models of the API.
        name: The entry's name.
        as_name: The name that it is listed under.
        root: The model that it stands for; None where it stands for itself.
    """
    capabilities, routes = models.capabilities_of(name), models.paths_of(name)
    return ListedModel(as_name, capabilities=capabilities, routes=routes, root=root)


def _join(names: Iterable[str]) -> str:
    """Joins names, so that each is between two bars."""
    return "|".join(["", *names, ""])


def _as_text(value: Any) -> str:
    """Renders JSON; names and aliases hold nothing that the template language would act on."""
    return json.dumps(value, separators=(",", ":"))
