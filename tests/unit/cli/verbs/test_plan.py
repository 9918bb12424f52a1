"""`mlapi plan` fails where `mlapi check` does, and names what AWS does not allow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.verbs import write_jumpstart_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.local_api import Ran

    Mlapi = Callable[..., Ran]


def test_a_plan_for_aws_of_an_unknown_model_fails_as_check_does(mlapi: Mlapi, tmp_path: Path) -> None:
    write_jumpstart_config(tmp_path, model_id="acme-textgeneration-tinny")
    planned, checked = mlapi("plan", "tiny.json", "--target", "aws"), mlapi("check", "tiny.json")
    assert (planned.status, checked.status) == (2, 2)
    assert (planned.out, checked.out) == ("", "")
    assert "unknown JumpStart model" in planned.talk
    assert planned.talk.splitlines()[:3] == checked.talk.splitlines()[:3]
    assert "mlapi deploy" not in planned.talk


def test_a_plan_for_aws_names_what_aws_does_not_allow(mlapi: Mlapi, tmp_path: Path) -> None:
    package = "arn:aws:sagemaker:us-east-1:865070037744:model-package/a-package"
    entry = {"model_package_arn": package, "instance": "ml.g5.2xlarge", "integration": {"type": "api"}}
    models = [{"name": f"model-{number}", **entry} for number in range(300)]
    (tmp_path / "many.json").write_text(json.dumps({"models": models}))
    planned = mlapi("plan", "many.json", "--target", "aws")
    assert planned.status == 0
    assert "More than AWS allows: main stack: about 1," in planned.out
    assert "  fix: split the config, with a --stack for each part" in planned.out
    limits = json.loads(mlapi("plan", "many.json", "--target", "aws", "--json").out)["limits"]
    assert [limit["id"] for limit in limits] == ["C701", "C701"]


def test_a_plan_for_aws_has_places_too(mlapi: Mlapi, tmp_path: Path) -> None:
    (tmp_path / "join.json").write_text(json.dumps({"models": [], "event": {"join": {"teams": 40}}}))
    planned = mlapi("plan", "join.json", "--target", "aws")
    assert planned.status == 0
    assert "up to 40 may join by a link" in planned.out
