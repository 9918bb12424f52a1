"""What the API tells about itself: the page, the catalogue, the OpenAPI document. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from centralized_ml_api.api.entry_details import NOTHING_KNOWN, Known
from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.http import CATALOGUE_PATH, JOIN_PATH, OPENAPI_PATH, PAGE_PATH
from centralized_ml_api.api.models_list import build_catalogue
from centralized_ml_api.api.openapi import JSON, build_openapi
from centralized_ml_api.api.page.build import CONTENT_TYPE, build_join_page, build_page
from centralized_ml_api.record import record

if TYPE_CHECKING:
    from centralized_ml_api.api.page.build import Page
    from centralized_ml_api.plan.speaks import OpenAiModels
    from centralized_ml_api.plan.types import ApiPlan

METHODS = ("GET", "HEAD")
"""What the paths of documents answer, besides preflights."""

_HEADERS = (("cache-control", "no-cache"), ("x-content-type-options", "nosniff"))


@record
class ServedDocument:
    """A text that does not change from call to call, and the headers that it is served with.

    With `models` it is for callers who may call just these; others get the document of the path without.
    """

    path: str
    content_type: str
    text: str
    headers: tuple[tuple[str, str], ...] = ()
    models: tuple[str, ...] | None = None


def build_documents(
    plan: ApiPlan, openai: OpenAiModels, *, known: Known = NOTHING_KNOWN, root: str = ""
) -> tuple[ServedDocument, ...]:
    """Builds the catalogue, the page and the OpenAPI document; where teams may join, their page too.

    Args:
        plan: The entries and the event.
        openai: The entries under `/v1`, on the target that they are for.
        known: What the target knows beyond the plan.
        root: Where on its host the API lies, such as `/prod`.
    """
    logo = known.logo
    image = f"data:{logo.media_type};base64,{logo.base64}" if logo else None
    page = build_page(plan.event.title, image, known.authority, joins=plan.event.join is not None)
    join = _build_join_page(plan, image, known) if plan.event.join else None
    return (
        *((ServedDocument(JOIN_PATH, CONTENT_TYPE, join.html.decode(), join.headers),) if join else ()),
        ServedDocument(PAGE_PATH, CONTENT_TYPE, page.html.decode(), page.headers),
        _json(CATALOGUE_PATH, build_catalogue(plan, openai, known)),
        _json(OPENAPI_PATH, build_openapi(plan, openai, root=root, later=known.answered_later)),
    )


def _build_join_page(plan: ApiPlan, logo: str | None, known: Known) -> Page:
    event = plan.event
    starts, ends = (render_instant(instant) if instant else "" for instant in (event.starts, event.ends))
    return build_join_page(event.title, logo, known.authority, starts=starts, ends=ends)


def build_team_catalogues(
    plan: ApiPlan, openai: OpenAiModels, known: Known = NOTHING_KNOWN
) -> tuple[ServedDocument, ...]:
    """Builds a catalogue for each list of models that teams have: without what they may not call.

    Args:
        plan: The API.
        openai: Its models under `/v1`.
        known: What the target knows of its entries beyond the plan.
    """
    lists = dict.fromkeys(team.models for team in plan.event.kinds_of_teams if team.models is not None)
    return tuple(
        replace(_json(CATALOGUE_PATH, build_catalogue(plan, openai, known, models)), models=models)
        for models in lists
    )


def _json(path: str, value: Any) -> ServedDocument:
    return ServedDocument(path, JSON, json.dumps(value, separators=(",", ":")), _HEADERS)
