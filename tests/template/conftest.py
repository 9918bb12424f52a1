from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.synthesis import Config, Deploys, Template, build_test_plan, synthesize

if TYPE_CHECKING:
    from centralized_ml_api.catalog.facts import ModelFacts


@pytest.fixture(scope="session")
def template_of(tmp_path_factory: pytest.TempPathFactory) -> Deploys:
    """The template of a config with these models; the same config is synthesized once."""
    known: dict[str, Template] = {}

    def build(*models: Config, facts: ModelFacts | None = None, **root: object) -> Template:
        config = {"models": list(models), **root}
        key = json.dumps([config, repr(facts)])
        if key not in known:
            folder = tmp_path_factory.mktemp("app")
            known[key] = synthesize(build_test_plan(config, folder, facts), folder / "out")
        return known[key]

    return build
