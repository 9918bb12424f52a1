"""The catalogue that `GET /models` answers: every entry, and how the page lets one try it. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from centralized_ml_api.api.entry_details import NOTHING_KNOWN, Known
from centralized_ml_api.api.event_end import render_instant
from centralized_ml_api.api.openai import build_model_list, list_models
from centralized_ml_api.api.openapi import JSON
from centralized_ml_api.plan.event import DEFAULT_THROTTLE
from centralized_ml_api.plan.sample import media_type_of, sample_of
from centralized_ml_api.plan.vision import sees_pictures

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from centralized_ml_api.plan.event import EventPlan, Throttle
    from centralized_ml_api.plan.speaks import OpenAiModels
    from centralized_ml_api.plan.types import ApiPlan, ModelDeployment

_Task = Literal["chat", "embeddings"]

_PROMPTS = ("text_inputs", "inputs", "prompt", "text", "input", "question")
"""Keys of a body under which a single text is what changes from call to call."""


def build_catalogue(
    plan: ApiPlan,
    openai: OpenAiModels,
    known: Known = NOTHING_KNOWN,
    models: Collection[str] | None = None,
) -> dict[str, Any]:
    """Builds the document as plain values, in config order.

    It is also a list of models as OpenAI's clients read it, for those whose base URL lacks `/v1`.

    Args:
        plan: The entries and the event.
        openai: The entries under `/v1`.
        known: What the target knows beyond the plan.
        models: The entries that the reader may call; None for all.
    """
    allowed = None if models is None else {*models}
    deployments = [entry for entry in plan.deployments if allowed is None or entry.name in allowed]
    listed = [model for model in list_models(openai, known) if allowed is None or model.entry in allowed]
    tasks = _list_tasks(openai)
    return {
        "models": [_model(deployment, openai, known, tasks) for deployment in deployments],
        "event": _event(plan.event),
        **build_model_list(listed),
    }


def _event(event: EventPlan) -> dict[str, Any]:
    return {
        "title": event.title,
        "welcome": event.welcome,
        "needs_key": event.needs_key,
        "starts": render_instant(event.starts) if event.starts else None,
        "ends": render_instant(event.ends) if event.ends else None,
        "limits": _limits(event),
        **({"hours": _hours(event)} if event.hours else {}),
    }


def _hours(event: EventPlan) -> list[dict[str, str]]:
    return [
        {"from": render_instant(window.begins), "to": render_instant(window.ends)} for window in event.hours
    ]


def _limits(event: EventPlan) -> str | None:
    """Says the limits in words; None where each team has its own."""
    teams = {team.throttle or DEFAULT_THROTTLE for team in event.kinds_of_teams}
    if len(teams) > 1:
        return None
    whom = "each team" if teams else "all callers together"
    return f"{_words(next(iter(teams), event.throttle))}, for {whom}"


def _words(throttle: Throttle) -> str:
    return f"{throttle.requests_per_second:g} requests a second, in bursts of up to {throttle.burst}"


def _list_tasks(openai: OpenAiModels) -> dict[str, _Task]:
    """Returns by name what the page shows of an entry under `/v1`; one that chats is shown as a chat."""
    return {**dict.fromkeys(openai.embeddings, "embeddings"), **dict.fromkeys(openai.chat, "chat")}


def _model(
    deployment: ModelDeployment, openai: OpenAiModels, known: Known, tasks: Mapping[str, _Task]
) -> dict[str, Any]:
    sample = sample_of(deployment)
    return {
        "name": deployment.name,
        "path": deployment.path,
        "description": deployment.description,
        "made_by": deployment.about.made_by,
        "licence": deployment.about.licence,
        "licence_url": known.licences.get(deployment.name),
        "task": known.tasks.get(deployment.name),
        "takes": media_type_of(deployment),
        "gives": deployment.about.gives or JSON,
        "streams": deployment.integration == "stream" or tasks.get(deployment.name) == "chat",
        "openai": tasks.get(deployment.name),
        "sees": openai.sees.get(deployment.name, sees_pictures(sample, known.tasks.get(deployment.name))),
        "sample": sample,
        "sample_file": asdict(known.samples[deployment.name]) if deployment.name in known.samples else None,
        "form": _form(media_type_of(deployment), sample),
        "served": deployment.name not in known.refused,
        "why_not": known.refused.get(deployment.name),
        **_longest_answer(deployment),
        **_sleep(deployment.name, known),
    }


def _longest_answer(deployment: ModelDeployment) -> dict[str, Any]:
    """Returns how many tokens an answer may have; nothing where the config does not limit them."""
    limit = deployment.max_output_tokens
    return {} if limit is None else {"max_output_tokens": limit}


def _sleep(name: str, known: Known) -> dict[str, Any]:
    """Returns how an entry sleeps; nothing for one that never does."""
    return {"sleep": dict(known.sleeping[name])} if name in known.sleeping else {}


def _form(media: str, sample: Any) -> dict[str, str]:
    """Returns the kind of form, and for `text` a JSON pointer to the text in the sample.

    Source: RFC 6901 (JSON Pointer).
    """
    if media != JSON:
        kind = media.partition("/")[0]
        return {"kind": kind if kind in {"image", "audio"} else "file"}
    text = next(_texts(sample, ""), None)
    return {"kind": "json"} if text is None else {"kind": "text", "at": text}


def _texts(value: Any, at: str) -> Iterator[str]:
    """Yields where in a sample a text is that a caller would change, the nearest first."""
    if isinstance(value, dict):
        for key in _PROMPTS:
            if isinstance(value.get(key), str):
                yield f"{at}/{key}"
        for key, part in value.items():
            if key != "messages":
                yield from _texts(part, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, f"{at}/{index}")
