"""Composes what the gateway serves, from the plan and the running services. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.api.documents import build_documents, build_team_catalogues
from centralized_ml_api.api.entry_details import NOTHING_KNOWN, Known
from centralized_ml_api.api.openai import list_models
from centralized_ml_api.local.admission.terms import EntryTerms
from centralized_ml_api.local.gateway import (
    Attempt,
    Doors,
    Gateway,
    RefusedRoute,
    ServedRoute,
    TeamAccess,
    Translation,
)
from centralized_ml_api.local.run.entry_statuses import (
    entry_statuses,
    list_asleep,
    list_unready,
    word_sleep,
)
from centralized_ml_api.local.run.entry_terms import Limits, build_entry_terms
from centralized_ml_api.local.run.notices import Notices
from centralized_ml_api.local.run.specs import services_of
from centralized_ml_api.plan.apis import COUNT_TOKENS_PATH, MEDIA_APIS, MODEL_APIS, OF_BEDROCK, ModelApi
from centralized_ml_api.plan.bedrock import BedrockServing
from centralized_ml_api.plan.speaks import (
    OpenAiModels,
    find_body_limit,
    find_own_api,
    list_passed_headers,
    list_spoken,
    list_translated,
    local_openai_models,
)
from centralized_ml_api.plan.types import BODY_LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from centralized_ml_api.local.gateway import Door, ExternalUpstream, Upstream
    from centralized_ml_api.local.run.entry_statuses import Look
    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.local.status import EntryStatus
    from centralized_ml_api.plan.event import TeamPlan
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

    Find = Callable[[str], Running | None]


_WITHOUT_TOKENS = {api.name for api in MEDIA_APIS}
"""APIs whose answers have no tokens to count."""


def build_gateway(
    plan: ApiPlan,
    refused: Mapping[str, str],
    find: Find,
    retiring: Iterable[Running] = (),
    *,
    translates: bool = False,
    known: Known = NOTHING_KNOWN,
    keys: Mapping[str, tuple[str, ...]] | None = None,
    starts: datetime | None = None,
    sleeping: Look = lambda _: None,
    doors: Doors | None = None,
    notices: Notices | None = None,
) -> Gateway:
    """Builds what the gateway serves now, in config order.

    Args:
        plan: What is served, with the teams that have joined.
        refused: By entry, why it is not served here.
        find: Returns the running service of a name.
        retiring: Services without a route, which may still have calls under way.
        translates: Whether the translator can run here.
        known: What else the catalogue shows of the entries, and since when they are served.
        keys: By team, the keys that are valid now.
        starts: When the event starts; None once it has.
        sleeping: Returns how an entry sleeps; None if it never does.
        doors: Who answers teams that join, where the plan has places for them, and who takes jobs.
        notices: What is paused, and the message to all.
    """
    doors, notices = doors or Doors(), notices or Notices()
    door = doors.join if plan.event.join else None
    fronts = filter(None, (_front(entry, find) for entry in plan.deployments))
    openai = local_openai_models(plan, translates=translates)
    models = {name: model for name in openai.names if (model := find(name)) is not None}
    by_model = _routes_by_model(plan, openai.only(models), models, limits=Limits.of(plan.event))
    by_model = _with_attempts(plan, by_model) if translates else by_model
    served = replace(openai.only(models), takes_tools=_takes_tools(by_model.values()))
    statuses = entry_statuses(plan, refused, find, sleeping)
    later = frozenset(entry.name for entry in plan.deployments) - refused.keys() if doors.jobs else None
    known = _add_state(replace(known, refused=refused, answered_later=later), plan, statuses)
    return Gateway(
        upstreams=(*_upstreams((*fronts, *models.values(), *retiring)), *_upstreams_of(door, doors.jobs)),
        routes=tuple(_own_routes(plan, refused, find, by_model)),
        unready=tuple(list_unready(statuses)),
        asleep=tuple(list_asleep(statuses)),
        by_model=by_model,
        ends=plan.event.ends,
        teams=tuple(_access(team, keys or {}, notices) for team in plan.event.teams),
        throttle=plan.event.throttle,
        documents=(*build_team_catalogues(plan, served, known), *build_documents(plan, served, known=known)),
        listed=list_models(served, known),
        aliases=plan.event.aliases,
        starts=starts,
        pot=plan.event.pot,
        door=door,
        jobs=doors.jobs,
        runs_jobs=doors.runs_jobs(),
        paused=notices.list_paused(entry.name for entry in plan.deployments),
        message=notices.message,
    )


def _add_state(known: Known, plan: ApiPlan, statuses: Iterable[EntryStatus]) -> Known:
    """Adds to what the catalogue shows how the entries are now."""
    return replace(
        known,
        sleeping={status.name: word_sleep(status) for status in statuses if status.sleep},
        context_lengths=_context_lengths(plan),
    )


def _upstreams(services: Iterable[Running]) -> tuple[Upstream | ExternalUpstream, ...]:
    """Builds the upstreams; one that sleeps may have that of one that retires, whose calls are under way."""
    by_name: dict[str, Running] = {}
    for running in services:
        if running.upstream not in by_name or by_name[running.upstream].is_asleep:
            by_name[running.upstream] = running
    return tuple(running.service.upstream(name) for name, running in by_name.items())


def _upstreams_of(*doors: Door | None) -> tuple[Upstream, ...]:
    return tuple(door.upstream for door in doors if door is not None)


def _context_lengths(plan: ApiPlan) -> dict[str, int]:
    return {
        entry.name: length
        for entry in plan.deployments
        if entry.local and (length := entry.local.serving.context_length) is not None
    }


def _takes_tools(paths: Iterable[tuple[ServedRoute, ...]]) -> dict[str, bool]:
    """Returns what is known of this; the calls of a route are checked by the same."""
    return {
        route.name: route.admission.takes_tools
        for routes in paths
        for route in routes
        if route.admission and route.admission.takes_tools is not None
    }


def _access(team: TeamPlan, keys: Mapping[str, tuple[str, ...]], notices: Notices) -> TeamAccess:
    return TeamAccess(
        team.name,
        keys.get(team.name, ()),
        team.models,
        team.throttle,
        team.requests_per_day,
        team.requests_at_once,
        team.spending,
        notices.find(None, team=team.name),
    )


def _front(entry: ModelDeployment, find: Find) -> Running | None:
    """Returns the service that takes the entry's calls."""
    return find(services_of(entry)[0])


def _own_routes(
    plan: ApiPlan, refused: Mapping[str, str], find: Find, by_model: Mapping[str, tuple[ServedRoute, ...]]
) -> Iterable[ServedRoute | RefusedRoute]:
    """Yields the route of each entry's own path."""
    limits = Limits.of(plan.event)
    for entry in plan.deployments:
        yield _with_own_attempts(_route(entry, refused, find, limits=limits), entry, by_model)


def _route(
    entry: ModelDeployment, refused: Mapping[str, str], find: Find, *, limits: Limits
) -> ServedRoute | RefusedRoute:
    front = _front(entry, find)
    if front is None:
        return RefusedRoute(entry.name, refused.get(entry.name, "This entry is not served here."))
    terms = build_entry_terms(entry, front.about(), limits=limits)
    if entry.function is not None:
        # Its bodies are the function's own; what it sends to the model is checked on its way there.
        waits = terms and EntryTerms(
            places=terms.places, slots=terms.slots, price=terms.price, sleeps=terms.sleeps
        )
        return ServedRoute(entry.name, front.upstream, rewrite=None, headers=None, admission=waits)
    own = find_own_api(entry)
    return ServedRoute(
        name=entry.name,
        upstream=front.upstream,
        rewrite=_server_path(entry, front),
        headers=list_passed_headers(entry, own),
        streams=entry.integration == "stream",
        reads_json=entry.local is not None and entry.local.serving.reads_json,
        admission=terms,
        body_limit_bytes=_large_body_limit(entry),
        counts_tokens=not {*list_spoken(entry), *list_translated(entry)} <= _WITHOUT_TOKENS,
        translation=_translation(entry, own) if own else None,
    )


def _routes_by_model(
    plan: ApiPlan, served: OpenAiModels, models: Mapping[str, Running], *, limits: Limits
) -> dict[str, tuple[ServedRoute, ...]]:
    """Builds routes to the model servers themselves, also where a function takes the entry's own path."""
    entries = {entry.name: entry for entry in plan.deployments}
    terms = {
        name: _name_entry(
            build_entry_terms(entries[name], model.about(), limits=limits),
            name,
            has_aliases=name in plan.event.aliases.values(),
        )
        for name, model in models.items()
    }
    return {
        path: tuple(
            ServedRoute(
                name,
                models[name].upstream,
                _server_path_of(entries[name], models[name], api, path),
                list_passed_headers(entries[name], api),
                admission=_for_path(terms[name], path, translation, limits),
                body_limit_bytes=_large_body_limit(entries[name]),
                counts_tokens=path != COUNT_TOKENS_PATH and api not in MEDIA_APIS,
                translation=translation,
            )
            for name in names
            for translation in [_translation(entries[name], api)]
        )
        for api in MODEL_APIS
        for path in api.paths
        if (names := served.names_at(path))
    }


def _with_attempts(
    plan: ApiPlan, by_model: Mapping[str, tuple[ServedRoute, ...]]
) -> dict[str, tuple[ServedRoute, ...]]:
    """Returns the routes, each with the entries at the same path that are asked where it fails."""
    fallbacks = {entry.name: entry.fallback for entry in plan.deployments}
    if not any(fallbacks.values()):
        return dict(by_model)
    built = {}
    for path, routes in by_model.items():
        attempts = {
            route.name: Attempt(
                route.name,
                f"/{route.name}{path}",
                route.headers or (),
                tuple(team.name for team in plan.event.teams if not team.may_call(route.name)),
            )
            for route in routes
        }
        built[path] = tuple(
            replace(route, attempts=tuple(attempts[name] for name in (route.name, *others)))
            if (others := [name for name in fallbacks[route.name] if name in attempts])
            else route
            for route in routes
        )
    return built


def _with_own_attempts(
    route: ServedRoute | RefusedRoute,
    entry: ModelDeployment,
    by_model: Mapping[str, tuple[ServedRoute, ...]],
) -> ServedRoute | RefusedRoute:
    """Returns the route of an entry's own path, which is that of an API where somebody hosts the model."""
    is_hosted = entry.local is not None and entry.local.serving.is_hosted
    own = find_own_api(entry)
    if isinstance(route, RefusedRoute) or not is_hosted or own is None:
        return route
    first = by_model.get(own.paths[0], ())
    attempts = next((same.attempts for same in first if same.name == entry.name), ())
    return replace(route, attempts=attempts)


def _large_body_limit(entry: ModelDeployment) -> int | None:
    """Returns the bytes of the largest body, if that is more than the API's own limit."""
    limit = find_body_limit(entry)
    return limit if limit > BODY_LIMIT_BYTES else None


def _translation(entry: ModelDeployment, api: ModelApi) -> Translation | None:
    """Returns how the calls of an API are translated, where the entry's server does not speak it."""
    server = list_translated(entry).get(api.name)
    if server is None or entry.local is None:
        return None
    serving = entry.local.serving
    return Translation(
        client=api.name,
        server=server,
        limit_key=serving.limit_key,
        takes_stream_options=serving.takes_stream_options,
        model=serving.hosted.model_id
        if isinstance(serving, BedrockServing) and serving.needs_translator
        else "",
    )


def _name_entry(terms: EntryTerms | None, name: str, *, has_aliases: bool) -> EntryTerms | None:
    """Returns the terms; for bodies that may name an alias, those that write the entry's name instead."""
    if not has_aliases or (terms and terms.model):
        return terms
    return replace(terms or EntryTerms(), model=name)


def _for_path(
    terms: EntryTerms | None, path: str, translation: Translation | None, limits: Limits
) -> EntryTerms | None:
    """Returns the terms of a path; the translator reports the tokens of a stream, whatever servers take."""
    if terms is None:
        return None
    reports = bool(translation) or terms.takes_stream_options
    has_tokens = limits.spending and all(path not in api.paths for api in MEDIA_APIS)
    return replace(terms, path=path, takes_stream_options=reports, has_tokens=has_tokens)


def _server_path(entry: ModelDeployment, running: Running) -> str | None:
    """Returns the path that takes calls at the entry's model server."""
    own = running.service.path_of(entry.endpoint_name)
    return own or (entry.local.serving.path if entry.local else None)


def _server_path_of(entry: ModelDeployment, running: Running, api: ModelApi, path: str) -> str | None:
    """Returns the path that takes calls of a path under `/v1` at the model server, translated or not."""
    only = running.service.path_of(entry.endpoint_name)
    if only or entry.local is None:
        return only
    server = list_translated(entry).get(api.name, api.name)
    if server not in {api.name, *OF_BEDROCK}:
        (api,) = (spoken for spoken in MODEL_APIS if spoken.name == server)
        path = api.paths[0]
    return entry.local.serving.path_of(api, path, is_first=find_own_api(entry) is api)
