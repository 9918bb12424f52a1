"""How much of a stack each part takes, measured on templates. Pure.

From 60 entries on, an estimate of the main stack is at most 3 % below the synthesized template and at most
10 % above it. A smaller document keeps its texts on every path, and is nowhere near a limit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.plan.account import AccountPlan
from centralized_ml_api.plan.apis import CHAT, EMBEDDINGS, list_paths
from centralized_ml_api.plan.aws.nested_stacks import TemplateSize
from centralized_ml_api.plan.aws.types import DirectRoute, StreamRoute

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from centralized_ml_api.plan.aws.types import (
        ExecutionRolePlan,
        HostingPlan,
        ModelFunctionPlan,
        Route,
        StreamPlan,
    )
    from centralized_ml_api.plan.event import EventPlan

_API = TemplateSize(resources=11, characters=33_000)
"""The API, its deployment, stage, role and log group, the account's role for logs, the document's texts
and paths for what it tells about itself."""

_DIRECT_PATH = TemplateSize(characters=3_950)
_OTHER_PATH = TemplateSize(characters=1_470)
_NAMED_BY_PATH = 4
"""How often the document has the name of an entry, or a logical id made of it."""

_POLICY = TemplateSize(resources=1, characters=400)
_ALLOWED = TemplateSize(characters=45)
"""An endpoint or a function in a policy."""

_ROLE = TemplateSize(resources=1, characters=900)
_ARN_CHARACTERS = 130
"""What the ARN of a repository or an object takes besides its names, with the function that joins it."""

_MODEL = TemplateSize(resources=3, characters=950)
_SCALING = TemplateSize(resources=2, characters=820)
_COMPONENT = TemplateSize(resources=3, characters=2_700)
"""The inference component of a model that may sleep, and what wakes it: a policy and an alarm."""

_HOURS = TemplateSize(characters=360)
"""What wakes such a model, and what lets it sleep."""

_FUNCTION = TemplateSize(resources=4, characters=1_700)
_STREAM = TemplateSize(resources=4, characters=4_000)
"""The streaming function with its role, log group and permission, and the path `/health`."""

_STREAM_MODEL = TemplateSize(characters=150)
_SPEAKING_MODEL = TemplateSize(characters=30)
_NAMED_BY_ROW = 2
_NAMED_BY_LIST = 4
"""How often the listing of models under `/v1` has the name of one."""

_ALIASED_MODEL = TemplateSize(characters=1_800)
_ALIAS = TemplateSize(characters=290)
_NAMED_BY_ALIAS = 11
"""Aliases are in the listing too, with what the answer says of their entry."""

_STREAM_TABLE = TemplateSize(resources=1, characters=300)
_OPENAI = TemplateSize(characters=11_000)
"""The paths under `/v1`, with their texts: those of chats and embeddings."""

_OPENAI_PATH = TemplateSize(characters=1_470)
"""Another path there."""

_SPENDING = TemplateSize(resources=1, characters=3_000)
"""The table of what teams spend, who may use it, and the path `/v1/usage`."""

_JOBS = TemplateSize(resources=4, characters=7_000)
"""The table of jobs, the function that runs them, how often Lambda may, who calls it, and the paths."""

_PROVIDER_MODEL = TemplateSize(characters=350)
_SECRET = TemplateSize(resources=1, characters=450)

_KEYS = TemplateSize(resources=6, characters=6_000)
"""The function that gives keys on, its log group and roles; what ends replaced keys."""

_TEAM = TemplateSize(resources=3, characters=900)
PLACE = TemplateSize(resources=2, characters=800)
"""The key of a place for a team that joins, and its part in the usage plan."""

_JOINING = TemplateSize(resources=6, characters=5_500)
"""The usage plan of places, the function that hands them out, its table, log group and roles, its path."""

_KEYS_PATH = TemplateSize(characters=100)
_ENDING = TemplateSize(resources=4, characters=14_000)
"""The schedule and its role, that of the endpoints' schedules, the rule that tells of a failure, a header on
every answer of the API, and that every resource depends on the schedule."""

_MODEL_ENDING = TemplateSize(resources=1, characters=750)
"""The schedule that deletes an endpoint, for which the API waits."""

_ENDING_PATH = TemplateSize(characters=105)

_ACCOUNT = TemplateSize(resources=6, characters=7_000)
"""The policies for a network, a domain and its mapping, a web ACL's association, boundaries."""

_NETWORKED = TemplateSize(characters=700)

_BUDGET = TemplateSize(resources=1, characters=1_000)
_NAMED_BY_ENTRY = 8
_VARIABLE_CHARACTERS = 8


def account_size(account: AccountPlan, networked: int) -> TemplateSize:
    """Returns what an account's demands take; `networked` is how many models and functions have a network."""
    if replace(account, jobs=False) == AccountPlan():
        return TemplateSize()
    return _ACCOUNT + (
        TemplateSize(characters=networked * _NETWORKED.characters) if account.vpc else TemplateSize()
    )


def fixed_size(
    routes: Sequence[Route],
    roles: Iterable[ExecutionRolePlan],
    api_policies: int,
    stream: StreamPlan,
) -> TemplateSize:
    """Returns what the main stack always holds: the API with its paths, and the roles.

    Args:
        routes: The paths of the entries.
        roles: The execution roles.
        api_policies: How many policies the API's role has.
        stream: The function that streams.
    """
    total = sum((_path(route) for route in routes), _API) + _times(api_policies, _POLICY)
    total += _stream(stream)
    for role in roles:
        total += _ROLE + _times(len(role.repositories) + len(role.locations), _POLICY)
        names = [len(repository.name) for repositories in role.repositories for repository in repositories]
        names += [len(place.bucket) + 2 * len(place.key) for places in role.locations for place in places]
        total += TemplateSize(characters=sum(_ARN_CHARACTERS + name for name in names))
    return total


def event_size(event: EventPlan, paths: int) -> TemplateSize:
    """Returns what the main stack holds for an event: teams, end, budget, and their share of each path."""
    budget = _BUDGET if event.budget else TemplateSize()
    ending = _ENDING + _times(paths, _ENDING_PATH) if event.ends else TemplateSize()
    keys = _KEYS + _times(paths, _KEYS_PATH) + _times(len(event.teams), _TEAM)
    joining = _JOINING + _times(event.join.places, PLACE) if event.join else TemplateSize()
    return (keys + joining if event.needs_key else TemplateSize()) + ending + budget


def entry_sizes(
    routes: Iterable[Route],
    models: Iterable[HostingPlan],
    functions: Iterable[ModelFunctionPlan],
    *,
    ends: bool = False,
    hours: int = 0,
) -> dict[str, TemplateSize]:
    """Returns what each entry takes, in config order; nothing for an entry that only has a path.

    Args:
        routes: The paths, one for each entry.
        models: The endpoints of our own.
        functions: The functions of entries.
        ends: Whether the event has an end.
        hours: How often the event lets models wake that may sleep.
    """
    ending = _MODEL_ENDING if ends else TemplateSize()
    sizes = {route.name: TemplateSize() for route in routes}
    for model in models:
        scaling = _SCALING if model.autoscaling else TemplateSize()
        component = _COMPONENT + _times(hours, _HOURS) if model.copy else TemplateSize()
        sizes[model.name] += _MODEL + scaling + component + ending + _named(model.name, _NAMED_BY_ENTRY)
        sizes[model.name] += _variables(model.container.environment)
    for function in functions:
        sizes[function.name] += _FUNCTION + _named(function.name, _NAMED_BY_ENTRY)
        sizes[function.name] += _variables(function.environment)
    return sizes


def _stream(stream: StreamPlan) -> TemplateSize:
    total = _STREAM + _times(len(stream.policies) + len(stream.described), _POLICY)
    total += _times(len(stream.tables), _STREAM_TABLE)
    total += _SPENDING if stream.spending.is_counted else TemplateSize()
    total += _JOBS if stream.jobs else TemplateSize()
    for model in stream.models:
        total += _STREAM_MODEL + _named(model.name, _NAMED_BY_ROW)
        if model.speaks or model.hosted_apis:
            total += _SPEAKING_MODEL + _named(model.name, _NAMED_BY_LIST)
        if model.hosted_apis:
            total += _PROVIDER_MODEL
        if model.aliases:
            total += _ALIASED_MODEL + _times(len(model.aliases), _ALIAS)
            total += _named("".join(model.aliases), _NAMED_BY_ALIAS)
    apis = {api for model in stream.models for api in (*model.hosted_apis, model.speaks) if api}
    others = list_paths(apis - {CHAT.name, EMBEDDINGS.name})
    total += _times(len(others), _OPENAI_PATH) + _times(len(stream.secrets), _SECRET)
    speaking = any(model.speaks or model.hosted_apis for model in stream.models)
    return total + (_OPENAI if speaking else TemplateSize())


def _path(route: Route) -> TemplateSize:
    kind = _DIRECT_PATH if isinstance(route, DirectRoute) else _OTHER_PATH
    allowed = TemplateSize() if isinstance(route, StreamRoute) else _ALLOWED
    return kind + allowed + _named(route.name, _NAMED_BY_PATH)


def _named(name: str, times: int) -> TemplateSize:
    return TemplateSize(characters=times * len(name))


def _times(count: int, size: TemplateSize) -> TemplateSize:
    return TemplateSize(count * size.resources, count * size.characters)


def _variables(environment: Mapping[str, str]) -> TemplateSize:
    texts = (len(name) + len(value) + _VARIABLE_CHARACTERS for name, value in environment.items())
    return TemplateSize(characters=sum(texts))
