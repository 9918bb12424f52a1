"""Plan and running services -> what the gateway serves and what `status` shows. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from centralized_ml_api.api.catalogue import NOTHING_KNOWN, Known
from centralized_ml_api.api.documents import build_documents
from centralized_ml_api.local.gateway import Gateway, RefusedRoute, ServedRoute, TeamAccess
from centralized_ml_api.local.run.specs import services_of
from centralized_ml_api.local.status import EntryState, EntryStatus, PartStatus
from centralized_ml_api.plan.speaks import OpenAiModels, local_openai_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from centralized_ml_api.local.run.registry import Running
    from centralized_ml_api.local.supervision.service import Report
    from centralized_ml_api.plan.event import TeamPlan
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

    Find = Callable[[str], Running | None]


WORDS: dict[EntryState, str] = {
    "preparing": "is being prepared",
    "starting": "is starting",
    "restarting": "is starting again",
    "unready": "is not ready",
    "failed": "could not be started",
}


def build_gateway(
    plan: ApiPlan,
    refused: dict[str, str],
    find: Find,
    retiring: tuple[Running, ...] = (),
    *,
    known: Known = NOTHING_KNOWN,
    keys: Mapping[str, tuple[str, ...]] | None = None,
) -> Gateway:
    """What the gateway serves now, in plan order; `retiring` services have no route any more, but calls.

    `known` is for the catalogue; `keys` are those of each team that are valid now.
    """
    fronts = [one for entry in plan.deployments if (one := _front(entry, find)) is not None]
    openai = local_openai_models(plan)
    chat, embeddings = (_openai_routes(names, plan, find) for names in (openai.chat, openai.embeddings))
    models = [one for route in (*chat, *embeddings) if (one := find(route.name)) is not None]
    return Gateway(
        upstreams=tuple(
            one.service.upstream(one.upstream) for one in dict.fromkeys((*fronts, *models, *retiring))
        ),
        routes=tuple(_route(entry, refused, find) for entry in plan.deployments),
        unready=tuple(_unready(entry_statuses(plan, refused, find))),
        chat=chat,
        embeddings=embeddings,
        ends=plan.event.ends,
        teams=tuple(_access(team, keys or {}) for team in plan.event.teams),
        throttle=plan.event.throttle,
        documents=build_documents(
            plan,
            OpenAiModels(tuple(one.name for one in chat), tuple(one.name for one in embeddings)),
            known=replace(known, refused=refused),
        ),
    )


def _access(team: TeamPlan, keys: Mapping[str, tuple[str, ...]]) -> TeamAccess:
    return TeamAccess(team.name, keys.get(team.name, ()), team.models, team.throttle, team.requests_per_day)


def entry_statuses(plan: ApiPlan, refused: dict[str, str], find: Find) -> tuple[EntryStatus, ...]:
    """How each entry is now, in plan order."""
    return tuple(_entry_status(entry, refused, find) for entry in plan.deployments)


def _front(entry: ModelDeployment, find: Find) -> Running | None:
    """The service that takes the entry's calls."""
    return find(services_of(entry)[0])


def _route(entry: ModelDeployment, refused: dict[str, str], find: Find) -> ServedRoute | RefusedRoute:
    front = _front(entry, find)
    if front is None:
        return RefusedRoute(entry.name, refused.get(entry.name, "This entry is not served here."))
    is_function = entry.function is not None
    return ServedRoute(
        name=entry.name,
        upstream=front.upstream,
        rewrite=None if is_function else _server_path(entry, front),
        headers=None if is_function else entry.headers,
        streams=entry.integration == "stream",
        reads_json=not is_function and entry.local is not None and entry.local.serving.reads_json,
    )


def _openai_routes(names: Iterable[str], plan: ApiPlan, find: Find) -> tuple[ServedRoute, ...]:
    """To the model servers themselves, also where a function takes the calls of the entry's own path."""
    entries = [one for name in names if (one := plan.deployment(name)) is not None]
    return tuple(
        ServedRoute(entry.name, running.upstream, _server_path(entry, running), entry.headers)
        for entry in entries
        if (running := find(entry.name)) is not None
    )


def _server_path(entry: ModelDeployment, running: Running) -> str | None:
    """The path that takes calls at the entry's model server."""
    own = running.service.path_of(entry.endpoint_name)
    return own or (entry.local.serving.path if entry.local else None)


def _unready(statuses: Iterable[EntryStatus]) -> list[tuple[str, str]]:
    """Participants read these: the state alone, no detail of this machine."""
    return [
        (status.name, WORDS[status.state])
        for status in statuses
        if status.state not in {"ready", "not served"}
    ]


def _entry_status(entry: ModelDeployment, refused: dict[str, str], find: Find) -> EntryStatus:
    parts = tuple(_part(name, one.report()) for name in services_of(entry) if (one := find(name)))
    state, detail = _summary(parts) if parts else ("not served", refused.get(entry.name, ""))
    return EntryStatus(
        name=entry.name,
        path=entry.path,
        state=state,
        detail=detail,
        engine=entry.local.serving.engine if entry.local else "",
        integration=entry.integration,
        parts=parts,
    )


def _summary(parts: tuple[PartStatus, ...]) -> tuple[EntryState, str]:
    """An entry is as its worst part is."""
    order: tuple[EntryState, ...] = ("failed", "unready", "preparing", "restarting", "starting", "ready")
    for state in order:
        for part in parts:
            if part.state == state:
                return state, part.detail
    return "starting", ""


def _part(name: str, report: Report) -> PartStatus:
    return PartStatus(
        name=name,
        state=report.state,
        detail=report.detail,
        ready_replicas=report.ready_replicas,
        replicas=report.replicas,
        restarts=report.restarts,
        pids=report.pids,
        log=report.log,
    )
