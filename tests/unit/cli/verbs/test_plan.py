"""`mlapi plan` fails where `mlapi check` does."""

from __future__ import annotations

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
