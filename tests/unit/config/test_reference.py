"""The reference of the config, which is generated from the schema."""

from __future__ import annotations

import re

from centralized_ml_api.config.json_schema import build_schema
from centralized_ml_api.config.reference import render_config_reference


def rows(title: str) -> dict[str, str]:
    """Returns the rows of a section by their keys."""
    (section,) = re.findall(
        rf"^## {re.escape(title)}$(.*?)(?:^## |\Z)", render_config_reference(), re.MULTILINE | re.DOTALL
    )
    return {key: row for row, key in re.findall(r"^(\| `([^`]+)` \|.*)$", section, re.MULTILINE)}


def test_every_key_of_the_format_is_there_with_what_it_means() -> None:
    page = render_config_reference()
    schema = build_schema()
    for kind in (schema, *schema["$defs"].values()):
        for key, field in kind.get("properties", {}).items():
            meaning = re.escape(field.get("description", ""))
            assert re.search(rf"^\| `{re.escape(key)}` \| .* \| {meaning}", page, re.MULTILINE), key


def test_a_section_says_what_an_object_is_and_keeps_its_source_to_the_code() -> None:
    page = render_config_reference()
    assert "## `autoscaling.resources`\n\nWhat one copy of a model reserves of an instance, for" in page
    assert "Source:" not in page


def test_what_engines_share_is_said_once() -> None:
    assert list(rows("`local` with any engine")) == ["speaks"]
    assert list(rows("`local` with servers here")) == ["replicas", "environment", "idle", "starts", "shares"]
    assert list(rows("`local` with the engine `url`")) == ["engine", "url", "ping", "model"]
    assert list(rows("`local` with the engine `command`"))[:2] == ["engine", "run"]


def test_a_hosted_model_has_no_key_that_check_refuses() -> None:
    assert not {"replicas", "environment"} & {*rows("`local` with the engine `bedrock`")}
    assert {*rows("`local` with the engine `provider`")} == {
        *("engine", "model", "name", "url", "key", "speaks"),
    }


def test_required_keys_come_first_and_others_show_their_default() -> None:
    keys = rows("`integration.properties`")
    assert list(keys)[:3] == ["code", "permissions", "timeout"]
    assert keys["timeout"].startswith("| `timeout` | whole number, 1-900 | required | ")
    assert keys["memory"].startswith("| `memory` | whole number, 128-10240 | `128` | ")
    assert keys["layers"].startswith("| `layers` | array of strings | `[]` | ")


def test_an_object_leads_to_its_section() -> None:
    page = render_config_reference()
    titles = re.findall(r"^## (.*)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-") for title in titles}
    links = re.findall(r"\(#([^)]*)\)", page)
    assert {*links} <= anchors
    model, event = rows("`models[]`, a model"), rows("`event`")
    assert " | [object](#autoscaling) | " in model["autoscaling"]
    assert " | [object](#local-with-any-engine) | " in model["local"]
    assert " | array of [objects](#hours) | " in event["hours"]
    assert " | object | " in model["environment"]
    assert " | [object](#teams-a-team-with-limits) | " in rows("`join`, places for teams that join")["limits"]


def test_a_type_is_said_in_words() -> None:
    assert ' | `"auto"` or `"manual"` | ' in rows("`local` with the engine `python`")["fetch"]
    assert " | one of `1`, `3`, `5`, `7`, " in rows("`aws`")["log_retention_days"]
    speaks = rows("`local` with any engine")["speaks"]
    assert ' | one of `"openai-chat"`, `"openai-completions"`, ' in speaks
    assert speaks.count("openai-chat") == 1
    assert ", or an array of them | " in speaks
    assert " | number, more than 0 | " in rows("`event`")["usd"]
    assert " | whole number, at least 1 | " in rows("`event`")["burst"]
    assert " | array of strings or [objects](#teams-a-team-with-limits) | " in rows("`event`")["teams"]
    assert " | any value | " in rows("`models[]`, a model")["sample"]
