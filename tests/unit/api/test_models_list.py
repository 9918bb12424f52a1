from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from centralized_ml_api.api.documents import build_documents
from centralized_ml_api.api.entry_details import (
    FILE_BYTES,
    NOTHING_KNOWN,
    Known,
    Sample,
    load_logo,
    load_samples,
)
from centralized_ml_api.api.models_list import build_catalogue
from centralized_ml_api.config.load import load_config
from centralized_ml_api.config.logo import LOGO_BYTES
from centralized_ml_api.plan.build import build_plan
from centralized_ml_api.plan.speaks import OpenAiModels, local_openai_models

if TYPE_CHECKING:
    from pathlib import Path

    from centralized_ml_api.plan.types import ApiPlan

URL = {"engine": "url", "url": "http://127.0.0.1:1/invocations"}


def plan_of(tmp_path: Path, entry: dict[str, Any], **root: Any) -> ApiPlan:
    path = tmp_path / "models.json"
    whole = {"name": "a", "integration": {"type": "api"}, "local": URL, **entry}
    path.write_text(json.dumps({"models": [], "endpoints": [whole], **root}))
    return build_plan(load_config(path, now=datetime(2026, 1, 1, tzinfo=UTC)))


def catalogue(
    tmp_path: Path, entry: dict[str, Any], known: Known = NOTHING_KNOWN, **root: Any
) -> dict[str, Any]:
    plan = plan_of(tmp_path, entry, **root)
    return build_catalogue(plan, local_openai_models(plan), known)


def model(tmp_path: Path, known: Known = NOTHING_KNOWN, **entry: Any) -> dict[str, Any]:
    (only,) = catalogue(tmp_path, entry, known)["models"]
    return dict(only)


@pytest.mark.parametrize(
    ("sample", "form"),
    [
        ({"text_inputs": "What is AWS?"}, {"kind": "text", "at": "/text_inputs"}),
        ({"text_prompts": [{"text": "a cat"}], "seed": 1}, {"kind": "text", "at": "/text_prompts/0/text"}),
        ({"odd/key~": {"prompt": "x"}}, {"kind": "text", "at": "/odd~1key~0/prompt"}),
        ({"messages": [{"role": "user", "content": "Hi"}]}, {"kind": "json"}),
        ({"numbers": [1, 2]}, {"kind": "json"}),
        (None, {"kind": "json"}),
    ],
)
def test_a_json_body_is_filled_in_where_its_text_stands(
    tmp_path: Path, sample: Any, form: dict[str, str]
) -> None:
    assert model(tmp_path, sample=sample)["form"] == form


@pytest.mark.parametrize(
    ("takes", "kind"), [("audio/wav", "audio"), ("image/png", "image"), ("application/x-npy", "file")]
)
def test_other_bodies_are_files(tmp_path: Path, takes: str, kind: str) -> None:
    described = model(tmp_path, takes=takes)
    assert (described["takes"], described["form"]) == (takes, {"kind": kind})


def test_what_the_config_says_of_a_model_is_told(tmp_path: Path) -> None:
    told = model(tmp_path, made_by="Us", licence="MIT-0", gives="image/png", description="Draws.")
    assert (told["made_by"], told["licence"], told["gives"]) == ("Us", "MIT-0", "image/png")
    assert (told["name"], told["path"], told["description"]) == ("a", "/a", "Draws.")


def test_an_entry_that_chats_says_so(tmp_path: Path) -> None:
    assert model(tmp_path, local={**URL, "speaks": "openai-chat"})["openai"] == "chat"


def test_an_entry_that_is_not_served_says_why(tmp_path: Path) -> None:
    told = model(tmp_path, Known({"a": "no engine"}))
    assert (told["served"], told["why_not"]) == (False, "no engine")


def test_the_event_says_when_it_ends_and_whether_a_key_is_needed(tmp_path: Path) -> None:
    event = {
        "teams": ["red"],
        "starts": "2099-06-01T09:00:00+02:00",
        "ends": "2099-06-01T18:00:00+02:00",
        "title": "Hack",
        "welcome": "Hello **all**.",
    }
    told = catalogue(tmp_path, {}, event=event)
    limits = "100 requests a second, in bursts of up to 200, for each team"
    assert told["event"] == {
        "title": "Hack",
        "welcome": "Hello **all**.",
        "needs_key": True,
        "starts": "2099-06-01T07:00:00Z",
        "ends": "2099-06-01T16:00:00Z",
        "limits": limits,
    }


def test_the_event_says_its_hours(tmp_path: Path) -> None:
    hours = [{"from": "2099-06-01T09:00:00+02:00", "to": "2099-06-01T18:00:00+02:00"}]
    local = {"engine": "command", "run": ["serve", "{port}"], "idle": "10m"}
    told = catalogue(tmp_path, {"local": local}, event={"hours": hours})
    assert told["event"]["hours"] == [{"from": "2099-06-01T07:00:00Z", "to": "2099-06-01T16:00:00Z"}]


@pytest.mark.parametrize(
    ("content", "sees"),
    [
        ([{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "data:,"}}], True),
        ([{"type": "text", "text": "What?"}], False),
        (["odd", None], False),
        ("What?", False),
        (None, False),
    ],
)
def test_a_chat_sees_whose_sample_has_an_image(tmp_path: Path, content: Any, *, sees: bool) -> None:
    sample = {"messages": [{"role": "user", "content": content}, "odd"]}
    assert model(tmp_path, sample=sample)["sees"] is sees


@pytest.mark.parametrize("sample", [None, "text", {"messages": None}, {"messages": []}])
def test_no_sample_shows_no_image(tmp_path: Path, sample: Any) -> None:
    assert model(tmp_path, sample=sample)["sees"] is False
    assert model(tmp_path, Known(tasks={"a": "vlm"}), sample=sample)["sees"] is True


def test_a_limit_of_answers_is_shown(tmp_path: Path) -> None:
    assert model(tmp_path, max_output_tokens=200)["max_output_tokens"] == 200
    assert "max_output_tokens" not in model(tmp_path)


def test_the_logo_is_part_of_the_page_and_an_unreadable_one_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text("<svg/>")
    plan = plan_of(tmp_path, {}, event={"title": "Hack", "logo": "logo.svg"})
    logo = load_logo(plan)
    assert logo == Sample("logo.svg", "image/svg+xml", "PHN2Zy8+")
    page, *_ = build_documents(plan, local_openai_models(plan), known=Known(logo=logo))
    assert '{"title": "Hack", "logo": "data:image/svg+xml;base64,PHN2Zy8+"}' in page.text
    (tmp_path / "logo.svg").write_bytes(bytes(LOGO_BYTES + 1))
    assert load_logo(plan) is None
    (tmp_path / "logo.svg").unlink()
    assert load_logo(plan) is None


def test_limits_that_differ_by_team_are_not_told_as_one(tmp_path: Path) -> None:
    teams = ["red", {"name": "blue", "requests_per_second": 1}]
    assert catalogue(tmp_path, {}, event={"teams": teams})["event"]["limits"] is None


def test_without_teams_the_limits_are_those_of_everyone_together(tmp_path: Path) -> None:
    told = catalogue(tmp_path, {}, event={"requests_per_second": 2.5, "burst": 7})
    assert told["event"]["limits"] == "2.5 requests a second, in bursts of up to 7, for all callers together"


def test_a_sample_that_is_a_file_comes_with_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "hello.wav").write_bytes(b"RIFF")
    plan = plan_of(tmp_path, {"takes": "audio/wav", "sample": {"$file": "hello.wav"}})
    known = Known(samples=load_samples(plan))
    (told,) = build_catalogue(plan, local_openai_models(plan), known)["models"]
    assert told["sample_file"] == {"name": "hello.wav", "media_type": "audio/wav", "base64": "UklGRg=="}


def test_a_file_that_is_too_large_or_gone_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "hello.wav"
    file.write_bytes(bytes(FILE_BYTES + 1))
    plan = plan_of(tmp_path, {"takes": "audio/wav", "sample": {"$file": "hello.wav"}})
    assert not load_samples(plan)
    file.write_bytes(bytes(FILE_BYTES))
    assert load_samples(plan)
    file.unlink()
    assert not load_samples(plan)


def test_aliases_are_listed_like_their_entries_to_those_who_may_call_them(tmp_path: Path) -> None:
    local = {"engine": "url", "url": "http://127.0.0.1:1/v1/chat/completions"}
    event = {"aliases": {"org/gpt": "a"}}
    plan = plan_of(tmp_path, {"local": local}, event=event)
    openai = local_openai_models(plan)
    own, alias = build_catalogue(plan, openai, Known(context_lengths={"a": 8}))["data"]
    assert alias == {**own, "id": "org/gpt", "display_name": "org/gpt", "root": "a"}
    assert "root" not in own
    assert [model["id"] for model in build_catalogue(plan, openai, models=["a"])["data"]] == ["a", "org/gpt"]
    assert build_catalogue(plan, openai, models=[])["data"] == []


class Name(str):
    """A name that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Name.comparisons += 1
        return str.__eq__(self, other)


def test_the_entries_of_a_long_catalogue_are_not_compared_with_one_another(tmp_path: Path) -> None:
    compared = []
    for count in (10, 100):
        plan = plan_of(tmp_path, {"local": {**URL, "speaks": "openai-chat"}})
        entries = [replace(plan.deployments[0], name=Name(f"m-{number}")) for number in range(count)]
        plan = replace(plan, deployments=tuple(entries))
        openai = local_openai_models(plan)
        Name.comparisons = 0
        shown = build_catalogue(plan, openai, models=[entry.name for entry in entries])
        assert [model["openai"] for model in shown["models"]] == ["chat"] * count
        compared.append(Name.comparisons)
    assert compared[1] <= 10 * compared[0] + 10


def test_the_aliases_of_many_entries_are_looked_up_too() -> None:
    compared = []
    for count in (10, 100):
        names = [Name(f"m-{number}") for number in range(count)]
        aliases = {f"a-{name}": Name(name) for name in names}
        openai = replace(OpenAiModels(chat=tuple(names)), aliases=aliases)
        Name.comparisons = 0
        assert openai.with_aliases(names) == (*names, *aliases)
        compared.append(Name.comparisons)
    assert compared[1] <= 10 * compared[0] + 10
